"""What the fuzzer feeds: every reader of files, the files that it reads, and the commands that come to read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from qase_iac.plan import planfile
from qase_iac.plan.planfile_reader import from_json
from torture import fuzz_mutations as damage
from torture import fuzz_worlds as worlds

READ = ("validate", "plan --format json", "state list")
APPLY = "apply --auto-approve"


@dataclass(frozen=True)
class Reader:
    """One reader: the world, the files it reads (one is damaged), how, and the commands that come to read it.

    `apply` is a command that may write; `reseal` mends a checksum, so that the damage gets past it; `ignored` says
    that a damaged file must change nothing; `own` that the emulator is the folder's own.
    """

    name: str
    world: str
    files: tuple[str, ...]
    mutations: list[damage.Mutation]
    commands: tuple[str, ...] = READ
    apply: str = ""
    reseal: Callable[[bytes], bytes] | None = None
    ignored: bool = False
    own: bool = False
    locked: bool = False
    share: int = 1


def _reseal_plan(data: bytes) -> bytes:
    """A plan file whose digest fits what it says now."""
    try:
        plan = json.loads(data)
        plan["digest"] = planfile.digest(from_json(plan))
        return json.dumps(plan).encode()
    except Exception:
        return data


CONTENT = tuple(name for name in worlds.FILES if name.endswith(".yaml") and name != "qase.yaml")
READERS = (
    Reader("settings", "settled", ("qase.yaml",), damage.YAML, apply=APPLY, share=2),
    Reader("content", "settled", CONTENT, damage.YAML, READ[:2], APPLY, share=4),
    Reader("catalogue", "settled", (worlds.CATALOGUE,), damage.YAML, READ[:2]),
    Reader("cache", "settled", ("cache/*",), damage.LINES, READ[:2], ignored=True),
    Reader("state", "settled", (worlds.STATE,), damage.JSON, READ[1:], APPLY, share=3),
    Reader("journal", "interrupted", (worlds.JOURNAL,), damage.LINES, READ[1:], APPLY, share=3),
    Reader("plan", "settled", (worlds.PLANFILE,), damage.JSON, ("show plan.json", "show plan.json --format markdown --full"), "apply plan.json"),
    Reader("sealed", "settled", (worlds.PLANFILE,), [damage.json_tree], ("show plan.json --format markdown --full",), "apply plan.json", _reseal_plan),
    Reader("holder", "settled", (worlds.NOTE,), damage.JSON, ("state rm case.nobody", "apply --auto-approve"), locked=True),
    Reader("seed", "seeded", (worlds.SEED_FILE,), damage.YAML, ("plan",), own=True, share=2),
    Reader("convert", "settled", (worlds.EXPORT,), damage.JSON, (), "convert qase-json export.json out"),
)  # fmt: skip
BY_NAME = {reader.name: reader for reader in READERS}
