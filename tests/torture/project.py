"""A made-up project before and after an edit of about 300 operations of every sort. Nothing here depends on chance.

`prepare` builds what stands in Qase beforehand: some of it is adopted by the second apply, the rest belongs to others
and must come out of it untouched.
"""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

import yaml

Files = dict[str, str | bytes | None]
Content = dict[str, Any]


class Size(NamedTuple):
    """How much of everything. `bulk` is `api.bulk_size`."""

    areas: int
    cases: int  # in each of the two suites of an area
    fresh: int  # new cases in each new suite
    bulk: int


FULL = Size(areas=8, cases=10, fresh=46, bulk=7)
SMALL = Size(areas=1, cases=10, fresh=5, bulk=3)

SEED: dict[str, Any] = {
    "custom_fields": [{"title": "Component", "type": "selectbox", "options": ["Cart", "Search"]}],
    "salt": "torture",
}


def _qase_yaml(size: Size) -> str:
    return textwrap.dedent(f"""\
        project: SHOP
        title: Shop
        create: true
        api: {{url: emulator, bulk_size: {size.bulk}, rate_limit: 0}}
        policy: {{max_deletes: 1000, max_delete_share: 1}}
        """)


def before(size: Size) -> Files:
    """The folder that the first apply works from."""
    files: Files = {
        "qase.yaml": _qase_yaml(size),
        "rest.yaml": _text(
            milestones={f"m-{n}": {"title": f"Milestone {n}", "due_date": "2026-12-01"} for n in range(4)},
            shared_steps={f"s-{n}": {"title": f"Shared {n}", "steps": [f"Do {n}", "Look"]} for n in range(4)},
            plans={f"p-{n}": {"title": f"Plan {n}", "cases": [f"a0-x-{n}", f"a0-y-{n}"]} for n in range(4)},
        ),
        "old.png": b"the old picture",
    }
    for area in range(size.areas):
        files[f"area-{area}.yaml"] = _text(suites={f"a{area}": _area(size, area)})
    return files


def _area(size: Size, area: int) -> Content:
    inner = {name: {"title": f"Part {name}", "cases": _cases(size, area, name)} for name in "xy"}
    return {"title": f"Area {area}", "description": "As it was.", "suites": inner}


def _cases(size: Size, area: int, part: str) -> Content:
    """Equal titles on purpose: `Twin` stands in every suite, and twice in a row."""
    made: Content = {}
    for n in range(size.cases):
        case: Content = {"title": "Twin" if n in (4, 5) else f"Case {n}", "steps": [f"Step {area}{part}{n}"]}
        case |= {"milestone": f"m-{n % 3}"} if n % 3 == 0 else {"tags": ["old"]}
        if n == 1:
            case["steps"] = [{"shared": f"s-{area % 3}"}, "And on"]
        if n == 2 and part == "x":
            case["attachments"] = ["old.png"]
        made[f"a{area}-{part}-{n}"] = case
    return made


def after(size: Size) -> Files:
    """What the second apply works from; None is a file that goes."""
    files = before(size)
    areas = {area: _area(size, area) for area in range(size.areas)}
    moved: list[dict[str, str]] = []
    for area, content in areas.items():
        _edit(area, content, moved)
    for area, content in areas.items():
        files[f"area-{area}.yaml"] = _text(suites={f"a{area}": content})
    files["rest.yaml"] = _rest(size)
    files["new.yaml"] = _text(suites={f"n{n}": _new_suite(size, n) for n in range(_news(size))})
    files["legacy.yaml"] = _text(suites={"legacy": _legacy(size)})
    files["history.yaml"] = _text(moved=moved, adopt={"case.picked-0": "ID 0", "case.picked-1": "ID 1"})
    files |= {f"pic-{n}.png": f"picture {n}".encode() for n in range(_news(size))}
    return files


def _edit(area: int, content: Content, moved: list[dict[str, str]]) -> None:
    """One update, rename, move and delete (or two) in each part of an area."""
    x, y = (content["suites"][part]["cases"] for part in "xy")
    if area % 2 == 0:
        content["description"] = f"As it is now, {area}."
    x[f"a{area}-x-0"] |= {"title": f"Case 0 of {area}", "severity": "critical"}
    x[f"a{area}-x-3"]["custom_fields"] = {"Component": "Cart"}
    y[f"a{area}-y-0"] |= {"milestone": None, "tags": ["new", "newer"]}
    y[f"a{area}-y-6"]["steps"] = ["Another", {"shared": "s-3"}]
    for key in (f"a{area}-x-4", f"a{area}-y-5"):  # one of two twins each
        del (x if key in x else y)[key]
    x[f"a{area}-x-1"]["steps"] = ["No longer shared"]
    y[f"a{area}-y-1"]["steps"] = ["No longer shared either"]
    y[f"a{area}-x-7"] = x.pop(f"a{area}-x-7")  # a move
    x[f"a{area}-renamed"] = x.pop(f"a{area}-x-8")
    moved.append({"from": f"case.a{area}-x-8", "to": f"case.a{area}-renamed"})
    if area % 4 == 0:  # a part goes: what it held moves up to its area, but for two
        left = content["suites"].pop("y")["cases"]
        for key in (f"a{area}-y-8", f"a{area}-y-9"):
            left.pop(key)
        content["cases"] = left


def _rest(size: Size) -> str:
    """Milestone 3, shared step 0 and plan 3 go; one of each is new; the rest changes here and there."""
    shared: Content = {f"s-{n}": {"title": f"Shared {n}", "steps": [f"Do {n}", "Look"]} for n in (1, 2, 3)}
    shared["s-2"]["steps"] = ["Do it otherwise"]
    shared |= {f"s-new-{n}": {"title": f"New shared {n}", "steps": ["Go"]} for n in range(2)}
    plans: Content = {f"p-{n}": {"title": f"Plan {n}", "cases": [f"a0-x-{n}", f"a0-y-{n}"]} for n in (0, 1, 2)}
    plans["p-1"]["cases"] = ["a0-x-1", "a0-x-2", "n0-0", "a0-renamed"]
    plans["p-2"]["description"] = "Said now."
    plans |= {
        "p-new": {"title": "New plan", "cases": ["n0-1", "n1-2"]},
        "p-twin": {"title": "New plan", "cases": ["n0-2"]},
    }
    milestones: Content = {f"m-{n}": {"title": f"Milestone {n}", "due_date": "2026-12-01"} for n in range(3)}
    milestones["m-0"]["description"] = "First."
    milestones["m-1"]["title"] = "Milestone one"
    milestones["m-new"] = {"title": "New milestone"}
    return _text(milestones=milestones, shared_steps=shared, plans=plans)


def _news(size: Size) -> int:
    return max(2, size.areas // 2)


def _new_suite(size: Size, number: int) -> Content:
    """New cases: of one title and one body, of one title and two bodies, with files, shared steps and milestones."""
    made: Content = {}
    for n in range(size.fresh):
        case: Content = {"title": ("Same" if n % 5 == 0 else "Alike" if n % 5 == 1 else f"New {n}")}
        if n % 5 == 1:
            case["description"] = f"Body {n % 2}"
        if n % 7 == 2:
            case |= {"steps": [{"shared": "s-new-0"}, f"Then {n}"], "milestone": "m-new"}
        if n == 3:
            case["attachments"] = [f"pic-{number}.png"]
        made[f"n{number}-{n}"] = case
    return {"title": f"New {number}", "cases": made, "suites": {"in": {"title": "Inner"}}}


def _legacy(size: Size) -> Content:
    """What `prepare` put into Qase; some of it exactly so, some to be changed, two named by their ids."""
    cases: Content = {f"found-{n}": {"title": f"Found {n}", "description": "By hand"} for n in range(size.areas + 2)}
    cases |= {f"picked-{n}": {"title": f"Picked {n}", "description": "Ours now"} for n in range(2)}
    return {"title": "Legacy", "cases": cases}


def prepare(app: Any, size: Size) -> Files:
    """People at work in Qase between the two applies. Gives the files that name what they made."""
    ui = app.ui
    legacy = ui.create("SHOP", "suite", title="Legacy")
    for n in range(size.areas + 2):
        ui.create("SHOP", "case", title=f"Found {n}", description="By hand", suite_id=legacy)
    picked = [ui.create("SHOP", "case", title="Nobody's title", suite_id=legacy) for _ in range(2)]
    foreign = ui.create("SHOP", "suite", title="Of others")
    for title in ("Twin", "Same", "Alike", "New 2", "Found 1"):  # decoys: our titles in a place that is not ours
        ui.create("SHOP", "case", title=title, suite_id=foreign)
    ui.create("SHOP", "plan", title="Of others", cases=picked)
    ui.create("SHOP", "milestone", title="Of others")
    files = after(size)
    history = str(files["history.yaml"])
    return {**files, "history.yaml": history.replace("ID 0", str(picked[0])).replace("ID 1", str(picked[1]))}


def _text(**content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=1000)
