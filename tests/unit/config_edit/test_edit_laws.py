"""Random edits of random messy files: what was asked comes out, and no line but those of the changed attributes moves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import messy
import pytest
import yaml
from edit_kit import STOCK, fill, loaded, settings_of
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from qase_iac.config.edit import Add, Draft, Edit, Move, Remove, Set, Unset, edit_files, write
from qase_iac.config.edit.content import canonical, same
from qase_iac.config.loader import load
from qase_iac.diagnostics import has_errors
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired
from qase_iac.values import Address

SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)
NAME = "cases.yaml"


@st.composite
def edits_of(draw: Any, desired: Desired) -> list[Edit]:
    """Some edits, at most one of each attribute."""
    cases = [address for address in desired.resources if address.kind == "case"]
    found: list[Edit] = []
    for address in draw(st.lists(st.sampled_from(cases), min_size=1, max_size=3, unique=True)):
        if draw(st.integers(0, 7)) == 0 and len(cases) > len([e for e in found if isinstance(e, Remove)]) + 1:
            found.append(Remove(address))
            continue
        own = desired.resources[address].attributes
        for name in draw(st.lists(st.sampled_from([*messy.values]), min_size=1, max_size=3, unique=True)):
            if name in own and name != "title" and draw(st.integers(0, 4)) == 0:
                found.append(Unset(address, name))
            elif name == "steps" and own.get("steps") and draw(st.booleans()):
                found.append(Set(address, name, draw(changed_steps(own["steps"]))))
            else:
                found.append(Set(address, name, draw(messy.values[name])))
    if draw(st.integers(0, 3)) == 0:
        place = "s" if Address("suite", "s") in desired.resources and draw(st.booleans()) else None
        found.append(Add(Address("case", "new"), draw(messy.attributes()), place))
    return found


@st.composite
def changed_steps(draw: Any, old: list[Any]) -> list[Any]:
    """Steps with one or two of them edited, moved, put in or taken out."""
    new = [dict(step) for step in old]
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(new) - 1)) if new else 0
        match draw(st.sampled_from(["edit", "part", "move", "insert", "remove"])):
            case "edit" if new:
                new[at] = {**new[at], "action": draw(messy.titles)}
            case "part" if new:
                new[at] = {**new[at], "expected": draw(messy.texts)}
            case "move" if new:
                new.insert(draw(st.integers(0, len(new) - 1)), new.pop(at))
            case "remove" if len(new) > 1:
                del new[at]
            case _:
                new.insert(at, {"action": draw(messy.titles)})
    return new


def check(data: Any, anchors: bool) -> None:
    before = data.draw(messy.files(anchors))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, {NAME: before})
        found = load(settings_of(root), offline=STOCK)
        assume(not has_errors(found.diagnostics))
        edits = data.draw(edits_of(found.desired))
        result = edit_files(settings_of(root), STOCK, found.desired, edits)
        assert not result.failed, [str(each) for each in result.failed]
        write(root, result.files)
        now = loaded(root).desired
        after = (root / NAME).read_bytes()
    as_asked(found.desired, now, edits)
    if not anchors:
        only_the_lines(before, after, edits)


def as_asked(old: Desired, now: Desired, edits: list[Edit]) -> None:
    gone = {each.address for each in edits if isinstance(each, Remove)}
    new = {each.address for each in edits if isinstance(each, Add)}
    assert now.resources.keys() == (old.resources.keys() | new) - gone
    moved = {each.address for each in edits if isinstance(each, Move)}
    asked = {(each.address, each.name): each for each in edits if isinstance(each, Set | Unset)}
    kind = BY_NAME["case"]
    for address, resource in now.resources.items():
        before = old.resources[address].attributes if address in old.resources else {}
        for name in before.keys() | resource.attributes.keys():
            edit = asked.get((address, name))
            if isinstance(edit, Unset):
                assert name not in resource.attributes
            elif isinstance(edit, Set):
                want = kind.canon(name, canonical("case", name, edit.value))
                assert kind.canon(name, resource.attributes[name]) == want
            elif address in old.resources and not (name == "suite" and address in moved):
                assert same(address.kind, name, resource.attributes[name], before[name]), (address, name)


def only_the_lines(before: bytes, after: bytes, edits: list[Edit]) -> None:
    """Every line that is not about the edits is still there, byte for byte, in the same order."""
    old, new = before.decode().split("\n"), after.decode().split("\n")
    allowed = own_lines(before, edits)
    rest = iter(new)
    for at, line in enumerate(old):
        if at in allowed or not line.strip():
            continue
        assert any(each.rstrip("\r") == line.rstrip("\r") for each in rest), (at, line)
    ends = [line.endswith("\r") for line in new[:-1]]
    assert ends == [before.count(b"\r\n") > 0] * len(ends)


def own_lines(before: bytes, edits: list[Edit]) -> set[int]:
    """The lines of what the edits are about, by PyYAML's own marks; of a flow mapping all."""
    text = before.decode("utf-8-sig").replace("\x85", " ").replace("\u2028", " ")
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    found: set[int] = set()
    for edit in edits:
        if isinstance(edit, Add | Move):
            continue
        for way in (["cases", edit.address.key], ["suites", "s", "cases", edit.address.key]):
            key, node = follow(root, way)
            if node is None:
                continue
            if isinstance(edit, Remove) or node.flow_style:
                found |= span(key, node) | comments_below(text.splitlines(), key, node)
                above = key.start_mark.line - 1
                lines = text.splitlines()
                while isinstance(edit, Remove) and above >= 0 and lines[above].lstrip().startswith("#"):
                    found.add(above)
                    above -= 1
                if isinstance(edit, Remove):
                    found |= {at for at, line in enumerate(lines) if line.strip() in ("cases:", "suites:")}
            else:
                key, node = follow(node, edit.name.split(".")[:1])
                if node is not None:
                    found |= span(key, node) | comments_below(text.splitlines(), key, node)
    return found


def comments_below(lines: list[str], key: Any, node: Any) -> set[int]:
    """Comments that are indented deeper than the key are part of what is below it."""
    found = set()
    for at in range(max(span(key, node)) + 1, len(lines)):
        if lines[at].strip() and not lines[at].startswith(" " * (key.start_mark.column + 1)):
            break
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            break
        found.add(at)
    return found


def follow(node: Any, way: list[str]) -> tuple[Any, Any]:
    key = None
    for step in way:
        pairs = {each.value: (each, value) for each, value in node.value} if isinstance(node, yaml.MappingNode) else {}
        key, node = pairs.get(step, (None, None))
    return key, node


def span(key: Any, node: Any) -> set[int]:
    last = node
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    return set(range(key.start_mark.line, last.end_mark.line + 1))


@SLOW
@given(st.data())
def test_only_what_was_asked_changes_in_files_of_every_style(data: Any) -> None:
    check(data, anchors=False)


@SLOW
@given(st.data())
def test_anchors_aliases_and_merges_keep_their_meaning(data: Any) -> None:
    check(data, anchors=True)


def test_the_generator_is_not_tame() -> None:
    """All styles are drawn, or the laws above would prove little."""
    seen: set[str] = set()

    @settings(max_examples=80, deadline=None, database=None)
    @given(messy.files(True))
    def look(data: bytes) -> None:
        text = data.decode()
        seen.update(sign for sign in ("|", ">", "'", '"', "&", "*", "<<", "\r\n", "#", "{", "[") if sign in text)

    look()
    assert seen == {"|", ">", "'", '"', "&", "*", "<<", "\r\n", "#", "{", "["}


def written(draft: Draft) -> dict[str, list[str]]:
    """Which blank line separates and which ends a text that keeps its own is the only thing that may differ."""
    return {name: [line for line in data.decode().split("\n") if line.strip()] for name, data in draft.files.items()}


@SLOW
@given(st.data())
def test_new_entries_at_once_are_as_one_after_the_other(data: Any) -> None:
    before = data.draw(messy.files())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, {NAME: before})
        found = load(settings_of(root), offline=STOCK)
        assume(not has_errors(found.diagnostics))
        places = ["s", None] if Address("suite", "s") in found.desired.resources else [None]
        adds = [
            Add(Address("case", f"new-{n}"), data.draw(messy.attributes()), data.draw(st.sampled_from(places)))
            for n in range(data.draw(st.integers(2, 4)))
        ]
        at_once, one_by_one = (Draft(settings_of(root), STOCK, found.desired) for _ in range(2))
        failed = at_once.edit(adds)
        assert [str(each) for each in failed] == [str(each) for add in adds for each in one_by_one.edit([add])]
        assert written(at_once) == written(one_by_one)


if __name__ == "__main__":
    pytest.main([__file__])
