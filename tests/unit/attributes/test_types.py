"""Each type of attribute: when two values are equal, what is sent, what is read, what it refers to."""

from __future__ import annotations

from typing import Any

import pytest

from qase_iac.attributes import Attribute, Decoding, ResolveError, Type
from qase_iac.attributes.base import UNSET
from qase_iac.attributes.custom_fields import CustomFields, CustomFieldValue, decode_custom_fields
from qase_iac.attributes.refs import attachment_hash
from qase_iac.attributes.text import canonical_instant
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, CustomField, Option

CASE = BY_NAME["case"]
SEVERITY = (
    Option(5, "undefined", "Not set", default=True),
    Option(7, "critical", "Showstopper"),
    Option(8, "critical-ish", "critical"),
)
TEAM = (Option(1, "Red", "Red"), Option(2, "Blue", "Blue"), Option(3, "blue", "blue"), Option(4, "Green", "Green"))
FIELDS = {
    "number": CustomField(1, "N", "number"), "text": CustomField(2, "T", "text"), "string": CustomField(3, "S", "string"),
    "selectbox": CustomField(4, "B", "selectbox", TEAM), "radio": CustomField(5, "R", "radio", TEAM),
    "checkbox": CustomField(6, "C", "checkbox"), "multiselect": CustomField(7, "M", "multiselect", TEAM),
    "url": CustomField(8, "U", "url"), "user": CustomField(9, "W", "user"), "datetime": CustomField(10, "D", "datetime"),
}  # fmt: skip
CATALOGUE = Catalogue({"severity": SEVERITY}, tuple(FIELDS.values()), members={"ann@x.io": 11, "Bob@x.io": 12})


def row(name: str, kind: str = "case") -> Attribute:
    return BY_NAME[kind].attribute(name)


def canon(name: str, value: Any, kind: str = "case") -> Any:
    return row(name, kind).type.canon(value)


def encode(name: str, value: Any, kind: str = "case", catalogue: Catalogue = CATALOGUE) -> dict[str, Any]:
    return row(name, kind).type.encode(value, row(name, kind), catalogue)


def decode(name: str, entity: dict[str, Any], kind: str = "case", context: Decoding | None = None) -> Any:
    return row(name, kind).type.decode(entity, row(name, kind), context or Decoding(CATALOGUE))


def resolve(name: str, value: Any, catalogue: Catalogue = CATALOGUE) -> Any:
    return row(name).type.resolve(value, row(name), catalogue)


def fails(code: str, name: str, value: Any, catalogue: Catalogue = CATALOGUE) -> ResolveError:
    with pytest.raises(ResolveError) as caught:
        resolve(name, value, catalogue)
    assert caught.value.code == code
    return caught.value


# -- canon -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("description", None, ""), ("description", " a\r\nb \n", "a\nb"), ("description", "a\rb", "a\rb"), ("gherkin", None, ""),
        ("tags", None, []), ("tags", ["b ", "a", "b"], ["a", "b"]),
        ("flaky", None, False), ("flaky", 1, True),
        ("attachments", None, []), ("attachments", ["b", "a"], ["b", "a"]),
        ("parameters", None, []), ("parameters", [{"b": ["2", "1"]}, {"a": ["1"]}], [{"a": ["1"]}, {"b": ["2", "1"]}]),
        ("steps", None, []),
        ("steps", [{"action": " a\r\n", "data": " ", "expected": "e", "attachments": [], "steps": [{"action": "n "}]}],
         [{"action": "a", "expected": "e", "steps": [{"action": "n"}]}]),
        ("steps", [{"shared": "h"}, {"action": "a", "attachments": ["f"], "steps": []}], [{"shared": "h"}, {"action": "a", "attachments": ["f"]}]),
        ("severity", "critical", "critical"), ("suite", None, None), ("suite", 7, 7),
        ("custom_fields.X", "", None), ("custom_fields.X", " a ", "a"), ("custom_fields.X", [], None),
        ("custom_fields.X", ["b", "a"], ["a", "b"]), ("custom_fields.X", 3, 3), ("custom_fields.X", False, False),
    ],
)  # fmt: skip
def test_canon(name: str, value: Any, expected: Any) -> None:
    assert canon(name, value) == expected and canon(name, canon(name, value)) == expected


def test_members_are_a_set() -> None:
    new = {"known_after_apply": "case.x"}
    assert canon("cases", [10, 9, new], "plan") == canon("cases", [new, 9, 10], "plan")
    assert canon("cases", None, "plan") == []


# -- resolve -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("severity", "critical", "critical"),  # the slug of one wins over the title of another
        ("severity", "SHOWSTOPPER", "critical"), ("severity", None, "undefined"),
        ("priority", None, None), ("priority", "high", "high"),
        ("automation", None, "manual"), ("automation", "automated", "automated"),
        ("flaky", None, False), ("description", None, None),
        ("custom_fields.N", "1.0", 1), ("custom_fields.N", "-2", -2), ("custom_fields.N", "0.5", 0.5), ("custom_fields.N", "1e3", 1000),
        ("custom_fields.T", "no", "no"), ("custom_fields.T", ["one"], "one"), ("custom_fields.T", None, None), ("custom_fields.T", "", None),
        ("custom_fields.B", "Blue", "Blue"), ("custom_fields.B", "blue", "blue"), ("custom_fields.B", " RED ", "Red"),
        ("custom_fields.M", ["Red", "red", "Green"], ["Green", "Red"]), ("custom_fields.M", "Red", ["Red"]), ("custom_fields.M", [], None),
        ("custom_fields.C", "true", True), ("custom_fields.C", "false", False), ("custom_fields.C", None, False),
        ("custom_fields.D", "2026-12-01", "2026-12-01"), ("custom_fields.D", "2026-12-01T02:00:00+02:00", "2026-12-01"),
        ("custom_fields.W", "ann@x.io", "ann@x.io"), ("custom_fields.W", " bob@X.io", "Bob@x.io"),
    ],
)  # fmt: skip
def test_resolve(name: str, value: Any, expected: Any) -> None:
    found = resolve(name, value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("unknown-word", "severity", "blocker"), ("unknown-word", "priority", "nope"),
        ("unknown-custom-field", "custom_fields.None", "x"),
        ("wrong-type", "custom_fields.N", "ten"), ("wrong-type", "custom_fields.N", "1_000"), ("wrong-type", "custom_fields.N", "inf"),
        ("wrong-type", "custom_fields.N", "nan"), ("wrong-type", "custom_fields.C", "yes"), ("wrong-type", "custom_fields.B", ["Red", "Blue"]),
        ("unknown-option", "custom_fields.B", "Pink"), ("ambiguous-option", "custom_fields.R", "BLUE"),
        ("bad-date", "custom_fields.D", "tomorrow"), ("unknown-member", "custom_fields.W", "eve@x.io"),
    ],
)  # fmt: skip
def test_words_that_the_workspace_does_not_have(code: str, name: str, value: Any) -> None:
    assert fails(code, name, value).summary.endswith(".")


def test_words_offline() -> None:
    offline = Catalogue(live=False)
    assert resolve("severity", "blocked", offline) == "blocker"  # the spelling of 2020
    assert resolve("severity", None, offline) is None
    assert "validate --online --remember" in fails("unknown-word", "severity", "nope", offline).detail
    assert resolve("custom_fields.Anything", ["a"], offline) == ["a"]


def test_old_spellings_are_understood_by_a_live_workspace_too() -> None:
    catalogue = Catalogue({"severity": (Option(1, "blocker", "Blocker"),)})
    assert resolve("severity", "blocked", catalogue) == "blocker"
    assert resolve("severity", None, Catalogue({"severity": ()})) is None


def test_custom_fields_of_one_title() -> None:
    twice = Catalogue(custom_fields=(CustomField(1, "T", "text"), CustomField(2, "T", "text")))
    assert "ids [1, 2]" in fails("ambiguous-custom-field", "custom_fields.T", "x", twice).summary


def test_members_that_were_not_read_are_taken_as_written() -> None:
    assert resolve("custom_fields.W", "eve@x.io", Catalogue(custom_fields=(FIELDS["user"],))) == "eve@x.io"


def test_many_options_are_not_all_listed() -> None:
    options = tuple(Option(i, f"o{i}", f"o{i}") for i in range(20))
    catalogue = Catalogue(custom_fields=(CustomField(1, "B", "selectbox", options),))
    assert fails("unknown-option", "custom_fields.B", "x", catalogue).detail.endswith("o11 ….")


# -- encode ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("title", "T", {"title": "T"}), ("description", None, {"description": ""}), ("description", "a\r\n", {"description": "a\r\n"}),
        ("suite", 7, {"suite_id": 7}), ("suite", None, {"suite_id": None}), ("milestone", None, {"milestone_id": None}),
        ("severity", "critical", {"severity": 7}), ("severity", None, {"severity": 5}), ("flaky", True, {"is_flaky": 1}), ("flaky", None, {"is_flaky": 0}),
        ("automation", "manual", {"isManual": True, "isToBeAutomated": False}),
        ("automation", "to-be-automated", {"isManual": True, "isToBeAutomated": True}),
        ("automation", "automated", {"isManual": False, "isToBeAutomated": False}),
        ("tags", None, {"tags": []}), ("attachments", ["h"], {"attachments": ["h"]}), ("attachments", None, {"attachments": []}),
        ("parameters", None, {"parameters": []}),
        ("parameters", [{"a": ["1"]}, {"b": ["1", "2"], "c": ["3", "4"]}, {"shared": "u"}, {"shared": ["a list is a name"]}],
         {"parameters": [{"title": "a", "values": ["1"]}, {"items": [{"title": "b", "values": ["1", "2"]}, {"title": "c", "values": ["3", "4"]}]},
                         {"shared_id": "u"}, {"title": "shared", "values": ["a list is a name"]}]}),
        ("steps", None, {"steps_type": "classic", "steps": []}),
        ("steps", [{"shared": "h"}, {"action": "a", "expected": "e", "data": None, "attachments": ["f"], "steps": [{"action": "n"}]}],
         {"steps_type": "classic", "steps": [{"shared": "h"}, {"action": "a", "expected_result": "e", "attachments": ["f"], "steps": [{"action": "n"}]}]}),
        ("gherkin", "Given", {"steps_type": "gherkin", "steps": [{"value": "Given"}]}), ("gherkin", " ", {"steps_type": "gherkin", "steps": []}),
        ("custom_fields.N", 2, {"custom_field": {"1": "2"}}), ("custom_fields.T", "x", {"custom_field": {"2": "x"}}),
        ("custom_fields.T", None, {"custom_field": {"2": ""}}), ("custom_fields.B", "Blue", {"custom_field": {"4": "2"}}),
        ("custom_fields.M", ["Green", "Red"], {"custom_field": {"7": "4,1"}}), ("custom_fields.M", [], {"custom_field": {"7": ""}}),
        ("custom_fields.C", True, {"custom_field": {"6": "1"}}), ("custom_fields.C", False, {"custom_field": {"6": ""}}),
        ("custom_fields.W", "ann@x.io", {"custom_field": {"9": "11"}}), ("custom_fields.N", 0, {"custom_field": {"1": "0"}}),
    ],
)  # fmt: skip
def test_encode(name: str, value: Any, expected: dict[str, Any]) -> None:
    assert encode(name, value) == expected


def test_encode_of_other_kinds() -> None:
    assert encode("steps", [{"action": "a"}], "shared_step") == {"steps": [{"action": "a"}]}
    assert encode("due_date", "2026-12-01", "milestone") == {"due_date": 1796083200}
    assert encode("due_date", None, "milestone") == {"due_date": None}
    assert encode("status", "active", "milestone") == {"status": "active"}
    assert encode("cases", [1, 2], "plan") == {"cases": [1, 2]}
    assert encode("description", None, "plan") == {"description": None}
    assert encode("parent", 3, "suite") == {"parent_id": 3}


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(ResolveError):
        encode("severity", "gone")
    with pytest.raises(ResolveError):
        encode("custom_fields.Gone", "x")
    with pytest.raises(KeyError):
        encode("custom_fields.B", "gone")


# -- decode ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "entity", "expected"),
    [
        ("description", {}, UNSET), ("description", {"description": None}, None), ("suite", {}, UNSET), ("suite", {"suite_id": None}, None),
        ("suite", {"suite_id": "7"}, 7), ("suite", {"suite_id": 7}, 7),
        ("severity", {}, UNSET), ("severity", {"severity": None}, UNSET), ("severity", {"severity": 7}, "critical"), ("severity", {"severity": "7"}, "critical"),
        ("severity", {"severity": "critical"}, "critical"), ("severity", {"severity": 99}, "#99"), ("severity", {"severity": "Showstopper"}, "critical"),
        ("flaky", {}, UNSET), ("flaky", {"is_flaky": 1}, True), ("flaky", {"is_flaky": 0}, False), ("flaky", {"is_flaky": True}, True), ("flaky", {"is_flaky": "yes"}, True),
        ("automation", {}, UNSET), ("automation", {"isManual": True, "isToBeAutomated": True}, "to-be-automated"), ("automation", {"isManual": 1}, "manual"),
        ("automation", {"isManual": "0"}, "automated"), ("automation", {"automation": 2}, "automated"), ("automation", {"automation": "is-not-automated"}, "manual"),
        ("automation", {"automation": "to-be-automated"}, "to-be-automated"), ("automation", {"automation": None, "is_automated": True}, "automated"), ("automation", {"is_automated": 0}, "manual"),
        ("tags", {}, UNSET), ("tags", {"tags": None}, []), ("tags", {"tags": [{"title": "b"}, "a", {"title": "b"}]}, ["a", "b"]),
        ("parameters", {}, UNSET), ("parameters", {"parameters": None}, []), ("parameters", {"params": []}, []), ("parameters", {"params": {"a": [1, "2"]}}, [{"a": ["1", "2"]}]),
        ("parameters", {"parameters": [{"shared_id": "u"}, {"item": {"title": "a", "values": [1]}}, {"title": "b"}, {"items": [{"title": "c", "values": ["1"]}, {"title": "d", "values": ["2"]}]}]},
         [{"shared": "u"}, {"a": ["1"]}, {"b": []}, {"c": ["1"], "d": ["2"]}]),
        ("attachments", {}, UNSET), ("attachments", {"attachments": None}, []),
        ("steps", {"steps_type": "gherkin", "steps": []}, UNSET), ("steps", {}, UNSET), ("steps", {"steps": None}, []),
        ("steps", {"steps": [{"action": "a", "expected_result": "e", "data": "", "steps": [{"action": "n"}]}]}, [{"action": "a", "expected": "e", "steps": [{"action": "n"}]}]),
        ("gherkin", {"steps_type": "classic"}, UNSET), ("gherkin", {"steps_type": "gherkin", "steps": [{"action": "Given"}, {"value": "When"}, {}]}, "Given\nWhen"),
        ("gherkin", {"steps_type": "gherkin", "steps": None}, ""),
    ],
)  # fmt: skip
def test_decode(name: str, entity: dict[str, Any], expected: Any) -> None:
    assert decode(name, entity) == expected


def test_decode_of_other_kinds() -> None:
    assert decode("steps", {"action": "a", "data": "d", "expected_result": None}, "shared_step") == [
        {"action": "a", "data": "d"}
    ]
    assert decode("cases", {"cases": [{"case_id": "3", "assignee_id": None}, 4]}, "plan") == [3, 4]
    assert decode("cases", {}, "plan") is UNSET and decode("cases", {"cases": None}, "plan") is UNSET
    assert decode("due_date", {}, "milestone") is UNSET and decode("due_date", {"due_date": ""}, "milestone") is None
    assert decode("due_date", {"due_date": 1796083200}, "milestone") == "2026-12-01"
    assert decode("due_date", {"due_date": "2026-12-01T03:30:00+03:00"}, "milestone") == "2026-12-01T00:30:00Z"
    with pytest.raises(TypeError):
        decode("suite", {"suite_id": [7]})
    with pytest.raises(TypeError):
        decode("suite", {"suite_id": True})


def custom(*served: tuple[int, Any]) -> dict[str, Any]:
    found = decode_custom_fields(
        {"custom_fields": [{"id": id, "value": value} for id, value in served]}, Decoding(CATALOGUE)
    )
    return {name.removeprefix("custom_fields."): value for name, value in found.items()}


def test_custom_fields_without_a_value_are_known_to_be_clear() -> None:
    assert decode_custom_fields({}, Decoding(CATALOGUE)) == {}
    assert custom((1, None), (4, "")) == {name: None for name in "NTSBRMUWD"} | {"C": False}


@pytest.mark.parametrize(
    ("id", "values", "name", "expected"),
    [
        (1, ["5.0"], "N", 5), (1, ["x"], "N", "x"), (2, ["5.0"], "T", "5.0"), (4, ["2"], "B", "Blue"), (4, ["99"], "B", "#99"),
        (5, [4], "R", "Green"), (6, ["1"], "C", True), (6, ["0"], "C", False), (6, ["False"], "C", False),
        (7, ["4,1"], "M", ["Green", "Red"]), (7, ["4", "1", "1"], "M", ["Green", "Red"]), (7, ["4, ,77"], "M", ["#77", "Green"]),
        (9, ["12"], "W", "Bob@x.io"), (9, ["13"], "W", "#13"), (10, ["2026-12-01 10:00:00"], "D", "2026-12-01T10:00:00Z"), (10, ["soon"], "D", "soon"),
    ],
)  # fmt: skip
def test_custom_fields(id: int, values: list[Any], name: str, expected: Any) -> None:
    assert custom(*((id, value) for value in values), (555, "a field that is gone"))[name] == expected


def test_files_are_noted() -> None:
    context = Decoding(CATALOGUE)
    hash = "a" * 40
    items = [
        {"hash": "h1", "filename": "a.png", "size": 3, "url": "u"},
        {"file": "b.png", "full_path": f"https://x/attachment/{hash}/b.png"},
        "h2",
        {"url": "https://elsewhere/c.png"},
        {"filename": "d.png"},
    ]
    assert decode("attachments", {"attachments": items}, context=context) == [
        "h1",
        hash,
        "h2",
        "https://elsewhere/c.png",
        "d.png",
    ]
    assert context.files["h1"] == {"name": "a.png", "size": 3, "url": "u"} and context.files[hash]["name"] == "b.png"
    steps = decode(
        "steps", {"steps": [{"action": "a", "attachments": [{"hash": "h9", "filename": "z"}]}]}, context=context
    )
    assert steps == [{"action": "a", "attachments": ["h9"]}] and "h9" in context.files


@pytest.mark.parametrize(
    "path", ["/attachment/SHOP/{}/x.png", "/attachments/{}", "/public/attachment/{}.png", "/attachment/{}?v=1"]
)
def test_hash_in_a_url(path: str) -> None:
    assert attachment_hash({"url": "https://cdn" + path.format("b" * 40)}) == "b" * 40


# -- shared steps in cases: rows fold into references ---------------------------------------------------------------------

H, G = "1" * 40, "2" * 40


def fold(rows: list[Any], **known: list[str]) -> tuple[list[Any], set[str]]:
    context = Decoding(CATALOGUE, shared_rows={{"H": H, "G": G}[name]: actions for name, actions in known.items()})
    served = [
        {"action": r}
        if isinstance(r, str)
        else {"action": r[1], "shared_step_hash": r[0]} | ({"shared_step_nested_hash": "x"} if len(r) > 2 else {})
        for r in rows
    ]
    return decode("steps", {"steps": served}, context=context), context.unknown_shared


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(H, "a"), (H, "b")], [{"shared": H}]),
        ([(H, "a"), (H, "b"), (H, "a"), (H, "b")], [{"shared": H}, {"shared": H}]),
        (["x", (H, "a"), (H, "b"), "y"], [{"action": "x"}, {"shared": H}, {"action": "y"}]),
        ([(H, "a"), (H, "b"), (G, "g")], [{"shared": H}, {"shared": G}]),
        ([(H, "a "), (H, "b")], [{"shared": H}]),
        ([(H, "a"), (H, "n", True), (H, "b"), (H, "a"), (H, "b")], [{"shared": H}, {"shared": H}]),
        ([(H, "edited"), (H, "b")], [{"shared": H}, {"shared": H}]),  # no longer its rows: nothing is folded over
        ([(H, "a")], [{"shared": H}]),
        ([(H, "other"), (H, "n", True)], [{"shared": H}]),
    ],
)  # fmt: skip
def test_rows_of_known_shared_steps(rows: list[Any], expected: list[Any]) -> None:
    assert fold(rows, H=["a", "b"], G=["g"]) == (expected, set())


def test_rows_of_unknown_shared_steps() -> None:
    assert fold([(H, "a")]) == ([{"shared": H}], set())
    assert fold([(H, "a"), (H, "b"), "x"]) == ([{"shared": H}, {"action": "x"}], {H})
    assert fold([(H, "a")], H=[]) == ([{"shared": H}], set())


# -- references ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        ("case", "suite", 7, [("suite", 7)]), ("case", "suite", None, []), ("case", "milestone", {"address": "milestone.m"}, [("milestone", {"address": "milestone.m"})]),
        ("plan", "cases", [1, 2], [("case", 1), ("case", 2)]), ("plan", "cases", None, []), ("case", "attachments", ["h"], [("attachment", "h")]), ("case", "attachments", None, []),
        ("case", "parameters", [{"a": ["1"]}, {"shared": "u"}, {"shared": ["x"]}, {"shared": ["a"], "b": ["c"]}], [("shared_parameter", "u")]), ("case", "parameters", None, []),
        ("case", "steps", [{"shared": "h"}, {"action": "a", "attachments": ["f"], "steps": [{"action": "n", "attachments": ["g"]}]}],
         [("shared_step", "h"), ("attachment", "f"), ("attachment", "g")]), ("case", "steps", None, []),
        ("case", "title", "x", []), ("case", "severity", "x", []),
    ],
)  # fmt: skip
def test_refs_and_rebind(kind: str, name: str, value: Any, expected: list[Any]) -> None:
    type = row(name, kind).type
    assert list(type.refs(value)) == expected
    seen: list[Any] = []

    def visit(to: str, ref: Any) -> Any:
        seen.append((to, ref))
        return ref

    again = type.rebind(value, visit)
    assert seen == expected and type.canon(again) == type.canon(value)
    swapped = type.rebind(value, lambda to, ref: f"{to}!")
    assert list(type.refs(swapped)) == [(to, f"{to}!") for to, _ in expected]


def test_rebind_changes_nothing_in_place() -> None:
    value = [{"action": "a", "attachments": ["f"], "steps": [{"action": "n", "attachments": ["g"]}]}, {"shared": "h"}]
    copy = [{"action": "a", "attachments": ["f"], "steps": [{"action": "n", "attachments": ["g"]}]}, {"shared": "h"}]
    row("steps").type.rebind(value, lambda to, ref: "changed")
    assert value == copy


# -- dates ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01", "2026-12-01"), (" 2026-12-01t10:00 ", "2026-12-01T10:00:00Z"), ("2026-12-01 10:00:00.5", "2026-12-01T10:00:00Z"),
        ("2026-12-01T00:00:00Z", "2026-12-01"), ("2026-12-01T23:00:00-05:00", "2026-12-02T04:00:00Z"),
    ],
)  # fmt: skip
def test_instants(text: str, expected: str) -> None:
    assert canonical_instant(text) == expected == canonical_instant(expected)


@pytest.mark.parametrize("text", ["20261201", "2026-13-01", "tomorrow", ""])
def test_no_instants(text: str) -> None:
    with pytest.raises(ValueError):
        canonical_instant(text)


# -- the language itself ---------------------------------------------------------------------------------------------------


def test_a_type_says_nothing_by_itself() -> None:
    plain = Type()
    made = Attribute("a", plain, "", read="r", write="w")
    assert (made.reads, made.writes, Attribute("a", plain, "").reads) == ("r", "w", "a")
    assert plain.canon([1]) == [1] and list(plain.refs(1)) == [] and plain.rebind(1, lambda to, ref: 2) == 1
    assert plain.encode(1, made, CATALOGUE) == {"w": 1} and plain.decode({"r": 3}, made, Decoding(CATALOGUE)) == 3
    assert plain.resolve(1, made, CATALOGUE) == 1 and plain.decode({}, made, Decoding(CATALOGUE)) is UNSET
    assert repr(UNSET) == "UNSET"
    for part in (lambda: plain.takes, lambda: plain.schema(), lambda: plain.parse(None, made, None)):  # type: ignore[arg-type]
        with pytest.raises(NotImplementedError):
            part()


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=lambda kind: kind.name)
def test_every_row_says_what_it_takes(kind: Any) -> None:
    for each in kind.attributes:
        assert each.type.takes and each.doc.endswith(".") and each.type.schema(), each.name
    assert CustomFieldValue("X").takes and CustomFields().takes
