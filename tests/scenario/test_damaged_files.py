"""Damage that the fuzzer found a reader to stumble over, each with the message that there is now."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cli_contract.contract_shop import FILES, bytes_of
from e2e_kit import Folder, Ran

from qase_iac.config.reporter import MOST_PROBLEMS
from qase_iac.convert.reading import read_source
from qase_iac.emulator import create_app, load_seed
from qase_iac.errors import StalePlan
from qase_iac.plan.planfile_reader import read

Cli = Callable[..., Ran]
Damage = Callable[[dict[str, Any]], Any]


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    made = folder({**FILES, "pic.png": b"pic"}, policy={"max_delete_share": 1.0})
    return made.edit("suites.yaml", "{title: Receipt}", "{title: Receipt, attachments: [pic.png], tags: [a]}").applied()


def refused(cli: Cli, shop: Folder, *words: str) -> None:
    """Every command refuses in words, and nothing is written anywhere."""
    before, writes = bytes_of(shop.root), len(shop.writes())
    for command in ("plan", "state list", "apply --auto-approve", "state rm case.refund"):
        ran = cli("-C", shop.root, *command.split())
        assert ran.code == 1, ran.all
        assert all(word in ran.err for word in words), ran.err
        assert "in a way that it should not" not in ran.err
    assert (bytes_of(shop.root), len(shop.writes())) == (before, writes)


# -- the state


STATE: dict[str, tuple[Damage, str]] = {
    "text that is a list": (lambda d: d["bindings"]["case.receipt"]["sent"].update(title=["Receipt"]), "case.receipt"),
    "text that is a number": (lambda d: d["bindings"]["case.receipt"]["sent"].update(title=7), "`title`"),
    "steps that are a text": (lambda d: d["bindings"]["case.card-declined"]["sent"].update(steps="Open"), "`steps`"),
    "steps of lists": (lambda d: d["bindings"]["case.card-declined"]["sent"].update(steps=[["Open"]]), "`steps`"),
    "step of numbers": (lambda d: d["bindings"]["case.card-declined"]["sent"].update(steps=[{"action": 1}]), "`steps`"),
    "word that is a mapping": (lambda d: d["bindings"]["case.receipt"]["sent"].update(severity={"a": 1}), "`severity`"),
    "tags that are a number": (lambda d: d["bindings"]["case.receipt"]["sent"].update(tags=1.5), "`tags`"),
    "reference that is a list": (lambda d: d["bindings"]["case.receipt"]["sent"].update(suite=[1]), "`suite`"),
    "members of lists": (lambda d: d["bindings"]["plan.smoke"]["served"].update(cases=[[1]]) if "served" in d["bindings"]["plan.smoke"]
                         else d["bindings"]["plan.smoke"].update(served={"cases": [[1]]}), "plan.smoke"),
    "attribute of no kind": (lambda d: d["bindings"]["case.receipt"]["sent"].update(tilte="Receipt"), "`tilte`"),
    "no such kind": (lambda d: d["bindings"].update({"thing.x": {"id": 1, "sent": {}}}), "thing.x"),
    "the project as an object": (lambda d: d["bindings"].update({"project.SHOP": {"id": 1, "sent": {}}}), "project.SHOP"),
    "text for an id": (lambda d: d["bindings"]["case.receipt"].update(id="../1"), "not the id of a case"),
    "negative id": (lambda d: d["bindings"]["case.receipt"].update(id=-1), "not the id of a case"),
    "number for a hash": (lambda d: d["bindings"]["shared_step.sign-in"].update(id=4), "not the id of a shared step"),
    "two for one": (lambda d: d["bindings"]["case.refund"].update(id=d["bindings"]["case.receipt"]["id"]), "bound to the same object"),
    "file without a hash": (lambda d: next(iter(d["files"].values())).pop("hash"), "files"),
    "endless serial": (lambda d: d.update(serial=float("inf")), "serial"),
    "lineage that is null": (lambda d: d.update(lineage=None), "lineage"),
    "no lineage": (lambda d: d.update(lineage=""), "lineage"),
    "moved of numbers": (lambda d: d.update(moved=[1]), "moved"),
    "seen of texts": (lambda d: d.update(seen={"case": "x"}), "seen"),
    "ignore that is a text": (lambda d: d["bindings"]["case.receipt"].update(ignore="title"), "ignore"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATE)
def test_a_damaged_state_is_refused_and_the_entry_named(cli: Cli, shop: Folder, name: str) -> None:
    damage, word = STATE[name]
    data = shop.state
    damage(data)
    shop.state_path.write_text(json.dumps(data))
    refused(cli, shop, word, ".backup")


# -- the journal


HEADER = {"journal": 1, "plan": "sha256:0", "project": "SHOP", "api": "emulator", "tool": "", "time": "", "seen": {}}
ITEM = {
    "op": 1,
    "address": "case.new",
    "action": "create",
    "title": "New",
    "digest": "",
    "record": {"sent": {"title": "New"}},
}
JOURNAL: dict[str, list[Any]] = {
    "header": [],
    "sent": [{"intent": 1, "time": "", "items": [{**ITEM, "record": {"sent": {"title": ["New"]}}}]}],
    "depends_on": [{"intent": 1, "time": "", "items": [{**ITEM, "record": {"depends_on": None}}]}],
    "kind": [{"intent": 1, "time": "", "items": [{**ITEM, "address": "thing.new"}]}],
    "parent": [{"intent": 1, "time": "", "items": [{**ITEM, "parent": [1]}]}],
    "title": [{"intent": 1, "time": "", "items": [{**ITEM, "title": 5}]}],
    "number": [{"intent": float("inf"), "time": "", "items": [ITEM]}],
    "ids": [{"intent": 1, "time": "", "items": [ITEM]}, {"outcome": 1, "time": "", "status": "done", "ids": [[7]]}],
    "id of another kind": [
        {"intent": 1, "time": "", "items": [ITEM]},
        {"outcome": 1, "time": "", "status": "done", "ids": ["ab"]},
    ],
    "upload": [{"uploaded": "ab", "entry": {"hash": ["x"]}}],
    "rename": [{"renamed": [[["a"], "case.b", 1]], "moved": []}],
}


@pytest.mark.parametrize("name", JOURNAL)
def test_a_damaged_journal_is_refused_and_the_line_named(cli: Cli, shop: Folder, name: str) -> None:
    seen = {"seen": {"case": "many"}} if name == "header" else {}
    header = {**HEADER, "lineage": shop.state["lineage"], "serial": shop.state["serial"], **seen}
    lines = "".join(json.dumps(line) + "\n" for line in [header, *JOURNAL[name]])
    shop.state_path.with_name("SHOP@emulator.journal").write_text(lines)
    refused(cli, shop, f"line {1 + len(JOURNAL[name])} makes no sense", "before the next apply")


# -- a plan with a fitting digest


@pytest.mark.parametrize(
    ("name", "value"), [("title", ["Slip"]), ("severity", {"a": 1}), ("steps", "Look"), ("tags", 5)]
)
def test_a_plan_with_values_of_another_shape_is_no_plan(cli: Cli, shop: Folder, name: str, value: Any) -> None:
    from qase_iac.plan import planfile

    shop.edit("suites.yaml", "title: Receipt,", "title: Slip, severity: major, steps: [Look],").edit(
        "suites.yaml", "[a]", "[b]"
    )
    path = shop.root / "p.json"
    planfile.write(shop.plan(), path)
    data = json.loads(path.read_text())
    data["changes"][0]["attributes"][name]["after"] = value
    path.write_text(json.dumps(data))
    ran = cli("-C", shop.root, "apply", "p.json")
    assert ran.code == 5 and f"{name!r} a value that is none" in ran.err


# -- small files, and large ones that look small


@pytest.mark.parametrize("reader", [read_source, read])
def test_a_small_file_does_not_take_hundreds_of_megabytes(tmp_path: Path, reader: Callable[[Path], Any]) -> None:
    (tmp_path / "x.json").write_text("hello")
    tracemalloc.start()
    with suppress(StalePlan):
        reader(tmp_path / "x.json")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 64 * 1024 * 1024


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{here}: &{here} [{', '.join([f'*{above}'] * 9)}]\n" for above, here in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [("salt: 2026-02-30\n", "cannot be read"), ("salt: " + "[" * 20_000, "cannot be read"), (LAUGHS, "1,000,000"),
     ("salt: &a [*a]\n", "1,000,000")],
)  # fmt: skip
def test_a_seed_beyond_all_bounds_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "seed.yaml").write_text(text)
    with pytest.raises(ValueError, match=words):
        load_seed(tmp_path / "seed.yaml")


def test_a_seed_of_an_ordinary_size_is_taken() -> None:
    users = [{"name": f"U{n}", "email": f"{n}@example.com"} for n in range(300)]
    create_app(seed={"users": users}).close()


def test_a_file_with_tens_of_thousands_of_problems_is_told_of_in_part(cli: Cli, shop: Folder) -> None:
    shop.write({"many.yaml": "cases:\n" + "  a: {title: A}\n" * (MOST_PROBLEMS + 500)})
    ran = cli("-C", shop.root, "validate", "--format", "json")
    rows = [row for row in ran.json["diagnostics"] if row["file"] == "many.yaml"]
    assert (ran.code, len(rows)) == (3, MOST_PROBLEMS)
    assert (rows[-1]["code"], rows[-1]["line"]) == ("too-many-problems", MOST_PROBLEMS + 2)


def test_streams_are_read_to_their_end(tmp_path: Path) -> None:
    import gzip

    data = b"x" * 9_000_000
    with io.BytesIO() as packed:
        packed.write(gzip.compress(data))
        (tmp_path / "x.gz").write_bytes(packed.getvalue())
    assert read_source(tmp_path / "x.gz") == data
