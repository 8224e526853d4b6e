"""Emulators to hold the laws against: every kind of custom field, foreign option ids, and the open questions' answers.

A world is one dialect and one setting of the switches. Together the worlds hold every pair of values of the switches
below (pairwise), so that a law that holds in all of them does not hang on one guess about the service.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import httpx

from qase_iac.api.client import Client
from qase_iac.api.refresh import refresh
from qase_iac.api.remote import QaseRemote
from qase_iac.emulator import create_app
from qase_iac.model import FIELD_TYPES, Catalogue
from qase_iac.state.model import State

OPTIONS = ["Cart", "Search, and more", "Ünïcode ✓"]
SEED = {
    "projects": [{"code": "LAW", "title": "Laws"}],
    "custom_fields": [
        {"title": f"A {type}", "type": type, **({"options": OPTIONS} if "select" in type or type == "radio" else {})}
        for type in FIELD_TYPES
    ]
    + [
        {"title": "Ticked unless said otherwise", "type": "checkbox", "default": "1"},
        {"title": "Full unless said otherwise", "type": "string", "default": "full"},
    ],
    "system_fields": {
        "severity": [
            {"id": 70, "slug": "sky-falls", "title": "critical"},
            {"id": 71, "slug": "blocker", "title": "Blocker"},
            {"id": 4, "slug": "critical", "title": "Worst", "default": True},
        ],
    },
    "users": [{"id": 5, "name": "Ada", "email": "ada@example.com"}, {"id": 9, "name": "B", "email": "b@example.com"}],
    "shared_parameters": [
        {"title": "Browser", "parameters": [{"title": "Browser", "values": ["Firefox", "Chrome"]}]},
        {
            "title": "Login",
            "type": "group",
            "parameters": [{"title": "user", "values": ["a", "b"]}, {"title": "role", "values": ["x", "y"]}],
        },
    ],
}

# What is left out changes what is stored on purpose (text_html, ignored nulls): then state's `served` has its say.
SWITCHES = {
    "dialect": ("today", "seed"),
    "text_trim": ("off", "on"),
    "text_empty": ("keep", "null"),
    "text_null": ("keep", "empty"),
    "text_crlf": ("keep", "lf"),
    "shared_rows": ("n", "one"),
    "shared_nested": ("nested", "flattened"),
    "multiselect_read": ("repeated", "comma"),
    "params_and_parameters": ("parameters", "params", "reject"),
    "list_order": ("id", "reverse", "random-but-stable"),
    "plan_case_order": ("kept", "id", "reverse"),
    "plan_patch_assignees": ("keep", "drop"),
    "tag_case": ("sensitive", "insensitive"),
    "foreign_id": ("422", "404", "ignore"),
    "old_aliases": ("off", "on"),
    "error_body": ("full", "bare", "empty", "laravel"),
    "steps_type_only": ("keep", "convert"),
    "limit_out_of_range": ("clamp", "reject"),
    "patch_bumps_updated": ("always", "on_change"),
    "attachment_hash": ("random", "content"),
    "enum_style": ("int", "slug", "string_ids"),
    "ids_as_strings": ("off", "on"),
    "extra_fields": ("off", "on"),
    "due_date_offset": ("+00:00", "-03:00"),
    "is_manual_type": ("bool", "int"),
    "suite_cases_count": ("direct", "recursive"),
    "bulk_attachments_need_type": ("on", "off"),
    "suite_filter_recurses": ("off", "on"),
}
Row = tuple[tuple[str, str], ...]


def pairwise(switches: dict[str, tuple[str, ...]]) -> list[Row]:
    """Few settings that hold every pair of values of any two switches: greedy, and the same every time."""
    names = list(switches)
    todo = {
        ((a, x), (b, y)) for a, b in itertools.combinations(names, 2) for x in switches[a] for y in switches[b]
    }  # fmt: skip
    rows: list[Row] = [tuple((name, switches[name][0]) for name in names)]
    todo -= set(itertools.combinations(rows[0], 2))
    while todo:
        row = dict(min(todo))
        for name in names:
            if name not in row:
                row[name] = max(switches[name], key=lambda value: _gain(todo, row, name, value))
        rows.append(tuple((name, row[name]) for name in names))
        todo -= set(itertools.combinations(rows[-1], 2))
    return rows


def _gain(todo: set, row: dict[str, str], name: str, value: str) -> int:
    one = (name, value)
    return sum((one, other) in todo or (other, one) in todo for other in row.items())


WORLDS = pairwise(SWITCHES)


@dataclass
class World:
    """A project that holds one object of each kind that others refer to."""

    remote: QaseRemote
    app: object
    suites: list[int]
    milestones: list[int]
    shared_steps: list[str]
    cases: list[int]
    files: list[str]
    projects: itertools.count

    @property
    def catalogue(self) -> Catalogue:
        return self.remote.snapshot.catalogue


@cache
def world(row: Row) -> World:
    settings = dict(row)
    dialect = settings.pop("dialect")
    app = create_app(seed=SEED, switches=settings, dialect=dialect, strict=True)
    client = Client("http://emulator/v1", None, httpx.WSGITransport(app))
    snapshot = refresh(client, "LAW", state=State(), need_members=True, need_shared_parameters=True)
    remote = QaseRemote(client, "LAW", snapshot)
    one, two, three = ({"action": f"{word} it"} for word in ("open", "use", "close"))
    nested = {"action": "Do all of it", "data": "d", "steps": [{"action": "first"}, {"action": "then"}]}
    steps = ([one], [one, two, three], [nested, {**two, "expected": "e"}])
    suite = remote.create("suite", {"title": "Top"})
    return World(
        remote,
        app,
        [suite, remote.create("suite", {"title": "Below", "parent": suite})],
        [remote.create("milestone", {"title": title}) for title in ("one", "two")],
        [remote.create("shared_step", {"title": f"S{at}", "steps": list(rows)}) for at, rows in enumerate(steps)],
        remote.create_many("case", [{"title": f"C{at}"} for at in range(4)]),
        [remote.upload(f"{at}.png", bytes([at])) for at in range(2)],
        itertools.count(),
    )
