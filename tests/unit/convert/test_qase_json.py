"""qase-json: everything of an export arrives, byte for byte, or is in the notes."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
import yaml
from export_kit import errors, loaded
from hypothesis import given, settings
from hypothesis import strategies as st

from qase_iac.config.writer import LAYOUTS, Layout, WritableProject, write_project
from qase_iac.convert import FORMATS, code_of
from qase_iac.convert.qase_json import read
from qase_iac.emulator.seed import check_seed, load_seed
from qase_iac.errors import QaseIacError

MATTERMOST = Path("/work/shared/data/mattermost/mattermost.qase.json.xz")
HASH = "a" * 40


def converted(data: Any, **more: Any) -> WritableProject:
    return read(json.dumps(data).encode(), code="SHOP", title="Shop", **more)


def of_cases(*cases: Any, **more: Any) -> WritableProject:
    return converted({"suites": [{"id": 1, "title": "S", "cases": list(cases)}], **more})


def attributes(project: WritableProject, kind: str = "case", at: int = 0) -> dict[str, Any]:
    return [each for each in project.objects if each.kind == kind][at].attributes


def one(**case: Any) -> dict[str, Any]:
    return attributes(of_cases({"id": 1, "title": "T", **case}))


def noted(project: WritableProject, *words: str) -> bool:
    return any(all(word in line for word in words) for line in project.notes)


def seed_of(project: WritableProject) -> dict[str, Any]:
    seed: dict[str, Any] = project.documents["emulator-seed.yaml"]
    check_seed(seed)
    return seed


# --- a whole file

EXPORT: dict[str, Any] = {
    "suites": [
        {
            "id": 1,
            "title": "Checkout",
            "description": "All\nof it",
            "preconditions": None,
            "suites": [
                {"id": 2, "title": "Cards", "suites": [], "cases": [{"id": 7, "title": "Pay", "milestone": "R1"}]}
            ],
            "cases": [
                {
                    "id": 5,
                    "title": "Pay",
                    "description": " x \r\n",
                    "priority": "high",
                    "severity": "blocked",
                    "type": "functional",
                    "behavior": "undefined",
                    "layer": "e2e",
                    "status": "actual",
                    "automation": "is-not-automated",
                    "is_flaky": "yes",
                    "is_muted": "no",
                    "milestone": "R1",
                    "tags": ["b", "a", "b"],
                    "params": {"currency": ["EUR", "no"]},
                    "custom_fields": [
                        {"id": 3, "title": "Component", "value": "Cart"},
                        {"title": "Empty", "value": ""},
                    ],
                    "steps_type": "classic",
                    "steps": [
                        {"position": 1, "action": "Open", "expected_result": "", "data": None, "steps": []},
                        {
                            "action": "Pay: now",
                            "expected_result": "| a |\n|---|\n| `x` |",
                            "steps": [{"action": "Nested"}],
                        },
                    ],
                }
            ],
        }
    ]
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_is_valid(tmp_path: Path, layout: Layout) -> None:
    (tmp_path / "x.json").write_text(json.dumps(EXPORT))
    result = FORMATS["qase-json"](tmp_path / "x.json", tmp_path / "web-shop", None, layout)
    assert result.objects == 5
    assert set(result.paths) == {
        p.relative_to(tmp_path / "web-shop").as_posix() for p in (tmp_path / "web-shop").rglob("*.yaml")
    }
    assert result.notes == ("left out, the format has no `is_muted` for cases (1): no",)
    found = loaded(tmp_path / "web-shop")
    assert errors(found) == []
    resources = {str(address): resource.attributes for address, resource in found.desired.resources.items()}
    assert resources == {
        "milestone.r1": {"title": "R1"},
        "suite.checkout": {"title": "Checkout", "description": "All\nof it", "parent": None},
        "suite.checkout/cards": {"title": "Cards", "parent": {"address": "suite.checkout"}},
        "case.pay": {
            "title": "Pay",
            "description": " x \r\n",
            "severity": "blocker",
            "priority": "high",
            "type": "functional",
            "layer": "e2e",
            "behavior": "undefined",
            "status": "actual",
            "automation": "manual",
            "flaky": True,
            "milestone": {"address": "milestone.r1"},
            "tags": ["a", "b"],
            "parameters": [{"currency": ["EUR", "no"]}],
            "custom_fields.Component": "Cart",
            "steps": [
                {"action": "Open"},
                {"action": "Pay: now", "expected": "| a |\n|---|\n| `x` |", "steps": [{"action": "Nested"}]},
            ],
            "suite": {"address": "suite.checkout"},
        },
        "case.pay-cards": {
            "title": "Pay",
            "milestone": {"address": "milestone.r1"},
            "suite": {"address": "suite.checkout/cards"},
        },
    }
    assert load_seed(tmp_path / "web-shop/emulator-seed.yaml") == {
        "custom_fields": [{"title": "Component", "type": "string"}, {"title": "Empty", "type": "string"}]
    }
    assert yaml.safe_load((tmp_path / "web-shop/qase.yaml").read_bytes()) == {
        "project": "WEBSHOP", "title": "Web shop", "create": True, "api": {"seed": "emulator-seed.yaml"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("shop", "SHOP"),
        ("web-shop 2", "WEBSHOP"),
        ("a", "TEST"),
        ("42", "TEST"),
        ("x" * 20, "X" * 10),
        ("тест", "TEST"),
    ],
)
def test_the_code_is_made_of_the_letters_of_the_folder(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(
    "pack",
    [lambda d: d, gzip.compress, lzma.compress, lambda d: b"\xef\xbb\xbf" + d, lambda d: d.decode().encode("utf-16")],
)
def test_packed_files_and_other_encodings(tmp_path: Path, pack: Any) -> None:
    (tmp_path / "x").write_bytes(pack(json.dumps(EXPORT).encode()))
    assert FORMATS["qase-json"](tmp_path / "x", tmp_path / "out", "shop", "suite").objects == 5
    assert yaml.safe_load((tmp_path / "out/qase.yaml").read_bytes())["project"] == "SHOP"


# --- bad input


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON file: line 1"),
        (b"{", "no JSON file: line 1, column 2"),
        (b'{"suites": [\n1,]}', "line 2"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'{"suites": "\xff"}', "0xff"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"suites": NaN}', "NaN"),
        (b'{"suites": [' + b"9" * 5000 + b"]}", "digits"),
        (b"[]", "a list"),
        (b'"x"', "a text"),
        (b"null", "null"),
        (b'{"a": 1, "b\\u001b": 2}', "a, b\\x1b"),
    ],
)
def test_what_is_no_export(data: bytes, message: str) -> None:
    with pytest.raises(QaseIacError) as caught:
        read(data, code="SHOP")
    assert message in caught.value.summary and "\x1b" not in caught.value.summary


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"suites": 5}, "$.suites: a list expected, not a number."),
        ({"suites": ["x"]}, "$.suites[0]: an object expected, not a text."),
        ({"suites": [{"title": {}}]}, "$.suites[0].title: a text expected, not an object."),
        ({"suites": [{"title": "S", "cases": {"a": 1}}]}, "$.suites[0].cases: a list expected, not an object."),
        ({"cases": [{"title": True}]}, "$.cases[0].title: a text expected, not true or false."),
        ({"cases": [{"title": "T", "steps": 5}]}, "$.cases[0].steps: a list expected, not a number."),
        ({"cases": [{"title": "T", "steps": [[1]]}]}, "$.cases[0].steps[0].step: a text expected, not a list."),
        (
            {"cases": [{"title": "T", "steps": [{"action": []}]}]},
            "$.cases[0].steps[0].action: a text expected, not a list.",
        ),
        (
            {"cases": [{"title": "T", "custom_fields": [{"title": "F", "value": {"a": 1}}]}]},
            "value: a text or a list of texts expected",
        ),
        ({"cases": [{"title": "T", "is_flaky": "perhaps"}]}, "$.cases[0].is_flaky: yes or no expected."),
        ({"cases": [{"title": "T", "severity": ["x"]}]}, "$.cases[0].severity: a text expected, not a list."),
    ],
)
def test_wrong_shapes_are_named_with_their_place(data: Any, place: str) -> None:
    with pytest.raises(QaseIacError) as caught:
        converted(data)
    assert "1 problem." in caught.value.summary
    assert place in caught.value.detail


def test_all_problems_are_told_at_once_but_not_endlessly() -> None:
    with pytest.raises(QaseIacError) as caught:
        converted({"cases": [{"title": []}] * 50})
    assert "50 problems" in caught.value.summary
    assert caught.value.detail.endswith("… and 30 more")


def nest(depth: int, name: str, leaf: dict[str, Any]) -> dict[str, Any]:
    for _ in range(depth):
        leaf = {"title": "x", "action": "x", name: [leaf]}
    return leaf


def test_huge_nesting_is_refused_and_sane_nesting_is_not(tmp_path: Path) -> None:
    for data in ({"suites": [nest(300, "suites", {})]}, {"cases": [{"title": "T", "steps": [nest(300, "steps", {})]}]}):
        with pytest.raises(QaseIacError, match="can be converted"):
            converted(data)
    deep = {
        "suites": [nest(55, "suites", {"title": "x"})],
        "cases": [{"title": "T", "steps": [nest(38, "steps", {"action": "x"})]}],
    }
    write_project(tmp_path / "out", converted(deep))
    assert errors(loaded(tmp_path / "out")) == []


@pytest.mark.parametrize(
    ("name", "content"), [("none", None), ("packed", b"\xfd7zXZ\0broken"), ("zipped", b"\x1f\x8bbroken"), ("dir", "")]
)
def test_files_that_cannot_be_read_leave_nothing_behind(tmp_path: Path, name: str, content: Any) -> None:
    path = tmp_path / name
    path.mkdir() if content == "" else path.write_bytes(content) if content else None
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(QaseIacError):
        FORMATS["qase-json"](path, tmp_path / "out", None, "suite")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_wrong_code_or_a_full_folder_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(EXPORT))
    with pytest.raises(QaseIacError, match="no project code"):
        FORMATS["qase-json"](tmp_path / "x.json", tmp_path / "out", "A1", "suite")
    with pytest.raises(QaseIacError, match="not empty"):
        FORMATS["qase-json"](tmp_path / "x.json", tmp_path, None, "suite")


# --- attributes


@pytest.mark.parametrize(
    ("case", "name", "value"),
    [
        ({"severity": "Critical"}, "severity", "critical"),
        ({"severity": "not set"}, "severity", "undefined"),
        ({"severity": 4}, "severity", "normal"),
        ({"priority": "1"}, "priority", "high"),
        ({"automation": "to_be_automated"}, "automation", "to-be-automated"),
        ({"automation": 2}, "automation", "automated"),
        ({"is_flaky": 1}, "flaky", True),
        ({"is_flaky": True}, "flaky", True),
        ({"tags": "a, b,,a"}, "tags", ["a", "b"]),
        ({"tags": [{"title": "x"}, None, "", 5]}, "tags", ["x", "5"]),
        ({"steps_type": "gherkin", "steps": [{"action": "Given"}, {"value": "When"}]}, "gherkin", "Given\nWhen"),
        ({"steps_type": "gherkin", "steps": "Given\n"}, "gherkin", "Given\n"),
        ({"gherkin": "Given"}, "gherkin", "Given"),
        ({"steps": "Just this"}, "steps", ["Just this"]),
        ({"steps": {"1": {"action": "a"}, "2": {"action": "b"}}}, "steps", ["a", "b"]),
        ({"steps": ["a", None, "", {"action": "b"}]}, "steps", ["a", "b"]),
        ({"params": [{"title": "p", "values": [1, "x", "x"]}]}, "parameters", {"p": ["1", "x"]}),
        ({"params": [{"items": [{"title": "u", "values": ["a", "b"]}, {"title": "r", "values": ["x", "x"]}]}]}, "parameters", [{"u": ["a", "b"], "r": ["x", "x"]}]),
        ({"parameters": [{"item": {"title": "p", "values": "a,b"}}]}, "parameters", {"p": ["a", "b"]}),
        ({"custom_fields": {"F": "x"}}, "custom_fields", {"F": "x"}),
        ({"milestone": {"title": "R2", "due_date": "2026-12-01 00:00:00"}}, "milestone", "r2"),
        ({"title": "a\nb\n"}, "title", "a b"),
        ({"title": "x" * 300}, "title", "x" * 254 + "…"),
        ({"title": 5}, "title", "5"),
        ({"title": None}, "title", "Untitled case 1"),
        ({"description": "x\ud800"}, "description", "x\ufffd"),
    ],
)  # fmt: skip
def test_values_in_many_dresses(case: dict[str, Any], name: str, value: Any) -> None:
    assert one(**case)[name] == value


@pytest.mark.parametrize(
    "case",
    [
        {name: None for name in ("description", "severity", "automation", "is_flaky", "tags", "steps", "params", "custom_fields", "milestone")},
        {"description": " \n", "severity": "", "is_flaky": "no", "tags": [], "steps": [], "params": {}, "custom_fields": []},
        {"steps": [{}, {"action": ""}], "params": [], "milestone": "", "milestone_id": 0, "custom_fields": [{"title": "F", "value": None}]},
    ],
)  # fmt: skip
def test_what_is_empty_is_left_out(case: dict[str, Any]) -> None:
    assert one(**case) == {"title": "T"}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"is_muted": "yes"}, ("is_muted", "yes")),
        ({"steps": [{"expected_result": "x"}]}, ("without an action", "steps[0]")),
        ({"steps": [{"action": "x", "magic": 1}]}, ("magic", "steps")),
        ({"attachments": ["http://x/a.png"]}, ("attachments are only addresses", "a.png")),
        (
            {"steps": [{"action": "x", "attachments": [{"url": "http://x/b.png"}]}]},
            ("attachments are only addresses", "b.png"),
        ),
        ({"status": "weird"}, ("status", "weird")),
        ({"severity": 99}, ("severity", "99")),
        ({"automation": "maybe"}, ("automation", "maybe")),
        ({"milestone": 12}, ("milestone", "12")),
        ({"milestone": {"title": "R", "due_date": "soon"}}, ("due_date", "soon")),
        ({"params": [{"title": "p", "values": []}]}, ("parameters", "left out")),
        ({"params": [{"title": "p", "values": ["a"]}, {"title": "p", "values": ["b"]}]}, ("parameters", "twice")),
        ({"custom_fields": [{"title": "F", "value": "a"}, {"title": "F", "value": "b"}]}, ("two values", "F")),
        ({"steps": [{"shared_step_hash": HASH}]}, ("shared step", HASH)),
        ({"title": ""}, ("without a title",)),
    ],
)
def test_nothing_is_lost_in_silence(case: dict[str, Any], words: tuple[str, ...]) -> None:
    assert noted(of_cases({"id": 1, "title": "T", **case}), *words)


def test_a_key_that_stands_twice_is_noted() -> None:
    project = read(b'{"suites": [], "cases": [{"title": "a", "title": "b"}]}', code="SHOP")
    assert noted(project, "twice", "title") and attributes(project)["title"] == "b"


def test_milestones_of_the_file_are_found_by_id_and_title() -> None:
    milestones = [{"id": 3, "title": "R1", "description": "d", "status": "completed", "due_date": "2026-12-01"}]
    project = of_cases({"title": "A", "milestone_id": 3}, {"title": "B", "milestone": "R1"}, milestones=milestones)
    assert attributes(project, "milestone") == {
        "title": "R1",
        "description": "d",
        "status": "completed",
        "due_date": "2026-12-01",
    }
    assert attributes(project)["milestone"] == attributes(project, at=1)["milestone"] == "r1"


def test_words_of_the_workspace_go_to_the_seed_and_the_catalogue(tmp_path: Path) -> None:
    project = of_cases(
        {"title": "A", "severity": "P0 - Show stopper"},
        {"title": "B", "severity": "P0 – show stopper"},
        {"title": "C", "type": "Смоук"},
    )
    assert [attributes(project, at=n).get("severity") for n in (0, 1)] == ["p0-show-stopper", "p0-show-stopper-2"]
    severity = seed_of(project)["system_fields"]["severity"]
    assert severity[0] == {"id": 0, "slug": "undefined", "title": "undefined"}
    assert severity[-2:] == [
        {"id": 7, "slug": "p0-show-stopper", "title": "P0 - Show stopper"},
        {"id": 8, "slug": "p0-show-stopper-2", "title": "P0 – show stopper"},
    ]
    write_project(tmp_path / "out", project)
    assert errors(loaded(tmp_path / "out")) == []


# --- shared steps


def rows(*actions: str, hash: str = HASH) -> list[dict[str, Any]]:
    return [{"action": action, "shared_step_hash": hash} for action in actions]


def test_rows_of_one_hash_become_references() -> None:
    project = of_cases(
        {
            "title": "A",
            "steps": [{"action": "x"}, *rows("Open", "Log in", "Open", "Log in"), *rows("Other", hash="b" * 40)],
        },
        {"title": "B", "steps": rows("Open", "Log in")},
        {"title": "C", "steps": rows("Open", "Something else")},
        {"title": "D", "steps": rows("")},
    )
    assert attributes(project, "shared_step") == {"title": "Open", "steps": ["Open", "Log in"]}
    assert attributes(project)["steps"] == ["x", {"shared": "open"}, {"shared": "open"}, {"shared": "other"}]
    assert attributes(project, at=1)["steps"] == attributes(project, at=3)["steps"] == [{"shared": "open"}]
    assert attributes(project, at=2)["steps"] == ["Open", "Something else"]
    assert noted(project, "shared step", "copied")


def test_declared_shared_steps() -> None:
    declared = [
        {"hash": HASH, "title": "Sign in", "steps": [{"action": "Open", "expected_result": "Shown"}]},
        {"id": 7, "title": "Old", "action": "Do", "expected_result": "Done"},
        {"title": "Empty", "steps": []},
    ]
    steps = [{"shared": HASH}, {"shared_step": {"id": 7}}, {"shared_step": "gone"}]
    project = of_cases({"title": "A", "steps": steps}, shared_steps=declared)
    assert attributes(project, "shared_step") == {
        "title": "Sign in",
        "steps": [{"action": "Open", "expected": "Shown"}],
    }
    assert attributes(project, "shared_step", 1) == {"title": "Old", "steps": [{"action": "Do", "expected": "Done"}]}
    assert attributes(project)["steps"] == [{"shared": "sign-in"}, {"shared": "old"}, "Shared step gone"]
    assert noted(project, "without steps", "Empty") and noted(project, "does not hold", "gone")


# --- custom fields


def field(values: list[Any], title: str = "F", **more: Any) -> tuple[dict[str, Any], list[Any]]:
    """The seed's definition, and the values in YAML."""
    project = of_cases(
        *({"title": "T", "custom_fields": [{"title": title, "value": value, **more}]} for value in values)
    )
    written = [
        a.get("custom_fields", {}).get(title) for a in (o.attributes for o in project.objects if o.kind == "case")
    ]
    return seed_of(project)["custom_fields"][0], written


@pytest.mark.parametrize(
    ("values", "definition"),
    [
        (["a", "b", "c"], {"type": "string"}),
        (["a", "a", "a", "b", "b", "b"], {"type": "selectbox", "options": ["a", "b"]}),
        (["a ", "a ", "a "], {"type": "string"}),
        (["a", "A"] * 5, {"type": "string"}),
        (["x" * 101] * 9, {"type": "string"}),
        (["x" * 256], {"type": "text"}),
        (["a\nb"] * 9, {"type": "text"}),
        ([1, 2.5], {"type": "number"}),
        ([True, False], {"type": "checkbox"}),
        ([1, "a", True], {"type": "string"}),
        ([["a", "b"], "c"], {"type": "multiselect", "options": ["a", "b", "c"]}),
        ([str(n) for n in range(60)] * 3, {"type": "string"}),
        ([None, "", []], {"type": "string"}),
    ],
)
def test_types_are_inferred_from_the_values(values: list[Any], definition: dict[str, Any]) -> None:
    assert field(values)[0] == {"title": "F", **definition}


def test_values_are_written_as_their_type_has_them() -> None:
    assert field([1, 2.5])[1] == [1, 2.5]
    assert field([True, False])[1] == [True, False]
    assert field([1, "a", True])[1] == ["1", "a", "true"]
    assert field([["a", "b"], " c"])[1] == [["a", "b"], ["c"]]
    assert field(["  x\n"])[1] == ["  x\n"]


def test_types_that_the_file_tells_count() -> None:
    assert field(["a"] * 9, type="Text")[0]["type"] == "text"
    assert field(["a"], type="radio", options=["a", "b"])[0] == {
        "title": "F",
        "type": "selectbox",
        "options": ["a", "b"],
    }
    assert field([None], type="datetime")[0]["type"] == "datetime"


def test_people_become_members() -> None:
    assert field(["ada@example.com"] * 2, title="Owner")[0]["type"] == "user"
    assert field(["ada@example.com"] * 2, title="Customer")[0]["type"] == "string"
    project = of_cases(
        {
            "title": "A",
            "author": {"name": "Bob", "email": "bob@example.com"},
            "custom_fields": [{"title": "Owner", "value": "ada@example.com"}],
        }
    )
    assert seed_of(project)["users"] == [
        {"name": "Bob", "email": "bob@example.com"},
        {"name": "ada", "email": "ada@example.com"},
    ]


# --- anything

junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 50), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["title", "value", "values", "items", "1", "steps", "action", "shared"]), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
NAMES = [
    "title",
    "description",
    "severity",
    "automation",
    "is_flaky",
    "tags",
    "params",
    "steps",
    "steps_type",
    "custom_fields",
    "milestone",
    "attachments",
    "id",
    "odd",
]
texts = st.text(max_size=12)
good_case = st.fixed_dictionaries(
    {"title": texts},
    optional={
        "id": st.integers(1, 3),
        "description": texts,
        "severity": st.sampled_from(["normal", "Mine", "4", None]),
        "tags": st.lists(texts, max_size=3),
        "milestone": texts,
        "params": st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2),
        "steps": st.lists(st.fixed_dictionaries({"action": texts}, optional={"data": texts, "shared": texts, "steps": st.lists(st.fixed_dictionaries({"action": texts}), max_size=2)}), max_size=3),
        "custom_fields": st.lists(st.fixed_dictionaries({"title": texts, "value": st.one_of(texts, st.lists(texts, max_size=2), st.integers(), st.booleans())}), max_size=2),
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), junk, max_size=5), max_size=3),
    st.dictionaries(st.sampled_from(["suites", "cases", "milestones", "shared_steps", "title"]), junk, max_size=3),
)
def test_junk_gives_a_project_or_an_error_and_no_traceback(cases: list[Any], more: dict[str, Any]) -> None:
    try:
        seed_of(converted({"cases": cases, **more}))
    except QaseIacError as error:
        assert error.summary


@settings(max_examples=100, deadline=None)
@given(st.lists(good_case, min_size=1, max_size=4), st.lists(texts, max_size=4), st.sampled_from(LAYOUTS))
def test_what_is_well_shaped_gives_a_valid_folder(
    tmp_path_factory: pytest.TempPathFactory, cases: list[Any], suites: list[str], layout: Layout
) -> None:
    data = {"cases": cases, "suites": [{"title": title, "cases": cases[:1]} for title in suites]}
    folder = tmp_path_factory.mktemp("any") / "out"
    write_project(folder, converted(data), layout)
    found = loaded(folder)
    assert errors(found) == []
    load_seed(folder / "emulator-seed.yaml")
    assert len(found.desired.resources) >= len(cases) + 2 * len(suites)


# --- the real collection


@pytest.mark.skipif(not MATTERMOST.exists(), reason=f"{MATTERMOST} is not here")
def test_every_text_of_the_collection_arrives(tmp_path: Path) -> None:
    source = json.loads(lzma.decompress(MATTERMOST.read_bytes()))
    result = FORMATS["qase-json"](MATTERMOST, tmp_path / "out", None, "suite")
    assert result.objects == 370 + 5059
    assert result.notes == ("left out, the format has no `is_muted` for cases (5,059): no",)
    found = loaded(tmp_path / "out")
    assert errors(found) == []
    by_address = {str(address): resource.attributes for address, resource in found.desired.resources.items()}
    got = sorted(
        json.dumps(
            [
                _path(by_address, a["suite"]),
                a["title"],
                a.get("description", ""),
                a.get("preconditions", ""),
                a["steps"],
            ]
        )
        for address, a in by_address.items()
        if address.startswith("case.")
    )
    assert got == sorted(_texts(source["suites"], ()))


def _path(found: dict[str, Any], ref: Any) -> list[str]:
    suite = found[ref["address"]] if ref else None
    return [*_path(found, suite["parent"]), suite["title"]] if suite else []


def _texts(suites: list[Any], path: tuple[str, ...]) -> list[str]:
    lines = []
    for suite in suites:
        here = (*path, suite["title"])
        for c in suite["cases"]:
            lines.append(
                json.dumps([here, c["title"], c["description"] or "", c["preconditions"] or "", _steps(c["steps"])])
            )
        lines += _texts(suite["suites"], here)
    return lines


def _steps(steps: list[Any]) -> list[Any]:
    names = {"action": "action", "data": "data", "expected": "expected_result"}
    return [
        {ours: step[theirs] for ours, theirs in names.items() if step[theirs]}
        | ({"steps": _steps(step["steps"])} if step["steps"] else {})
        for step in steps
    ]
