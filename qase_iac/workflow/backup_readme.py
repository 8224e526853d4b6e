"""README.txt of a backup: what the run set out to do, what lies here, how to bring it back. Plain, without titles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from qase_iac.convert.backup import DELETED, OVERWRITTEN, PASTE, Kept
from qase_iac.plan.model import Action, Plan
from qase_iac.values import printable

SHOWN = 50
"""So many objects are listed; the rest are in the record alone."""
_MARKS = {Action.DELETE: "-", Action.UPDATE: "~", Action.MOVE: ">", Action.ADOPT: "="}
_WHAT = {
    "objects.jsonl": "every object exactly as Qase had it, and what the run meant to do: one JSON object a line",
    f"{DELETED}/": "what the run deletes, as content files",
    f"{PASTE}.yaml": "deleted suites that lay in a suite which stands as an entry in one of your files",
    f"{OVERWRITTEN}.yaml": "what the run changes or moves: all attributes as they were",
}
_STEPS = {
    f"{DELETED}/": (
        "Deleted: copy what lies in deleted/ into the project folder, its folders as they are, and take out what\n"
        "     is not wanted back:\n"
        "       cp -R {folder}/deleted/. ."
    ),
    f"{PASTE}.yaml": (
        "Deleted suites in paste.yaml: paste each below `suites:` of the suite under which it stands there.\n"
        "     Those around it that hold nothing but `suites:` are declared in your files already."
    ),
    f"{OVERWRITTEN}.yaml": (
        "Overwritten: copy the attributes that are wanted back from overwritten.yaml over those under the same\n"
        "     key in your files. `null` says that an attribute was empty."
    ),
}


def readme(
    plan: Plan, kept: Sequence[Kept], files: Collection[str], notes: Sequence[str], time: str, folder: str
) -> str:
    """The text. `files` are the other files of the backup, `folder` its path as seen from the project folder."""
    there = {what for what in _WHAT for name in files if name.startswith(what.partition(".")[0])}
    return "\n".join(line for block in _blocks(plan, kept, there, notes, time, folder) for line in (*block, ""))


def _blocks(
    plan: Plan, kept: Sequence[Kept], there: set[str], notes: Sequence[str], time: str, folder: str
) -> Iterator[list[str]]:
    yield [
        "Backup of qase-iac: objects in Qase as they were before a run deleted or changed them.",
        f"Project {printable(plan.project)} at {printable(plan.api)}, {time}, plan {printable(plan.digest)}",
    ]
    yield ["What the run set out to do", *_listed(kept)]
    yield ["What lies here", *(f"  {name:<16}  {what}" for name, what in _WHAT.items() if name in there)]
    steps = [step for name, step in _STEPS.items() if name in there]
    steps.append("`qase-iac plan` shows what comes back; `qase-iac apply` brings it back.")
    yield ["To bring something back", *(f"  {at}. {step.format(folder=folder)}" for at, step in enumerate(steps, 1))]
    yield [
        "What is deleted comes back as a new object with a new id. Its results in past runs stay with the old id.",
        "Qase keeps uploaded files: objects.jsonl has their hashes and addresses. A file that is still in the project",
        "folder is named in the YAML; else put it back beside the YAML and name it under `attachments:`.",
    ]
    if notes:
        yield ["What the YAML does not say as it was (objects.jsonl does)", *(f"  {printable(note)}" for note in notes)]


def _listed(kept: Sequence[Kept]) -> Iterator[str]:
    width = max(len(each.change.address) for each in kept[:SHOWN])
    for each in kept[:SHOWN]:
        what = "delete" if each.deleted else ", ".join(each.change.sent)
        line = f"  {_MARKS[each.change.action]} {each.change.address:<{width}}  id {each.live.id}  {what}"
        yield printable(line)
    if len(kept) > SHOWN:
        more = Counter(str(each.change.action) for each in kept[SHOWN:])
        yield f"  and {len(kept) - SHOWN:,} more in objects.jsonl ({', '.join(f'{n:,} {a}' for a, n in more.items())})"
