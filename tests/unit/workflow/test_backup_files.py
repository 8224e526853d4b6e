"""What a backup's YAML says, and where it stands, for every place that an object may have had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from e2e_kit import Folder, sections

import qase_iac.convert.backup as backup
from qase_iac.convert.backup import Kept, Surroundings, content_files
from qase_iac.model import Catalogue, LiveObject
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Origin, Reason
from qase_iac.workflow.backing import takes_away

EMPTY = Catalogue()
RUN = "20261123T000000Z-1a2b3c4d"
ROOT = f"deleted/restored-{RUN}.yaml"


def kept(address: str, id: Any, action: Action = Action.DELETE, changes: str = "", **attributes: Any) -> Kept:
    """`changes` names the attributes that the run meant to change."""
    named = {name: AttributeChange(None, None, Origin.OURS) for name in changes.split()}
    change = Change(address, action, id, Reason.UNDECLARED, attributes=named)
    return Kept(change, LiveObject(change.kind, id, {"title": address, **attributes}))


def written(*objects: Kept, **around: Any) -> tuple[dict[str, Any], list[str]]:
    """File -> content, and the notes."""
    keys: dict[str, dict[Any, str]] = around.pop("keys", {})
    for each in objects:
        keys.setdefault(each.change.kind, {})[each.live.id] = each.change.key
    texts, notes = content_files(objects, Surroundings(EMPTY, keys, **around), RUN)
    return {name: yaml.safe_load(text) for name, text in texts.items()}, notes


# -- attributes


def test_a_deleted_case_names_its_suite_wherever_its_file_will_stand() -> None:
    keys = {"suite": {1: "a/b"}}
    files, _ = written(kept("case.x", 7, suite=1), kept("case.y", 8, suite=None), kept("case.z", 9, suite=5), keys=keys)
    cases = files[ROOT]["cases"]
    assert [cases[key]["suite"] for key in "xyz"] == ["a/b", None, {"external_id": 5}]


def test_what_defaults_would_fill_in_is_said_to_be_empty() -> None:
    case = kept("case.x", 7, tags=[], description="text", priority="high", **{"custom_fields.Owner": None})
    defaults = ("tags", "description", "priority", "custom_fields.Owner")
    files, _ = written(case, defaults={"case": defaults})
    assert files[ROOT]["cases"]["x"] == {
        "title": "case.x", "description": "text", "suite": None, "priority": "high", "tags": None,
        "custom_fields": {"Owner": None},
    }  # fmt: skip
    files, _ = written(case)
    assert "tags" not in files[ROOT]["cases"]["x"] and "custom_fields" not in files[ROOT]["cases"]["x"]


def test_an_overwritten_attribute_that_was_empty_is_null() -> None:
    case = kept("case.x", 7, Action.UPDATE, "tags description title", tags=[], description=None)
    files, _ = written(case)
    assert files["overwritten.yaml"]["cases"]["x"] == {"title": "case.x", "description": None, "tags": None}


def test_of_two_that_exclude_each_other_only_one_is_said() -> None:
    one = kept("case.x", 7, Action.UPDATE, "steps gherkin", steps=[{"action": "Go"}], gherkin=None)
    two = kept("case.y", 8, Action.UPDATE, "steps gherkin", steps=[], gherkin=None)
    cases = written(one, two)[0]["overwritten.yaml"]["cases"]
    assert cases["x"] == {"title": "case.x", "steps": ["Go"]}
    assert cases["y"] == {"title": "case.y", "steps": None}


def test_what_the_yaml_cannot_say_is_noted() -> None:
    _, notes = written(kept("case.x", 7, attachments=["0" * 40]))
    assert notes == [
        f"attachments without an address to get them from, left alone (1): {'0' * 40}",
        "not exported, a file cannot be had: attachments of cases (1): case 7",
    ]


def test_objects_stand_in_the_order_in_which_they_were_made() -> None:
    files, _ = written(kept("case.b", 9), kept("milestone.m", 3), kept("case.a", 2))
    assert list(files[ROOT]) == ["milestones", "cases"] and list(files[ROOT]["cases"]) == ["a", "b"]


# -- suites


def suite(key: str, id: int, parent: int | None = None) -> Kept:
    return kept(f"suite.{key}", id, parent=parent)


def bare(content: Any) -> Any:
    """Without titles: keys alone."""
    return {key: bare(value.get("suites", {})) for key, value in content.items()}


def test_a_suite_stands_in_the_folder_of_its_parent() -> None:
    keys = {"suite": {1: "web/shop", 2: "root"}}
    folders = {"web/shop": "web/shop-front", "root": ""}
    files, notes = written(suite("web/shop/old", 3, 1), suite("root/x", 4, 2), keys=keys, folders=folders)
    assert bare(files[f"deleted/web/shop-front/restored-{RUN}.yaml"]["suites"]) == {"old": {}}
    assert bare(files[ROOT]["suites"]) == {"x": {}}
    assert notes == []


def test_suites_that_went_together_stand_in_each_other_whatever_their_order() -> None:
    files, notes = written(suite("a/b/c", 1, 2), suite("a/b", 2, 3), suite("a", 3), suite("a/d", 4, 3))
    assert bare(files[ROOT]["suites"]) == {"a": {"b": {"c": {}}, "d": {}}}
    assert list(files[ROOT]["suites"]["a"]) == ["title", "suites"]
    assert notes == []


def test_below_an_entry_of_a_section_it_is_for_pasting() -> None:
    files, _ = written(suite("a/b/c", 3, 2), suite("a/x", 4, 1), keys={"suite": {1: "a", 2: "a/b"}})
    assert bare(files["paste.yaml"]["suites"]) == {"a": {"b": {"c": {}}, "x": {}}}
    assert files["paste.yaml"]["suites"]["a"].keys() == {"suites"}


def test_a_suite_that_lay_elsewhere_in_qase_comes_back_where_it_lay_and_its_cases_with_it() -> None:
    keys = {"suite": {1: "a", 2: "b"}}
    files, notes = written(suite("a/x", 3, 2), kept("case.c", 4, suite=3), keys=keys, folders={"b": "b"})
    assert bare(files[f"deleted/b/restored-{RUN}.yaml"]["suites"]) == {"x": {}}
    assert files[ROOT]["cases"]["c"]["suite"] == "b/x"
    assert notes == ["under a key that says where it lay (1): suite.a/x is now suite.b/x"]


def test_two_that_would_get_one_key_get_two() -> None:
    files, _ = written(suite("x", 3), suite("a/x", 4, None))
    assert bare(files[ROOT]["suites"]) == {"x": {}, "x-4": {}}


def test_one_that_lay_in_a_suite_of_nobody_comes_back_at_the_top() -> None:
    files, notes = written(suite("a/x", 3, 99))
    assert bare(files[ROOT]["suites"]) == {"x": {}}
    assert notes == ["at the top, for want of the suite that it lay in: suites (1): suite.a/x"]


def test_where_the_project_folder_is_a_suite_a_suite_beside_it_is_for_pasting() -> None:
    files, _ = written(suite("x", 3), folders={"root": ""})
    assert bare(files["paste.yaml"]["suites"]) == {"x": {}}


def test_suites_shown_as_a_ring_end() -> None:
    files, _ = written(suite("a", 1, 2), suite("b", 2, 1))
    assert sum(len(content["suites"]) for content in files.values()) == 1


def test_an_overwritten_suite_stands_under_its_whole_key() -> None:
    files, _ = written(kept("suite.a/b", 3, Action.UPDATE, "description", parent=1, description=None))
    assert files["overwritten.yaml"] == {
        "suites": {"a": {"suites": {"b": {"title": "suite.a/b", "description": None}}}}
    }


# -- files


def test_long_ones_are_split_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "MAX_PART", 300)
    texts = [f"line {at}\n\n\n" * 9 for at in range(7)]  # such a block keeps its last lines
    objects = [kept(f"case.c{at}", at, description=text) for at, text in enumerate(texts, 1)]
    files, _ = written(*objects, kept("milestone.m", 1))
    assert len(files) > 3 and list(files)[:2] == [ROOT, f"deleted/restored-{RUN}_002.yaml"]
    found = {key: row["description"] for content in files.values() for key, row in content.get("cases", {}).items()}
    assert list(found.values()) == texts


def test_a_lone_surrogate_stops_nothing() -> None:
    files, _ = written(kept("milestone.m", 1, description="\ud800"))
    assert files[ROOT]["milestones"]["m"]["description"] == "\ufffd"


# -- what counts


OURS = {"title": AttributeChange("a", "b", Origin.OURS)}
BOTH = {"title": AttributeChange("a", "b", Origin.BOTH)}


@pytest.mark.parametrize(
    ("action", "id", "attributes", "expected"),
    [
        (Action.DELETE, 1, {}, True),
        (Action.UPDATE, 1, OURS, True),
        (Action.MOVE, 1, OURS, True),
        (Action.ADOPT, 1, OURS, True),
        (Action.UPDATE, 1, BOTH, False),
        (Action.ADOPT, 1, {}, False),
        (Action.FORGET, 1, {}, False),
        (Action.NO_OP, 1, {}, False),
        (Action.CREATE, None, OURS, False),
    ],
)
def test_what_takes_something_away(action: Action, id: Any, attributes: Any, expected: bool) -> None:
    assert takes_away(Change("case.x", action, id, Reason.NEW, attributes=attributes)) is expected


def test_what_the_run_lets_go_of_is_referred_to_by_its_id(folder: Callable[..., Folder]) -> None:
    """And what it renames by the new key: the YAML has to hold when the run is over."""
    content = {
        "milestones": {"m": {"title": "M"}, "n": {"title": "N"}},
        "cases": {"a": {"title": "A", "milestone": "m"}, "b": {"title": "B", "milestone": "n"}},
    }
    shop = folder({"all.yaml": sections(**content)}, policy={"max_delete_share": 1}).applied()
    ids = {key: shop.id_of(f"milestone.{key}") for key in "mn"}
    content = {
        "milestones": {"new": {"title": "N"}},
        "moved": [{"from": "milestone.n", "to": "milestone.new"}],
        "removed": ["milestone.m"],
        "cases": {"c": {"title": "C"}},
    }  # type: ignore[dict-item]
    report = shop.write({"all.yaml": sections(**content)}).apply().report
    assert report is not None and report.backup
    (path,) = (shop.root / report.backup / "deleted").glob("*.yaml")
    cases = yaml.safe_load(path.read_text())["cases"]
    assert (cases["a"]["milestone"], cases["b"]["milestone"]) == ({"external_id": ids["m"]}, "new")


def test_blocked_ones_take_nothing_away() -> None:
    change = Change("case.x", Action.UPDATE, 1, Reason.NEW, attributes=OURS, blocked=Blocked("c", "r"))
    assert takes_away(change) is False
