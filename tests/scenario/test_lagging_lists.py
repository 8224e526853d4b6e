"""Lists that show for a while what was there before: reading back must not take that for an answer."""

from __future__ import annotations

from typing import Any

import pytest
from e2e_kit import Folder, actions

MANY = 5  # so many that a list is read in place of each

LISTS = r"^/\w+/SHOP(\?|$)"


class Lagging:
    """The emulator, with lists that are out of date from its first write of one method on."""

    def __init__(self, app: Any, method: str) -> None:
        self.app, self.faults, self.method = app, app.faults, method

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == self.method:
            self.app.faults.add("stale-list", path=LISTS, times=0)
            self.method = "none"
        return self.app(environ, start_response)


def lagging(folder: Folder, method: str) -> Folder:
    return Folder(folder.root, Lagging(folder.app, method))  # type: ignore[arg-type]


def cases(*lines: str) -> str:
    return "\n".join(["suites:", "  x: {title: X}", "  y: {title: Y}", "cases:", *("  " + line for line in lines), ""])


@pytest.mark.parametrize(("before", "after", "attribute"), [
    ("suite: x", "suite: y", "suite"),
    ("description: old", "description: new", "description"),
])  # fmt: skip
def test_an_update_that_a_list_does_not_show_yet_is_no_refusal(
    folder: Any, before: str, after: str, attribute: str
) -> None:
    made = folder({"c.yaml": cases(*(f"c{n}: {{title: C{n}, {before}}}" for n in range(MANY)))}).applied()
    made.write({"c.yaml": cases(*(f"c{n}: {{title: C{n}, {after}}}" for n in range(MANY)))})
    report = lagging(made, "PATCH").apply().report
    assert report is not None and (report.exit_code, report.warnings) == (0, ())
    made.app.faults.clear()
    binding = made.state["bindings"]["case.c0"]
    assert attribute not in {**binding.get("unsupported", {}), **binding.get("served", {})}
    assert actions(made.plan()) == {}


def test_a_create_that_a_list_does_not_show_yet_is_asked_for_by_itself(folder: Any) -> None:
    made = folder({"c.yaml": cases("first: {title: First}")}).applied()
    made.write({"c.yaml": cases("first: {title: First}", *(f"c{n}: {{title: C{n}}}" for n in range(MANY)))})
    report = lagging(made, "POST").apply().report
    assert report is not None and (report.exit_code, report.warnings) == (0, ())
