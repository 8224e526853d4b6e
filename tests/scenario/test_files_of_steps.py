"""Files that people attach to steps in Qase, where the YAML leaves `attachments` out: left alone, whatever else happens.

The table is the law. A list of steps is written `O C[P] @ Y(a) R`: one letter a step (WORDS), `'` after it an edit of
its action, `"` another one, `*` some `data`, its files in parentheses, nested steps in brackets, `@` a shared step.
In the YAML no parentheses mean that `attachments` is left out, `()` that it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from e2e_kit import HOLDER, Folder, actions, edits, sections

from qase_iac.workflow.drifting import look
from qase_iac.workflow.pulling import Wish, pull

WORDS = {
    "O": "Open the basket",
    "C": "Choose a way of delivery",
    "P": "Pick the shop that is nearest",
    "Y": "Pay by card",
    "R": "Read the receipt",
    "X": "Scroll down to the very end of that page",
}
EDITS = {"": "", "'": " with care", '"': ", then look again"}
BASE = "O C[P] @ Y(a) R"
PARTS = re.compile(r"([A-Z])(['\"]?)(\*?)(\(([a-z,]*)\))?|@|[\[\]]")


@dataclass(frozen=True)
class Row:
    """`origin` is whose the change of `steps` is, "" for none; `after` what Qase holds once ours has the last word.

    `start` is what Qase held at the last apply, which the state therefore knows.
    """

    name: str
    origin: str
    qase: str
    after: str
    yaml: str = BASE
    old: str = BASE
    start: str = ""
    drops: int = 0

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


TABLE = [
    # Left out in the YAML, which nobody edits.
    Row("a file at a step", "", "O(f) C[P] @ Y(a) R", "O(f) C[P] @ Y(a) R"),
    Row("a file at a nested step", "", "O C[P(f)] @ Y(a) R", "O C[P(f)] @ Y(a) R"),
    Row("the file taken away", "", "O C[P] @ Y(a) R", "O C[P] @ Y(a) R", start="O(f) C[P] @ Y(a) R"),
    Row("and another step edited", "theirs", "O(f) C[P] @ Y(a) R'", "O(f) C[P] @ Y(a) R"),
    Row("and the same step edited", "theirs", "O'(f) C[P] @ Y(a) R", "O(f) C[P] @ Y(a) R"),
    Row("and the nested step edited", "theirs", "O C[P'(f)] @ Y(a) R", "O C[P(f)] @ Y(a) R"),
    Row("and the step moved", "theirs", "R(f) O C[P] @ Y(a)", "O C[P] @ Y(a) R(f)"),
    Row("and the shared step moved", "theirs", "@ O C[P] Y(a) R(f)", "O C[P] @ Y(a) R(f)"),
    Row("and the shared step taken out", "theirs", "O C[P(f)] Y(a) R", "O C[P(f)] @ Y(a) R"),
    Row("and data written", "theirs", "O*(f) C[P] @ Y(a) R", "O(f) C[P] @ Y(a) R"),
    Row("a new step with a file", "theirs", "O X(f) C[P] @ Y(a) R", BASE, drops=1),
    Row("a step with a file taken out", "theirs", "C[P] @ Y(a) R", "O(f) C[P] @ Y(a) R", start="O(f) C[P] @ Y(a) R"),
    Row("a nested one taken out", "theirs", "O C @ Y(a) R", "O C[P(f)] @ Y(a) R", start="O C[P(f)] @ Y(a) R"),
    # Left out in the YAML, which is edited.
    Row("ours at another step", "ours", "O(f) C[P] @ Y(a) R", "O(f) C[P] @ Y(a) R'", "O C[P] @ Y(a) R'"),
    Row("ours at the same step", "ours", "O(f) C[P] @ Y(a) R", "O'(f) C[P] @ Y(a) R", "O' C[P] @ Y(a) R"),
    Row("ours at the nested step", "ours", "O C[P(f)] @ Y(a) R", "O C[P'(f)] @ Y(a) R", "O C[P'] @ Y(a) R"),
    Row("ours above the nested step", "ours", "O C[P(f)] @ Y(a) R", "O C'[P(f)] @ Y(a) R", "O C'[P] @ Y(a) R"),
    Row("we move the step", "ours", "O(f) C[P] @ Y(a) R", "C[P] @ O(f) Y(a) R", "C[P] @ O Y(a) R"),
    Row("we insert one before", "ours", "O(f) C[P] @ Y(a) R", "X O(f) C[P] @ Y(a) R", "X O C[P] @ Y(a) R"),
    Row("we take the shared step out", "ours", "O C[P] @ Y(a) R(f)", "O C[P] Y(a) R(f)", "O C[P] Y(a) R"),
    Row("we move the shared step", "ours", "O(f) C[P] @ Y(a) R(f)", "@ O(f) C[P] Y(a) R(f)", "@ O C[P] Y(a) R"),
    Row("we take the step out", "conflict", "O(f) C[P] @ Y(a) R", "C[P] @ Y(a) R", "C[P] @ Y(a) R", drops=1),
    Row("and knew of the file", "ours", "O(f) C[P] @ Y(a) R", "C[P] @ Y(a) R", "C[P] @ Y(a) R",
        start="O(f) C[P] @ Y(a) R", drops=1),
    Row("both edit", "conflict", "O(f) C[P] @ Y(a) R'", 'O(f) C[P] @ Y(a) R"', 'O C[P] @ Y(a) R"'),
    Row("both edit alike", "both", "O(f) C[P] @ Y(a) R'", "O(f) C[P] @ Y(a) R'", "O C[P] @ Y(a) R'"),
    # Given in the YAML.
    Row("a given file taken away", "theirs", "O C[P] @ Y R", BASE),
    Row("another file beside a given one", "theirs", "O C[P] @ Y(a,f) R", BASE, drops=1),
    Row("a file where the YAML has none", "theirs", "O(f) C[P] @ Y(a) R", BASE, "O() C[P] @ Y(a) R",
        "O() C[P] @ Y(a) R", drops=1),
    Row("we change a given file", "ours", "O(f) C[P] @ Y(a) R", "O(f) C[P] @ Y(b) R", "O C[P] @ Y(b) R", drops=1),
    Row("both change a given file", "conflict", "O C[P] @ Y(f) R", "O C[P] @ Y(b) R", "O C[P] @ Y(b) R", drops=1),
    Row("we begin to give files", "conflict", "O(f) C[P] @ Y(a) R", "O(b) C[P] @ Y(a) R", "O(b) C[P] @ Y(a) R",
        drops=1),
    Row("we give files no longer", "", "O C[P] @ Y(a,f) R", "O C[P] @ Y(a,f) R", "O C[P] @ Y R"),
]  # fmt: skip


def steps(text: str, step: Callable[..., Any], shared: Any) -> list[Any]:
    """What `text` says (see above), each step made by `step`."""
    tokens = PARTS.finditer(text)

    def level() -> Iterator[Any]:
        last: dict[str, Any] | None = None
        for token in tokens:
            if token[0] == "[":
                assert last is not None
                last["steps"] = list(level())
            elif token[0] == "]":
                break
            else:
                if last is not None:
                    yield last
                files = None if token[4] is None else [each for each in token[5].split(",") if each]
                last = (
                    {"shared": shared}
                    if token[0] == "@"
                    else step(WORDS[token[1]] + EDITS[token[2]], bool(token[3]), files)
                )
        if last is not None:
            yield last

    return list(level())


def written(text: str) -> str:
    def step(action: str, data: bool, files: list[str] | None) -> dict[str, Any]:
        given = {} if files is None else {"attachments": [f"{name}.txt" for name in files]}
        return {"action": action} | ({"data": "4242"} if data else {}) | given

    return sections(cases={"c": {"title": "C", "steps": steps(text, step, "in")}})


class Shop:
    """A case with steps on both sides; `f` is a file that somebody uploaded in Qase."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder.applied()
        client = httpx.Client(transport=httpx.WSGITransport(app=folder.app), base_url="http://emulator/v1")
        answer = client.post("/attachment/SHOP", files=[("file[]", ("f.txt", b"fff", "text/plain"))])
        self.files = {"f": str(answer.json()["result"][0]["hash"])}

    def qase(self, text: str) -> list[Any]:
        known = self.files | {
            each["name"].removesuffix(".txt"): each["hash"] for each in self.folder.state["files"].values()
        }

        def step(action: str, data: bool, files: list[str] | None) -> dict[str, Any]:
            return {
                "action": action,
                **({"data": "4242"} if data else {}),
                **({"attachments": [known[name] for name in files]} if files else {}),
            }

        return steps(text, step, self.folder.id_of("shared_step.in"))

    def hold(self, text: str) -> None:
        self.folder.app.ui.edit("SHOP", "case", self.folder.id_of("case.c"), steps=self.qase(text))

    def held(self) -> Any:
        with self.folder.app.store.transaction(write=False):
            (case,) = self.folder.app.store.select("case", "SHOP")
        return _plain(case["steps"])


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = ("action", "data", "attachments", "shared")
    return [
        {name: row[name] for name in kept if row.get(name)}
        | ({"steps": _plain(row["steps"])} if row.get("steps") else {})
        for row in rows
    ]


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Callable[[Row], Shop]:
    def make(row: Row) -> Shop:
        files = {"a.txt": b"a", "b.txt": b"bb", "c.yaml": written(row.old)}
        made = Shop(folder({**files, "s.yaml": "shared_steps: {in: {title: In, steps: [Sign in]}}\n"}))
        if row.start:
            made.hold(row.start)
            made.folder.applied()
        made.hold(row.qase)
        made.folder.write({"c.yaml": written(row.yaml)})
        return made

    return make


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_the_verdict_and_what_is_written(shop: Callable[[Row], Shop], row: Row) -> None:
    made = shop(row)
    plan = made.folder.plan()
    found = edits(plan).get("case.c", {})
    blocked = {"case.c": "update !conflict"} if row.origin == "conflict" else {}
    assert found == ({"steps": row.origin} if row.origin not in ("", "both") else {})
    assert blocked.items() <= actions(plan).items()
    assert [each.attributes["steps"].origin for each in plan.drift] == (
        [] if row.origin in ("", "ours") else ["both" if row.origin == "both" else "theirs"]
    )
    notes = [note for each in made.folder.plan(on_conflict="ours").changes for note in each.notes if "drops" in note]
    assert notes == ([f"drops {row.drops} attachment"] if row.drops else [])
    made.folder.applied(on_conflict="ours")
    assert made.held() == _plain(made.qase(row.after))
    assert made.folder.plan().changes == ()


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_drift_and_pull_judge_alike(shop: Callable[[Row], Shop], row: Row) -> None:
    made = shop(row)
    seen = {each.address for each in look(made.folder.session()).plan.drift}
    assert seen == ({"case.c"} if row.origin in ("theirs", "conflict", "both") else set())
    before = made.held()
    text = (made.folder.root / "c.yaml").read_text()
    done = pull(made.folder.session(), Wish(everything=True), HOLDER)
    assert made.held() == before and (not done.unexpected)
    assert done.exit_code == (4 if row.origin == "conflict" else 0)
    assert ((made.folder.root / "c.yaml").read_text() != text) == (row.origin == "theirs")
    left = {"conflict": {"case.c": "update !conflict"}, "ours": {"case.c": "update"}}.get(row.origin, {})
    assert actions(made.folder.plan()) == left
