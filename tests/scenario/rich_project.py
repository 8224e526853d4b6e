"""A project of about 25 objects that uses every feature of the format, and the workspace that it needs."""

from __future__ import annotations

from typing import Any

OPTIONS = ["Cart", "Search, and more", "Ünïcode ✓"]

SEED: dict[str, Any] = {
    "custom_fields": [
        {"title": "Estimate", "type": "number"},
        {"title": "Note", "type": "string"},
        {"title": "Story", "type": "text"},
        {"title": "Component", "type": "selectbox", "options": OPTIONS},
        {"title": "Reviewed", "type": "checkbox"},
        {"title": "Risk", "type": "radio", "options": ["Low", "High"]},
        {"title": "Platforms", "type": "multiselect", "options": ["iOS", "Android", "Web"]},
        {"title": "Requirement", "type": "url"},
        {"title": "Owner", "type": "user"},
        {"title": "Last audit", "type": "datetime"},
        {"title": "Full unless said otherwise", "type": "string", "default": "full"},
    ],
    "system_fields": {
        "layer": [
            {"id": 7, "slug": "unknown", "title": "Unknown", "default": True},
            {"id": 3, "slug": "e2e", "title": "E2E"},
            {"id": 9, "slug": "contract", "title": "Contract"},
        ],
    },
    "users": [
        {"id": 4, "name": "Ann", "email": "ann@shop.example"},
        {"id": 6, "name": "Bob", "email": "b@shop.example"},
    ],
    "shared_parameters": [
        {"title": "Browsers", "parameters": [{"title": "Browser", "values": ["Firefox", "Chromium"]}]},
    ],
    "salt": "rich",
}

FILES: dict[str, str | bytes] = {
    "qase.yaml": """\
project: SHOP
title: Web shop
description: Everything we sell
create: true
api: {url: emulator}
defaults:
  case: {severity: normal, priority: medium, custom_fields: {Component: Cart}}
policy: {max_delete_share: 1}
""",
    "img/card.png": b"\x89PNG card",
    "img/logo.png": b"\x89PNG logo",
    "milestones.yaml": """\
milestones:
  release-1: {title: Release 1.0, description: First public release, status: active, due_date: 2026-12-01}
  release-2: {title: Release 2.0, due_date: "2027-03-01T18:00:00+01:00", status: completed}
""",
    "steps.yaml": """\
shared_steps:
  sign-in:
    title: Sign in
    steps:
      - {action: Open /login, expected: The form is shown}
      - {action: Submit, data: "ann / secret", expected: The dashboard opens}
  look:
    title: Look
    steps: [Look around]
""",
    "checkout/suite.yaml": """\
title: Checkout
description: From the basket to the receipt.
preconditions: |
  The shop is open.
defaults:
  case: {layer: e2e, tags: [checkout]}
""",
    "checkout/cases.yaml": """\
cases:
  pay-by-card:
    title: Pay by card
    description: "The most used way.\\r\\n\\r\\n* one\\r\\n* two"
    preconditions: "  A basket with one item.  \\n"
    postconditions: The basket is empty.
    severity: critical
    priority: high
    type: functional
    layer: contract
    behavior: positive
    status: actual
    automation: to-be-automated
    flaky: true
    tags: [smoke, payments]
    milestone: release-1
    parameters:
      - {currency: [EUR, USD]}
      - {user: [ann, bob], role: [admin, guest]}
      - {shared: Browsers}
    custom_fields:
      Estimate: 12.5
      Note: "01.10"
      Story: |
        | a | b |
        |---|---|
        | 1 | 2 |
      Component: "Search, and more"
      Reviewed: true
      Risk: High
      Platforms: [iOS, Web]
      Requirement: https://shop.example/req/17
      Owner: ann@shop.example
      Last audit: 2026-10-01
    attachments: [../img/card.png, ../img/logo.png]
    steps:
      - shared: sign-in
      - shared: sign-in
      - shared: look
      - shared: look
      - Open the basket 🧺
      - action: Enter the card number
        data: 4242 4242 4242 4242
        expected: The number is accepted
        attachments: [../img/card.png]
        steps:
          - Blur the field
          - {action: Read the field, expected: Only the last four digits are shown}
    protect: true
  refund:
    title: Refund
    gherkin: |
      Given a paid order
      When support refunds it
      Then the customer gets an e-mail
  invoice:
    title: Pay by invoice
    ignore_changes: [automation, custom_fields.Note]
    automation: automated
    custom_fields: {Note: "sent once", Component: null, Reviewed: false}
    steps: [Choose invoice, {action: Confirm, expected: "```\\nOK & <done>\\n```"}]
  twin:
    title: Twin
    steps: [One]
  bare:
    title: Bare
suites:
  vouchers:
    title: Vouchers
    cases:
      expired: {title: Expired voucher is refused, behavior: negative, milestone: release-2}
      twin-too: {title: Twin, steps: [Two]}
    suites:
      gift:
        title: Gift cards
        cases:
          balance: {title: The balance is shown, tags: [], description: null, parameters: {currency: [EUR]}}
""",
    "accounts/suite.yaml": "title: Accounts\nkey: people\n",
    "accounts/reset.case.yaml": """\
title: Reset a forgotten password
automation: automated
steps: [Ask for it, {shared: sign-in}]
""",
    "accounts/empty/suite.yaml": "title: Nothing in here\n",
    "root.yaml": """\
cases:
  home-page: {title: The home page loads, type: smoke, tags: [smoke], steps: [Open /]}
  elsewhere: {title: Lives in the vouchers, suite: checkout/vouchers, status: draft}
  same-words: {title: Sign in, layer: null, severity: null, custom_fields: {"Full unless said otherwise": ""}}
""",
    "plans.yaml": """\
plans:
  smoke:
    title: Smoke
    description: Before every release
    cases: [expired, home-page]
    select: {tags: [smoke], priority: [high, medium]}
    exclude: {status: [draft]}
  checkout: {title: Checkout, select: {suites: ["checkout/**"]}, assignees: may_be_lost}
""",
}
OBJECTS = 24
