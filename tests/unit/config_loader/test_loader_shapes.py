"""What files declare: shapes, keys, suites, defaults, policy, past."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from loader_kit import clean, load_folder, settings_of, suite_of, write

from qase_iac.config.loader import config_digest, load
from qase_iac.model import Catalogue, Moved, Policy
from qase_iac.values import Address


def test_the_samples_of_the_contract(tmp_path: Path) -> None:
    found = clean(
        tmp_path,
        {
            "checkout/suite.yaml": "title: Checkout\n",
            "checkout/img/card.png": b"png",
            "checkout/cases.yaml": """\
cases:
  pay-by-card:
    title: Pay by card
    severity: critical
    flaky: false
    tags: [smoke, payments]
    milestone: release-1
    preconditions: |
      A basket with one item.
    steps:
      - Open the basket
      - action: Enter the card number
        data: 4242 4242 4242 4242
        attachments: [img/card.png]
        steps:
          - Blur the field
      - shared: sign-in
    parameters:
      currency: [EUR, USD]
    custom_fields:
      Component: Payments
      Platforms: [iOS, Android]
    protect: true
    ignore_changes: [automation, custom_fields.Component]
  refund-in-gherkin:
    title: Refund
    gherkin: |
      Given a paid order
suites:
  vouchers:
    title: Vouchers
    cases:
      voucher-expired:
        title: Expired voucher is refused
""",
            "other.yaml": """\
shared_steps:
  sign-in:
    title: Sign in
    steps: [{action: Open /login}]
milestones:
  release-1: {title: Release 1.0, status: active, due_date: 2026-12-01}
plans:
  smoke:
    title: Smoke
    cases: [pay-by-card]
    select: {tags: [smoke], suites: ["checkout/**"], priority: [high], milestone: release-1}
    exclude: {status: [deprecated, draft]}
    assignees: may_be_lost
""",
        },
    )
    assert list(found) == [
        "case.pay-by-card",
        "case.refund-in-gherkin",
        "suite.checkout/vouchers",
        "case.voucher-expired",
        "suite.checkout",
        "shared_step.sign-in",
        "milestone.release-1",
        "plan.smoke",
    ]
    assert [each.order for each in found.values()] == list(range(8))
    pay = found["case.pay-by-card"]
    assert pay.attributes["custom_fields.Platforms"] == ["iOS", "Android"]
    assert pay.attributes["suite"] == {"address": "suite.checkout"}
    assert pay.attributes["milestone"] == {"address": "milestone.release-1"}
    assert pay.attributes["steps"][1]["attachments"] == [
        {
            "path": "checkout/img/card.png",
            "sha256": "8f8cbb7dcf46e0bc7d53265749a6c17d116093a6ba95e442764060c76fd4a86c",
            "size": 3,
            "name": "card.png",
        }
    ]
    assert pay.protect is True and pay.ignore == {"automation", "custom_fields.Component"}
    assert str(pay.source) == "checkout/cases.yaml:2:3"
    assert suite_of(found["suite.checkout/vouchers"]) == "checkout"
    assert suite_of(found["case.voucher-expired"]) == "checkout/vouchers"
    assert found["suite.checkout"].attributes == {"title": "Checkout", "parent": None}
    assert str(found["suite.checkout"].source) == "checkout/suite.yaml:1:1"
    plan = found["plan.smoke"]
    assert plan.attributes["cases"] == [{"address": "case.pay-by-card"}]
    assert plan.local["assignees"] == "may_be_lost" and plan.local["exclude"] == {"status": ["deprecated", "draft"]}


KEYS = [
    # files -> the keys of suites with their parents, in the end
    ({"a/suite.yaml": "title: A"}, {"a": None}),
    ({"a/b/suite.yaml": "title: B"}, {"a/b": None}),
    ({"a/suite.yaml": "title: A", "a/x/b/suite.yml": "title: B"}, {"a": None, "a/x/b": "a"}),
    (
        {"Big Name/suite.yaml": "title: A\nkey: big", "Big Name/in/suite.yaml": "title: B"},
        {"big": None, "big/in": "big"},
    ),
    (
        {"a/suite.yaml": "title: A", "a/b/suite.yaml": "title: B\nkey: /z", "a/b/c/suite.yaml": "title: C"},
        {"a": None, "z": "a", "z/c": "z"},
    ),
    (
        {"a/suite.yaml": "title: A\nsuites: {b: {title: B, suites: {c: {title: C}}}}"},
        {"a": None, "a/b": "a", "a/b/c": "a/b"},
    ),
    ({"a/suite.yaml": "title: A", "a/sub/s.yaml": "suites: {b: {title: B}}"}, {"a": None, "a/b": "a"}),
    ({"s.yaml": "suites: {b: {title: B, suites: {c: {title: C}}}}"}, {"b": None, "b/c": "b"}),
    ({"suite.yaml": "title: Top\nkey: top", "a/suite.yaml": "title: A"}, {"top": None, "top/a": "top"}),
    ({"a/suite.yaml": "title: A", "a/Ü/suite.yaml": "title: B\nkey: x/y"}, {"a": None, "a/x/y": "a"}),
]


@pytest.mark.parametrize(("files", "expected"), KEYS, ids=[str(number) for number in range(len(KEYS))])
def test_keys_and_parents_of_suites(
    tmp_path: Path, files: dict[str, str | bytes], expected: dict[str, str | None]
) -> None:
    found = clean(tmp_path, files)
    assert {each.address.key: suite_of(each) for each in found.values()} == expected


CASES = [
    ({"x.yaml": "cases: {c: {title: T}}"}, None),
    ({"x.yaml": "cases: {c: {title: T, suite: s}}\nsuites: {s: {title: S}}"}, "s"),
    ({"x.yaml": "suites: {s: {title: S, cases: {c: {title: T}}}}"}, "s"),
    ({"x.yaml": "suites: {s: {title: S, cases: {c: {title: T, suite: s}}}}"}, "s"),
    ({"s/suite.yaml": "title: S", "s/deep/er/x.yaml": "cases: {c: {title: T}}"}, "s"),
    ({"s/suite.yaml": "title: S", "s/x.yaml": "cases: {c: {title: T, suite: null}}"}, None),
    ({"s/suite.yaml": "title: S", "s/x.yaml": "cases: {c: {title: T, suite: o}}\n", "o/suite.yaml": "title: O"}, "o"),
    ({"s/suite.yaml": "title: S\ncases: {c: {title: T}}"}, "s"),
    ({"s/suite.yaml": "title: S", "s/c.case.yaml": "title: T"}, "s"),
    ({"s/suite.yaml": "title: S", "s/My Case.case.yml": "title: T\nkey: c\nsuite: ~"}, None),
]


@pytest.mark.parametrize(("files", "expected"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_the_suite_of_a_case(tmp_path: Path, files: dict[str, str | bytes], expected: str | None) -> None:
    assert suite_of(clean(tmp_path, files)["case.c"]) == expected


def test_external_references_stay_as_written(tmp_path: Path) -> None:
    text = "cases: {c: {title: T, suite: {external: A / B}, milestone: {external_id: 7}}}"
    found = clean(tmp_path, {"x.yaml": text})["case.c"].attributes
    assert found["suite"] == {"external": "A / B"} and found["milestone"] == {"external_id": 7}


def test_defaults_by_folder(tmp_path: Path) -> None:
    found = clean(
        tmp_path,
        {
            "qase.yaml": "project: SHOP\ndefaults: {case: {severity: minor, priority: low, tags: [a], custom_fields: {X: 1, Y: 2}}}",
            "a/suite.yaml": "title: A\ndefaults: {case: {priority: high, tags: [b, c], custom_fields: {Y: 3}}}\ncases: {in: {title: In}}",
            "a/b/x.yaml": "cases: {c: {title: T, severity: null, suite: null, custom_fields: {Z: 4}}}",
            "y.yaml": "cases: {d: {title: D, suite: a}}",
        },
    )
    c = found["case.c"]
    assert c.attributes == {
        "title": "T",
        "severity": None,
        "suite": None,
        "custom_fields.Z": "4",
        "custom_fields.X": "1",
        "custom_fields.Y": "3",
        "priority": "high",
        "tags": ["b", "c"],
    }
    assert c.defaulted == {"custom_fields.X", "custom_fields.Y", "priority", "tags"}
    assert found["case.in"].attributes["priority"] == "high"
    assert found["case.d"].attributes["priority"] == "low" and found["case.d"].attributes["custom_fields.Y"] == "2"
    assert found["suite.a"].defaulted == frozenset()


def test_policy_by_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "qase.yaml": "project: SHOP\npolicy: {on_drift: keep, max_deletes: 3}",
            "a/suite.yaml": "title: A\npolicy: {on_drift: fail, adopt: explicit}",
            "a/b/suite.yaml": "title: B\npolicy: {on_conflict: ours}\ncases: {c: {title: T}}",
            "d.case.yaml": "title: D",
        },
    )
    found = load_folder(tmp_path).desired.resources
    assert found[Address("case", "c")].policy == Policy("explicit", "fail", "ours", 3)
    assert found[Address("suite", "a")].policy == Policy("explicit", "fail", "fail", 3)
    assert found[Address("case", "d")].policy == Policy("auto", "keep", "fail", 3)
    settings, _ = settings_of(tmp_path, on_drift="revert")
    assert settings is not None
    options = load(settings, offline=Catalogue(live=False)).desired
    assert {each.policy.on_drift for each in options.resources.values()} == {"revert"}
    assert options.policy.on_drift == "revert"


def test_the_past(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "x.yaml": """\
moved:
  - {from: case.a, to: case.b}
  - {from: case.b, to: case.c}
removed: [suite.old/one]
adopt:
  case.c: "41"
  shared_step.s: 0223905c291bada23e6049d415385982af92d758
cases: {c: {title: T}}
shared_steps: {s: {title: S, steps: [do]}}
""",
        },
    )
    loaded = load_folder(tmp_path)
    assert not loaded.diagnostics
    desired = loaded.desired
    assert [(str(m.origin), str(m.target), str(m.source)) for m in desired.moved] == [
        ("case.a", "case.b", "x.yaml:2:5"),
        ("case.b", "case.c", "x.yaml:3:5"),
    ]
    assert isinstance(desired.moved[0], Moved)
    assert list(map(str, desired.removed)) == ["suite.old/one"]
    assert {str(a): id for a, (id, _) in desired.adopt.items()} == {
        "case.c": 41,
        "shared_step.s": "0223905c291bada23e6049d415385982af92d758",
    }


def test_ignoring_custom_fields_as_a_whole(tmp_path: Path) -> None:
    text = "cases: {c: {title: T, ignore_changes: [custom_fields], custom_fields: {A: 1, B: 2}}}"
    assert clean(tmp_path, {"x.yaml": text})["case.c"].ignore == {"custom_fields", "custom_fields.A", "custom_fields.B"}


def test_merge_keys_and_anchors(tmp_path: Path) -> None:
    text = "cases:\n  a: &base\n    title: A\n    priority: low\n  b:\n    <<: *base\n    title: B\n"
    found = clean(tmp_path, {"x.yaml": text})
    assert found["case.b"].attributes["priority"] == "low" and found["case.b"].attributes["title"] == "B"


def test_the_digest_covers_values_not_bytes(tmp_path: Path) -> None:
    def digest(text: str, **changes: object) -> str:
        write(tmp_path, {"x.yaml": text})
        settings, _ = settings_of(tmp_path)
        assert settings is not None
        settings = replace(settings, **changes)  # type: ignore[arg-type]
        return config_digest(load(settings, offline=Catalogue(live=False)).desired, settings)

    plain = digest("cases: {c: {title: T, priority: high}}")
    assert plain == digest("# remark\ncases:\n  c:\n    priority: high\n    title: T\n")
    assert plain == digest("cases: {c: {title: T, priority: high}}", rate_limit=7)
    others = [
        digest("cases: {c: {title: U, priority: high}}"),
        digest("cases: {c: {title: T}}"),
        digest("cases: {c: {title: T, priority: high, protect: true}}"),
        digest("cases: {c: {title: T, priority: high}}", bulk_size=7),
        digest("cases: {c: {title: T, priority: high}}", policy=Policy(max_deletes=1)),
        digest("cases: {c: {title: T, priority: high}}\nremoved: [case.x]"),
    ]
    assert len({plain, *others}) == 7
