"""What an editor or the service does to a text is no edit of anybody's: escapes, line ends, outer white space.

Over the emulator's switches for texts, pairwise: somebody opens everything in Qase and saves it without a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, edits, qase_yaml
from pairwise import Row, pairwise

from qase_iac.emulator import create_app

TEXT = 'Take_1 *now*, see [it] #1\n\n- 2 < 3 & "4"\n\n```\nkeep \\_this\\_\n```\nand `a\\*b` too.'
VALUES: dict[str, tuple[Any, ...]] = {
    "text_trim": ("off", "on"), "text_empty": ("keep", "null"), "text_null": ("keep", "empty"),
    "text_crlf": ("keep", "lf"), "text_html": ("keep", "escape"),
}  # fmt: skip
WORLDS = pairwise(VALUES)
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def escaped(text: str) -> str:
    """As the editor saves it: Markdown's signs escaped, but for code."""
    code = _CODE.findall(text)
    plain = [re.sub(r"([_*\[\]#<&\"-])", r"\\\1", part) for part in _CODE.split(text)]
    return "".join(part + kept for part, kept in zip(plain, [*code, ""], strict=True))


NOISE: dict[str, Callable[[str], str]] = {
    "escapes": escaped,
    "entities": lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
    "line ends": lambda text: text.replace("\n", "\r\n"),
    "outer white space": lambda text: f"\n  {text} \n\n",
    "all of it": lambda text: f"{escaped(text)}\n".replace("\n", "\r\n"),
}


def block(text: str, indent: int) -> str:
    return "|\n" + "\n".join(" " * indent + line if line else "" for line in text.split("\n"))


FILES = {
    "qase.yaml": qase_yaml(),
    "shop.yaml": f"""
milestones:
  m: {{title: M, description: "A_b & *c*"}}
shared_steps:
  in:
    title: In
    steps:
      - action: {block(TEXT, 10)}
        data: {block(TEXT, 10)}
        expected: {block(TEXT, 10)}
suites:
  s:
    title: S
    description: {block(TEXT, 6)}
    preconditions: {block(TEXT, 6)}
cases:
  c:
    title: C
    description: {block(TEXT, 6)}
    preconditions: {block(TEXT, 6)}
    postconditions: {block(TEXT, 6)}
    severity: normal
    custom_fields: {{Notes: "A_b & *c*"}}
    steps:
      - shared: in
      - action: {block(TEXT, 10)}
        data: {block(TEXT, 10)}
        expected: {block(TEXT, 10)}
        steps:
          - action: {block(TEXT, 14)}
            expected: {block(TEXT, 14)}
      - Another step
plans:
  p: {{title: P, description: "A_b & *c*", cases: [c]}}
""",
}
FLAT = "A_b & *c*"


@pytest.fixture(params=WORLDS, ids=lambda row: "+".join(f"{value}" for value in row.values()))
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    row: Row = request.param
    seed = {"custom_fields": [{"title": "Notes", "type": "text"}]}
    app = create_app(seed=seed, switches=row)
    (tmp_path / "shop").mkdir()
    yield Folder(tmp_path / "shop", app).write(FILES).applied()
    app.close()


def saved_again(shop: Folder, noise: Callable[[str], str]) -> None:
    """Everything opened and saved by somebody in Qase."""

    def step(**parts: Any) -> dict[str, Any]:
        return {"action": noise(TEXT), "expected_result": noise(TEXT), **parts}

    def edit(address: str, **fields: Any) -> None:
        shop.app.ui.edit("SHOP", address.partition(".")[0], shop.id_of(address), **fields)

    edit("milestone.m", description=noise(FLAT))
    edit("shared_step.in", steps=[step(data=noise(TEXT))])
    edit("suite.s", description=noise(TEXT), preconditions=noise(TEXT))
    nested = step(data=noise(TEXT), steps=[step()])
    texts = {name: noise(TEXT) for name in ("description", "preconditions", "postconditions")}
    steps = [{"shared": shop.id_of("shared_step.in")}, nested, {"action": "Another step"}]
    edit("case.c", **texts, steps=steps, custom_field={"1": noise(FLAT)})
    edit("plan.p", description=noise(FLAT))


@pytest.mark.parametrize("kind", NOISE)
def test_it_is_neither_drift_nor_a_change(shop: Folder, kind: str) -> None:
    saved_again(shop, NOISE[kind])
    plan = shop.plan()
    assert edits(plan) == {} and plan.drift == ()


def test_it_makes_no_conflict_of_an_edit_of_ours(shop: Folder) -> None:
    saved_again(shop, NOISE["all of it"])
    shop.edit("shop.yaml", "severity: normal", "severity: major").edit(
        "shop.yaml", "Another step", "Another step, edited"
    )
    plan = shop.plan()
    assert edits(plan) == {"case.c": {"severity": "ours", "steps": "ours"}} and plan.drift == ()
    (change,) = plan.changes
    assert [each["op"] for each in change.attributes["steps"].steps or () if not each.get("noise")] == ["edited"]
    shop.applied()
    assert actions(shop.plan()) == {}


def test_an_edit_of_somebodys_is_found_among_it(shop: Folder) -> None:
    saved_again(shop, NOISE["all of it"])
    shop.app.ui.edit("SHOP", "suite", shop.id_of("suite.s"), description=escaped(TEXT.replace("now", "later")))
    plan = shop.plan()
    assert edits(plan) == {"suite.s": {"description": "theirs"}}
    assert [drift.address for drift in plan.drift] == ["suite.s"]


def test_an_escape_of_ours_is_sent(shop: Folder) -> None:
    """What we write is what we mean: noise is only what others do."""
    shop.edit("shop.yaml", 'plans:\n  p: {title: P, description: "A_b', 'plans:\n  p: {title: P, description: "A\\\\_b')
    assert edits(shop.plan()) == {"plan.p": {"description": "ours"}}
    shop.applied()
    assert actions(shop.plan()) == {}


def test_the_same_edit_on_both_sides_is_one_whatever_its_escapes(shop: Folder) -> None:
    shop.edit("shop.yaml", 'p: {title: P, description: "A_b', 'p: {title: P, description: "X_b')
    shop.app.ui.edit("SHOP", "plan", shop.id_of("plan.p"), description="X\\_b & \\*c\\*")
    plan = shop.plan()
    assert edits(plan) == {} and plan.drift[0].attributes["description"].origin == "both"
    shop.applied()
    assert actions(shop.plan()) == {} and shop.plan().drift == ()


@pytest.mark.parametrize("kind", ["escapes", "line ends", "outer white space"])
def test_adopting_what_differs_in_nothing_else_is_no_conflict(tmp_path: Path, app: Any, kind: str) -> None:
    folder = (
        Folder(tmp_path, app).write({"qase.yaml": qase_yaml(), "a.yaml": "suites: {other: {title: Other}}\n"}).applied()
    )
    app.ui.create("SHOP", "suite", title="S", description=NOISE[kind](TEXT))
    folder.write(
        {"a.yaml": f"suites:\n  other: {{title: Other}}\n  s:\n    title: S\n    description: {block(TEXT, 6)}\n"}
    )
    assert actions(folder.plan()) == {"suite.s": "adopt"} and edits(folder.plan()) == {"suite.s": {}}
    folder.applied()
    assert actions(folder.plan()) == {} and folder.plan().drift == ()
