"""The table of qase.yaml: every setting, what it takes, what counts when it is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from qase_iac.attributes import INVALID, MAX_TITLE, Attribute, Flag, Reporter, Text, Type
from qase_iac.attributes.text import parse_boolean
from qase_iac.config.defaults import TAKING, parse_defaults
from qase_iac.config.ignored import IGNORE, ignored_schema
from qase_iac.config.reporter import FileReporter
from qase_iac.config.settings_types import Choice, Globs, Group, Line, Number, Setting, described
from qase_iac.kinds import BY_NAME
from qase_iac.model import Policy
from qase_iac.values import JSON, printable

_STOCK = Policy()
FOLDER_POLICY = ("adopt", "on_drift", "on_conflict")
"""What a folder may rule for what lies below; the brake counts a whole run."""


@dataclass(frozen=True)
class YesNo(Flag):
    """true or false; null is as if it were left out."""

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        return parse_boolean(node, row.name, reporter, null=None)


@dataclass(frozen=True)
class DefaultsType(Type):
    """`defaults:`; the rows of the kinds read it."""

    @property
    def takes(self) -> str:
        return f"a mapping over {', '.join(TAKING)}, then attributes"

    def schema(self) -> dict[str, Any]:
        kinds = {}
        for name in TAKING:
            rows = [row for row in BY_NAME[name].attributes if row.default_ok]
            properties = {row.name: described(row, row.type.schema()) for row in rows}
            properties[IGNORE] = ignored_schema(BY_NAME[name])
            kinds[name] = {"type": ["object", "null"], "additionalProperties": False, "properties": properties}
        return {"type": ["object", "null"], "additionalProperties": False, "properties": kinds}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        assert isinstance(reporter, FileReporter)
        return parse_defaults(node, reporter)


@dataclass(frozen=True)
class FolderPolicy(Group):
    """`policy:` of a folder: the brake's keys are refused with a word of their own."""

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        found: dict[str, JSON] = {}
        for name, key, value in self.pairs(node, row.name, reporter):
            known = self.by_name.get(name)
            if known is None:
                self._refuse(key, name, reporter)
            elif (parsed := known.type.parse(value, known, reporter)) is not INVALID and parsed is not None:
                found[name] = parsed
        return found

    def _refuse(self, key: yaml.Node, name: str, reporter: Reporter) -> None:
        if name in POLICY.by_name:
            detail = f"It counts a whole run. Put it into qase.yaml; a folder rules over {', '.join(FOLDER_POLICY)}."
            reporter.error(key, "policy-not-here", f"`{name}` has no meaning for a folder alone.", detail)
        else:
            hint = reporter.nearest(name, FOLDER_POLICY)
            detail = f"It takes {', '.join(FOLDER_POLICY)}."
            reporter.error(
                key, "unknown-setting", f"There is no setting `{printable(name)}` in `policy`.{hint}", detail
            )


API = Group(
    (
        Setting(
            "url",
            Line(
                r"emulator(:.+)?|https?://\S+",
                'an address such as https://api.qase.io/v1, "emulator" or "emulator:PATH"',
            ),
            "Which Qase is spoken to; `emulator` runs the built-in one in-process.",
            example="https://api.qase.io/v1",
            env=True,
        ),
        Setting("rate_limit", Number(0), "Requests a minute; 0 is none, on this machine only.", env=True, default=200),
        Setting("bulk_size", Number(1, 100), "Cases in a bulk create.", env=True, default=100),
        Setting(
            "seed",
            Line(what="a path inside the project folder"),
            "Emulator only: custom fields, option lists and members that it starts with.",
            example="emulator-seed.yaml",
            env=True,
        ),
    )
)

_URL = Line(r"https?://[^\s@]+", "an address such as https://HOST/PATH, without a user or a password")
_METHOD = Line(r"[A-Z]+", "a method such as POST or PUT")

STATE = Group(
    (
        Setting(
            "backend",
            Choice(("local", "git", "http", "s3")),
            "Where the state is kept.",
            env=True,
            default="local",
        ),
        Setting(
            "path",
            Line(what="a path of a file"),
            "local: the file of the state, from the project folder; .qase-iac/PROJECT@HOST.json when left out.",
            env=True,
        ),
        Setting(
            "ref",
            Line(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "a branch, such as qase-iac-state or refs/heads/qase-iac-state"),
            "git: the branch that holds it; qase-iac-state when left out.",
            env=True,
        ),
        Setting(
            "remote",
            Line(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "the name of a remote of the clone"),
            "git: the remote that has the branch; origin when left out.",
            env=True,
        ),
        Setting(
            "address",
            _URL,
            "http: the address of the state on a server of Terraform's protocol.",
            example="https://gitlab.com/api/v4/projects/42/terraform/state/shop",
            env=True,
        ),
        Setting("lock_address", _URL, "http: where it is locked; the same address when left out.", env=True),
        Setting("unlock_address", _URL, "http: where it is unlocked; as `lock_address` when left out.", env=True),
        Setting("update_method", _METHOD, "http: the method that writes; POST when left out.", env=True),
        Setting("lock_method", _METHOD, "http: the method that locks; LOCK when left out.", env=True),
        Setting("unlock_method", _METHOD, "http: the method that unlocks; UNLOCK when left out.", env=True),
        Setting("bucket", Line(what="the name of a bucket"), "s3: the bucket.", example="acme-tests", env=True),
        Setting(
            "key",
            Line(what="the key of an object"),
            "s3: the object; qase-iac/PROJECT@HOST.json when left out.",
            env=True,
        ),
        Setting("region", Line(what="a region"), "s3: the region; boto3's own when left out.", env=True),
        Setting("endpoint", _URL, "s3: the address of a store that is not AWS.", env=True),
    )
)
STATE_KEYS = {
    "local": ("path",),
    "git": ("ref", "remote"),
    "http": ("address", "lock_address", "unlock_address", "update_method", "lock_method", "unlock_method"),
    "s3": ("bucket", "key", "region", "endpoint"),
}
"""Backend -> the keys of `state:` that mean something for it."""
STATE_REQUIRED = {"s3": "bucket"}

POLICY = Group(
    (
        Setting(
            "adopt",
            Choice(("auto", "explicit")),
            "Whether objects that are in Qase already are taken over by suite path and title.",
            default=_STOCK.adopt,
        ),
        Setting(
            "on_drift",
            Choice(("revert", "keep", "fail")),
            "What happens to an attribute that only Qase changed.",
            default=_STOCK.on_drift,
        ),
        Setting(
            "on_conflict",
            Choice(("fail", "ours", "theirs")),
            "What happens to an attribute that both sides changed, differently.",
            default=_STOCK.on_conflict,
        ),
        Setting(
            "max_deletes", Number(0), "The brake: more deletes in one run are refused.", default=_STOCK.max_deletes
        ),
        Setting(
            "max_delete_share",
            Number(0, 1, whole=False),
            "The brake as a share of the addresses bound at the start.",
            default=_STOCK.max_delete_share,
        ),
    )
)

_FOLDER_ROWS = tuple(row for row in POLICY.rows if row.name in FOLDER_POLICY)
FOLDER_POLICY_ROW = Setting(
    "policy", FolderPolicy(_FOLDER_ROWS), "What to do about drift and conflict below this folder."
)
DEFAULTS_ROW = Setting("defaults", DefaultsType(), "Attributes of cases below that do not say them themselves.")


def parse_folder_policy(node: yaml.Node, reporter: FileReporter) -> dict[str, str]:
    """What the `policy:` of a folder says."""
    found: dict[str, str] = FOLDER_POLICY_ROW.type.parse(node, FOLDER_POLICY_ROW, reporter)
    return found


PROFILED = Group(
    (
        Setting(
            "project", Line(what="the code of a Qase project"), "The code of the project.", example="SHOP", env=True
        ),
        Setting(
            "title", Text(one_line=True, limit=MAX_TITLE), "Used only when the project is created.", example="Web shop"
        ),
        Setting("description", Text(), "Used only when the project is created.", example="Everything we sell"),
        Setting("create", YesNo(), "Whether to create the project when it does not exist.", default=False),
        Setting("api", API, "How Qase is spoken to."),
        Setting("state", STATE, "Where it is written down which object is which."),
        Setting(
            "scope",
            Group(
                (
                    Setting(
                        "suites", Globs(suites=True), "Suites that belong to it.", example=["checkout", "accounts/**"]
                    ),
                )
            ),
            "What this folder owns; the whole project when left out.",
        ),
        Setting("policy", POLICY, "What to do about drift and conflict, and the brake."),
        DEFAULTS_ROW,
        Setting("content", Globs(), "Which files are content.", default=["**"]),
        Setting("exclude", Globs(), "Files and folders that are not content.", example=["drafts/**"]),
    )
)
"""What a profile may overlay."""


@dataclass(frozen=True)
class Profiles(Type):
    """`profiles:`; only the one in use is resolved, the others are checked as far as that goes without."""

    @property
    def takes(self) -> str:
        return "a mapping from a profile's name to the settings it overlays"

    def schema(self) -> dict[str, Any]:
        return {"type": ["object", "null"], "additionalProperties": PROFILED.schema()}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        raise NotImplementedError("config/settings.py takes profiles apart")


SETTINGS = Group((*PROFILED.rows, Setting("profiles", Profiles(), "Settings that --profile NAME lays over these.")))
"""All of qase.yaml."""
