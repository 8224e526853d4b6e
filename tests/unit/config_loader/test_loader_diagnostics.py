"""Every diagnostic of the loader, each at its exact place: `«code»` marks where it is expected."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from loader_kit import load_folder, places, settings_of, write

from qase_iac.config import files
from qase_iac.config.loader import load
from qase_iac.diagnostics import Severity
from qase_iac.model import Catalogue, CustomField, Option

OK = "cases: {ok: {title: Ok}}\n"
STEP = "shared_steps: {s: {title: S, steps: [do]}}\n"

FOLDERS: dict[str, dict[str, str | bytes]] = {
    # sections
    "no section": {"x.yaml": "«no-section»name: ci\non: push\n", "y.yaml": OK},
    "empty file": {"x.yaml": "«no-section»", "y.yaml": OK},
    "only remarks": {"x.yaml": "«no-section»# cases: …\n", "y.yaml": OK},
    "a list": {"x.yaml": "«no-section»- a\n- b\n", "y.yaml": OK},
    "attributes at the top": {"x.yaml": "«no-section»title: T\nsteps: []\n", "y.yaml": OK},
    "unknown section": {"x.yaml": OK + "«unknown-section»case: {}\n«unknown-section»project: X\n"},
    "section as a list": {"x.yaml": "cases:\n  «section-not-mapping»- title: Pay by card\n"},
    "section as a text": {"x.yaml": "cases: «section-not-mapping»none\n", "y.yaml": OK},
    "empty section is fine": {"x.yaml": "cases:\nsuites: {s: {title: S}}\n"},
    # one object
    "empty case file": {"a.case.yaml": "«wrong-type»"},
    "case file with a list": {"a.case.yaml": "«wrong-type»- title: T\n"},
    "key in a section": {"x.yaml": "cases: {c: {title: T, «unknown-attribute»key: d}}"},
    "bad key in a case file": {"a.case.yaml": "title: T\nkey: «bad-key»Big One"},
    "segments in a case's key": {"a.case.yaml": "title: T\nkey: «bad-key»a/b"},
    "key as a list": {"a.case.yaml": "title: T\nkey: «wrong-type»[a]"},
    "null key": {"a.case.yaml": "title: T\nkey: «bad-key»~"},
    "policy in a case file": {"a.case.yaml": "title: T\n«unknown-attribute»policy: {}"},
    "defaults in a case file": {"a.case.yaml": "title: T\n«unknown-attribute»defaults: {}"},
    "milestones in a suite file": {"a/suite.yaml": "title: T\n«unknown-attribute»milestones: {}"},
    # keys
    "illegal key": {"x.yaml": "cases: {«bad-key»Pay By: {title: T}}"},
    "slash in a case's key": {"x.yaml": "cases: {«bad-key»a/b: {title: T}}"},
    "slash in a suite's key": {"x.yaml": "suites: {«nested-key»a/b: {title: T}}"},
    "long key": {"x.yaml": f"cases: {{«bad-key»{'k' * 129}: {{title: T}}}}"},
    "illegal folder": {
        "Check Out/suite.yaml": "«bad-key»title: T",
        "y.yaml": "cases: {c: {title: T, suite: check-out}}",
    },
    "illegal file": {"Pay!.case.yaml": "«bad-key»title: T", "y.yaml": "plans: {p: {title: P, cases: [pay]}}"},
    "root without a key": {"suite.yaml": "«bad-key»title: T"},
    "suite key too long": {
        "x.yaml": f"suites: {{{'a' * 100}: {{title: A, suites: {{«bad-key»{'b' * 100}: {{title: B}}}}}}}}"
    },
    "twice in two files": {
        "a.yaml": "cases: {c: {title: A}}",
        "b.yaml": "cases:\n  «duplicate-declaration»c: {title: B}",
    },
    "twice in one file": {
        "a.yaml": "cases: {c: {title: A}}\nsuites: {s: {title: S, cases: {«duplicate-declaration»c: {title: B}}}}"
    },
    "case file and section": {"a.case.yaml": "title: A", "b.yaml": "cases: {«duplicate-declaration»a: {title: B}}"},
    "folder and section": {"a/suite.yaml": "title: A", "a.yaml": "suites: {«duplicate-declaration»a: {title: B}}"},
    "same key in one mapping": {"a.yaml": "cases:\n  c: {title: A}\n  «duplicate-key»c: {title: B}"},
    # attributes
    "no mapping": {"x.yaml": "cases: {c: «wrong-type»Pay by card}"},
    "nothing": {"x.yaml": "cases:\n  «wrong-type»c:\n"},
    "unknown attribute": {"x.yaml": "cases: {c: {title: T, «unknown-attribute»severty: major}}"},
    "parent of a suite": {"x.yaml": "suites: {c: {title: T, «unknown-attribute»parent: a}}"},
    "suite of a suite": {"x.yaml": "suites: {c: {title: T, «unknown-attribute»suite: a}}"},
    "defaults in a section": {"x.yaml": "suites: {c: {title: T, «unknown-attribute»defaults: {}}}"},
    "no title": {"x.yaml": "cases: {«missing-attribute»c: {severity: major}}"},
    "no title in a case file": {"c.case.yaml": "«missing-attribute»severity: major"},
    "no steps": {"x.yaml": "shared_steps: {«missing-attribute»s: {title: S}}"},
    "empty title": {"x.yaml": "cases: {c: {title: «empty-title»''}}"},
    "long title": {"x.yaml": f"cases: {{c: {{title: «title-too-long»{'t' * 256}}}}}"},
    "gherkin beside steps": {"x.yaml": "cases: {c: {title: T, gherkin: Given, «exclusive-attributes»steps: [a]}}"},
    "empty plan": {"x.yaml": "plans: {«empty-plan»p: {title: P}}"},
    "empty step": {"x.yaml": "cases: {c: {title: T, steps: [«empty-step»'']}}"},
    "a colon in a step": {"x.yaml": "cases:\n  c:\n    title: T\n    steps:\n      - «colon-in-text»Note: the form\n"},
    "protect": {"x.yaml": "cases: {c: {title: T, protect: «wrong-type»maybe}}"},
    "ignored": {
        "x.yaml": "cases: {c: {title: T, ignore_changes: [severity, «unknown-attribute»sverity, «unknown-attribute»suites]}}"
    },
    "ignored in a suite": {"x.yaml": "suites: {c: {title: T, ignore_changes: [«unknown-attribute»custom_fields.X]}}"},
    "ignored no list": {"x.yaml": "cases: {c: {title: T, ignore_changes: «wrong-type»severity}}"},
    # words
    "unknown word": {"x.yaml": "cases: {c: {title: T, severity: «unknown-word»majr}}"},
    "unknown fixed word": {"x.yaml": "cases: {c: {title: T, status: «unknown-word»actal}}"},
    "unknown word in a rule": {"x.yaml": OK + "plans: {p: {title: P, select: {priority: [high, «unknown-word»hih]}}}"},
    "unknown fixed word in a rule": {
        "x.yaml": OK + "plans: {p: {title: P, select: {automation: «unknown-word»robots}}}"
    },
    "empty text in a rule": {"x.yaml": OK + "plans: {p: {title: P, select: {tags: [a, «empty-rule»'']}}}"},
    "bad pattern in a rule": {"x.yaml": OK + "plans: {p: {title: P, select: {suites: [«bad-pattern»Check Out]}}}"},
    # references
    "dangling suite": {"x.yaml": "cases: {c: {title: T, suite: «unknown-reference»nope}}"},
    "dangling milestone": {"x.yaml": "cases:\n  c:\n    title: nope\n    milestone: «unknown-reference»nope\n"},
    "dangling shared step": {
        "x.yaml": "cases: {c: {title: T, steps: [nope, {shared: «unknown-reference»nope}, {action: a, steps: [{shared: «unknown-reference»nope}]}]}}"
    },
    "dangling member": {
        "x.yaml": OK + "plans: {p: {title: P, cases: [ok, {external: nope}, «unknown-reference»nope]}}"
    },
    "dangling milestone in a rule": {
        "x.yaml": OK + "plans: {p: {title: P, exclude: {milestone: [«unknown-reference»m]}, cases: [ok]}}"
    },
    "wrong kind": {"x.yaml": STEP + "cases: {c: {title: T, milestone: «wrong-kind»s}}"},
    "in a case file": {"c.case.yaml": "title: T\nsuite: «unknown-reference»nope"},
    "in a suite file": {"s/suite.yaml": "title: T\ncases: {c: {title: C, milestone: «unknown-reference»nope}}"},
    "in defaults": {
        "qase.yaml": "project: SHOP\ndefaults: {case: {milestone: «unknown-reference»nope, severity: «unknown-word»bad}}\n",
        "x.yaml": "cases: {c: {title: T}, d: {title: D}, e: {title: E}}",
    },
    "in a folder's defaults": {
        "s/suite.yaml": "title: S\ndefaults: {case: {milestone: «unknown-reference»nope}}\n",
        "s/x.yaml": "cases: {c: {title: T}, d: {title: D}}",
    },
    "no reference": {"x.yaml": "cases: {c: {title: T, suite: «bad-reference»Check Out}}"},
    "contradiction": {
        "x.yaml": "suites: {s: {title: S, cases: {c: {title: T, suite: «suite-contradiction»o}}}, o: {title: O}}"
    },
    "contradiction to the root": {
        "x.yaml": "suites:\n  s:\n    title: S\n    cases:\n      c:\n        title: T\n        «suite-contradiction»suite:\n"
    },
    # files
    "missing attachment": {"a/x.yaml": "cases: {c: {title: T, attachments: [«attachment-missing»no.png]}}"},
    "missing attachment of a step": {
        "x.yaml": "cases: {c: {title: T, steps: [{action: no.png, attachments: [qase.yaml, «attachment-missing»no.png]}]}}"
    },
    "path that leaves": {"x.yaml": "cases: {c: {title: T, attachments: [«attachment-outside»../no.png]}}"},
    "absolute path": {"x.yaml": "cases: {c: {title: T, attachments: [«attachment-path»/etc/passwd]}}"},
    # the past
    "bad address": {
        "x.yaml": OK + "removed: [«bad-address»pay, «bad-address»caze.pay, «bad-address»case.Pay, case.old]"
    },
    "project is no address": {"x.yaml": OK + "removed: [«bad-address»project.SHOP]"},
    "address as a list": {"x.yaml": OK + "moved: [{from: «wrong-type»[a], to: case.ok}]"},
    "empty lists": {"x.yaml": OK + "moved:\nremoved: ~\nadopt:\n"},
    "removed twice is fine": {
        "x.yaml": OK + "removed: [case.a, case.a]",
        "y.yaml": "adopt: {case.ok: 4}",
        "z.yaml": "adopt: {case.ok: 4}",
    },
    "removed no list": {"x.yaml": OK + "removed: «wrong-type»case.pay"},
    "moved": {
        "x.yaml": OK
        + "moved:\n  - «bad-move»{from: case.a}\n  - «bad-move»case.a\n  - «bad-move»{from: case.a, to: case.a}\n  - {from: case.a, to: «bad-move»suite.a}\n  - {from: case.a, to: «bad-address»b}\n"
    },
    "moved to nothing": {"x.yaml": OK + "moved: [«moved-to-nothing»{from: case.a, to: case.okk}]"},
    "moved twice": {
        "x.yaml": OK + "moved:\n  - {from: case.a, to: case.ok}\n  - «moved-twice»{from: case.b, to: case.ok}\n"
    },
    "moved away twice": {
        "x.yaml": "cases: {b: {title: B}, c: {title: C}}\nmoved:\n  - {from: case.a, to: case.b}\n  - «moved-twice»{from: case.a, to: case.c}\n"
    },
    "a swap is fine": {
        "x.yaml": "cases: {a: {title: A}, b: {title: B}}\nmoved: [{from: case.a, to: case.b}, {from: case.b, to: case.a}]"
    },
    "removed and declared": {"x.yaml": OK + "removed: [«removed-and-declared»case.ok]"},
    "adopted id twice": {
        "x.yaml": "cases: {a: {title: A}, b: {title: B}}\nadopt: {case.a: 4, «adopted-twice»case.b: 4}"
    },
    "adopted by two ids": {"x.yaml": OK + "adopt: {case.ok: 4}", "y.yaml": "adopt: {«adopted-twice»case.ok: 5}"},
    "adopting the undeclared": {"x.yaml": OK + "adopt: {«unknown-reference»case.no: 4}"},
    "bad id": {"x.yaml": OK + STEP + "adopt: {case.ok: «bad-id»x, shared_step.s: «bad-id»4}"},
    "adopt no mapping": {"x.yaml": OK + "adopt: «wrong-type»[case.ok]"},
    # defaults and policy of folders
    "folder policy": {
        "a/suite.yaml": "title: A\npolicy: {«policy-not-here»max_deletes: 3, on_drift: «unknown-word»keap, «unknown-setting»on_drft: keep}"
    },
    "folder policy no mapping": {"a/suite.yaml": "title: A\npolicy: «wrong-type»keep"},
    "folder defaults as a text": {"a/suite.yaml": "title: A\ndefaults: «wrong-type»high"},
    "empty folder defaults": {"a/suite.yaml": "title: A\ndefaults:\npolicy:\n"},
    "folder defaults": {
        "a/suite.yaml": "title: A\ndefaults: {case: {«no-default»title: T, «no-default»steps: [], «unknown-attribute»prority: high, flaky: «wrong-type»yes}, «unknown-attribute»suite: {}}"
    },
    "defaults no mapping": {"a/suite.yaml": "title: A\ndefaults: {case: «wrong-type»high}"},
    # the whole
    "out of scope": {
        "qase.yaml": 'project: SHOP\nscope: {suites: ["in/**"]}',
        "in/suite.yaml": "title: In\nsuites: {deep: {title: D}}",
        "out/suite.yaml": "«out-of-scope»title: Out",
        "in/else/suite.yaml": "title: E\nkey: /elsewhere",
        "x.yaml": "cases: {«out-of-scope»a: {title: A}, «out-of-scope»b: {title: B, suite: out}, c: {title: C, suite: in/deep}, d: {title: D, suite: elsewhere}, e: {title: E, suite: {external_id: 4}}}\nmilestones: {m: {title: M}}",
    },
    "root in scope": {
        "qase.yaml": "project: SHOP\nscope: {suites: [.]}",
        "x.yaml": "cases: {a: {title: A}}\nsuites: {«out-of-scope»s: {title: S}}",
    },
    "same title": {
        "x.yaml": "cases: {a: {title: T}, «same-title»b: {title: ' T '}, c: {title: T, suite: s}}\nsuites: {s: {title: S}, «same-title»r: {title: S}}"
    },
    "no content": {"qase.yaml": "«no-content»project: SHOP\n"},
    "nothing declared": {"qase.yaml": "«no-content»project: SHOP\n", "x.yaml": "removed: [case.a]\n"},
    # broken files hold back what may stand in them
    "held back": {
        "x.yaml": "cases: {c: {title: T, milestone: m}}\nadopt: {case.d: 4}\n",
        "y.yaml": b"milestones: {m: {title: \xff}}\n",
    },
    "yaml 1.1": {
        "x.yaml": "cases: {no: {title: no, tags: [1.10, 0x1F, 010, 12:30, off], description: «boolean-in-text»true}}"
    },
}


@pytest.mark.parametrize("name", FOLDERS)
def test_diagnostics(tmp_path: Path, name: str) -> None:
    expected = write(tmp_path, FOLDERS[name])
    loaded = load_folder(tmp_path)
    found = [place for place in places(loaded.diagnostics) if place[0] != "not-utf8"]
    assert found == expected, loaded.diagnostics
    assert all(each.summary and "\n" not in each.summary for each in loaded.diagnostics)


def summary(tmp_path: Path, text: str) -> str:
    write(tmp_path, {"x.yaml": text})
    (found,) = load_folder(tmp_path).diagnostics
    return f"{found.summary} {found.detail}"


HINTS = [
    ("cases: {c: {title: T, severty: major}}", "Did you mean `severity`?"),
    ("cases: {c: {title: T, severity: majr}}", "Did you mean `major`?"),
    ("cases: {c: {title: T, status: actal}}", "Did you mean `actual`?"),
    ("milestones: {release-1: {title: M}}\ncases: {c: {title: T, milestone: release1}}", "Did you mean `release-1`?"),
    ("cases: {c: {title: T, milestone: c}}", "`c` is a case, not a milestone."),
    ("cases: {Pay by Card!: {title: T}}", "Write `pay-by-card:`."),
    ("suites: {a/b: {title: T}}", "suites:\n  a:\n    suites:\n      b:"),
    ("cases:\n- title: Pay by card\n", "\n  pay-by-card:\n"),
    ("case: {c: {title: T}}", "Did you mean `cases`?"),
    ("name: x\n", 'exclude: ["x.yaml"]'),
    ("cases: {c: {title: T, milestones: {}}}", "Did you mean `milestone`?"),
    ("cases: {c: {title: T, moved: []}}", "moved.yaml"),
    ("suites: {c: {title: T, policy: {}}}", "suite.yaml"),
    ("cases: {c: {title: T}}\nadopt: {case.d: 1}", "Did you mean `case.c`?"),
    ("cases: {c: {title: T}}\nexclude: [a]", "qase.yaml"),
]


@pytest.mark.parametrize(("text", "hint"), HINTS, ids=[hint for _, hint in HINTS])
def test_hints(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in summary(tmp_path, text)


def test_both_places_of_a_duplicate_are_shown(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "cases:\n  c: {title: A}\n", "b/c.yaml": "cases: {c: {title: B}}"})
    (found,) = load_folder(tmp_path).diagnostics
    assert "a.yaml:2:3" in found.summary and str(found.source) == "b/c.yaml:1:9"


def test_warnings_are_no_errors(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "x.yaml": "cases: {a: {title: T}, b: {title: T}}\nplans: {p: {title: P}}\nmoved: [{from: case.x, to: case.y}]"
        },
    )
    found = load_folder(tmp_path).diagnostics
    assert {each.code for each in found} == {"same-title", "empty-plan", "moved-to-nothing"}
    assert all(each.severity is Severity.WARNING for each in found)


def test_control_characters_are_shown_escaped(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "x.yaml": 'cases: {"a\\e[31m": {title: T}, c: {title: T, "x\\e": 1, milestone: "\\e]"}}\n"\\e": {}\nremoved: ["\\e.x"]'
        },
    )
    found = load_folder(tmp_path).diagnostics
    assert len(found) == 5
    assert not any("\x1b" in each.summary + each.detail for each in found)


OFFLINE = Catalogue(
    options={"severity": (Option(1, "sev1", "Severity one"), Option(2, "sev2", "Severity two"))},
    custom_fields=(
        CustomField(1, "Component", "selectbox", (Option(1, "Payments", "Payments"), Option(2, "Basket", "Basket"))),
        CustomField(2, "Size", "number"),
        CustomField(3, "Platforms", "multiselect", (Option(1, "iOS", "iOS"),)),
    ),
    live=False,
)


def test_words_of_the_catalogue(tmp_path: Path) -> None:
    expected = write(
        tmp_path,
        {
            "x.yaml": """\
cases:
  good: {title: A, severity: Severity one, priority: high, custom_fields: {Component: payments, Size: 1.5, Platforms: [iOS]}}
  stock: {title: B, severity: «unknown-word»major}
  like: {title: C, severity: «unknown-word»sev3, custom_fields: {Component: «unknown-option»Paymets, Size: «wrong-type»big}}
  more: {title: D, custom_fields: {Platforms: «unknown-option»[iOS, Android], Colour: «unknown-custom-field»red}}
  again: {title: E, custom_fields: {Colour: blue}}
""",
        },
    )
    found = load_folder(tmp_path, OFFLINE).diagnostics
    assert places(found) == expected
    by_code = {each.code: each for each in found}
    assert by_code["unknown-custom-field"].severity is Severity.WARNING
    assert "Did you mean `Payments`?" in next(each.summary for each in found if "Paymets" in each.summary)


def test_an_unreadable_attachment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    expected = write(
        tmp_path, {"a.png": b"x", "x.yaml": "cases: {c: {title: T, attachments: [«attachment-unreadable»a.png]}}"}
    )
    real = builtins.open

    def refuse(path: object, *rest: object, **more: object) -> object:
        if str(path).endswith("a.png"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(builtins, "open", refuse)
    assert places(load_folder(tmp_path).diagnostics) == expected


def test_a_file_that_cannot_be_read_holds_back(tmp_path: Path) -> None:
    write(tmp_path, {"x.yaml": "cases: {c: {title: T, milestone: m}}", "m.yaml": "milestones: {m: {title: M}}"})
    settings, _ = settings_of(tmp_path)
    assert settings is not None
    found = [files.SourceFile(tmp_path / name, name, 1) for name in ("gone.yaml", "x.yaml")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "discover", lambda *_: (found, []))
        assert places(load(settings, offline=Catalogue(live=False)).diagnostics) == [("unreadable", "gone.yaml", 0, 0)]


def test_capital_letters_of_a_key_are_only_made_small(tmp_path: Path) -> None:
    assert "Write `pay_by.card`" in summary(tmp_path, "cases: {Pay_By.Card: {title: T}}").replace(":`", "`")


def test_many_problems_in_one_file(tmp_path: Path) -> None:
    rows = "".join(f"  c{number}: {{title: T{number}, milestone: m{number % 7}}}\n" for number in range(2000))
    write(tmp_path, {"x.yaml": "cases:\n" + rows})
    found = load_folder(tmp_path).diagnostics
    assert len(found) == 2000
    assert [each.source.line for each in found] == list(range(2, 2002))


def test_the_collector_is_left_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"x.yaml": OK})
    gc.disable()
    try:
        load_folder(tmp_path)
        assert not gc.isenabled()
    finally:
        gc.enable()
    load_folder(tmp_path)
    assert gc.isenabled()


def test_a_file_that_goes_away_while_loading_keeps_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qase_iac.config import late

    write(tmp_path, {"x.yaml": "cases:\n  c: {title: T, milestone: m}\n"})
    monkeypatch.setattr(late, "_compose", lambda file: None)
    assert places(load_folder(tmp_path).diagnostics) == [("unknown-reference", "x.yaml", 2, 3)]


def test_what_a_schema_adds_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"x.yaml": "cases: {c: {title: T, nope: 1}}\n"})
    settings, _ = settings_of(tmp_path)
    assert settings is not None
    loaded = load(settings, offline=Catalogue(live=False), explained=True)
    assert [each.code for each in loaded.diagnostics] == ["unknown-attribute"]


def test_symlinked_project_folder(tmp_path: Path) -> None:
    write(tmp_path / "real", {"a.png": b"x", "x.yaml": "cases: {c: {title: T, attachments: [a.png]}}"})
    os.symlink(tmp_path / "real", tmp_path / "link")
    loaded = load_folder(tmp_path / "link")
    assert not loaded.diagnostics
    (case,) = loaded.desired.resources.values()
    assert case.attributes["attachments"][0]["path"] == "a.png"
