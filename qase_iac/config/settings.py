"""qase.yaml -> Settings: what this folder is about, how Qase is reached, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qase_iac.attributes.base import is_null
from qase_iac.config import files
from qase_iac.config.defaults import Defaults
from qase_iac.config.environment import overlaid, resolved, without
from qase_iac.config.reporter import FileReporter, nearest
from qase_iac.config.settings_table import API, PROFILED, STATE, STATE_KEYS, STATE_REQUIRED
from qase_iac.config.settings_types import Setting
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.errors import ConfigurationError
from qase_iac.model import Policy, Scope
from qase_iac.values import printable

CODE = re.compile(r"[A-Za-z0-9_]{2,10}\Z")
NEW_CODE = re.compile(r"[A-Za-z]{2,10}\Z")
_ENV_PROJECT = "QASE_TESTOPS_PROJECT"
_ROOT = Setting("", PROFILED, "")


class _SettingsReporter(FileReporter):
    """Settings are words and numbers: what became a list or a mapping was hardly meant as a text."""

    def slip(self, node: yaml.Node) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Overrides:
    """What options of the command line lay over everything else; None leaves it alone."""

    rate_limit: int | None = None
    on_drift: str | None = None
    on_conflict: str | None = None


@dataclass(frozen=True)
class Settings:
    """The effective settings: option, environment, profile, file, in this order.

    `api_file_url` is what the file (or the profile) says, None if nothing: who else may name the API, and whether
    it may be told the token, is not decided here. `seed` is relative to `root`, with `/`.
    `state_options` are the keys of `state:` for the backend, `path` aside.
    `overrides` count before the `policy:` of folders, too.
    """

    root: Path
    project: str
    title: str | None = None
    description: str | None = None
    create: bool = False
    api_file_url: str | None = None
    rate_limit: int = API.by_name["rate_limit"].default
    bulk_size: int = API.by_name["bulk_size"].default
    seed: str | None = None
    state_backend: str = STATE.by_name["backend"].default
    state_path: str | None = None
    state_options: Mapping[str, str] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    policy: Policy = field(default_factory=Policy)
    defaults: Defaults = field(default_factory=dict)
    content: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()
    profile: str | None = None
    overrides: Overrides = Overrides()


def load_settings(
    root: Path, *, profile: str | None, environment: Mapping[str, str], overrides: Overrides | None = None
) -> tuple[Settings | None, list[Diagnostic]]:
    """The settings of a project folder, as far as they can be told, and everything that is wrong with them.

    None when qase.yaml cannot be read at all. With errors the settings are good for finding more of them only.
    """
    try:
        root = files.find_project(root)
    except ConfigurationError as error:
        return None, list(error.diagnostics)
    reader = _Reader(root, environment, overrides or Overrides())
    settings = reader.read(profile)
    return settings, sorted(dict.fromkeys(reader.reporter.diagnostics), key=Diagnostic.sort_key)


def state_problems(state: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with `state:` as a whole: (code, summary, detail)."""
    backend = state.get("backend", Settings.state_backend)
    for name in state:
        if name != "backend" and name not in STATE_KEYS[backend]:
            owner = next(each for each, names in STATE_KEYS.items() if name in names)
            detail = f"It belongs to `backend: {owner}`; `{backend}` takes {', '.join(STATE_KEYS[backend])}."
            yield "unknown-setting", f"`state.{name}` has no meaning with `backend: {backend}`.", detail
    if (needed := STATE_REQUIRED.get(backend)) and needed not in state:
        yield "missing-attribute", f"`backend: {backend}` needs `state.{needed}`.", STATE.by_name[needed].doc


class _Reader:
    def __init__(self, root: Path, environment: Mapping[str, str], overrides: Overrides) -> None:
        self.root = root
        self.environment = environment
        self.overrides = overrides
        self.reporter = _SettingsReporter(files.PROJECT_FILE)
        self.places: dict[str, yaml.Node] = {}

    def read(self, profile: str | None) -> Settings | None:
        path = self.root / files.PROJECT_FILE
        data = files.read(files.SourceFile(path, files.PROJECT_FILE, 0))
        if isinstance(data, Diagnostic):
            self.reporter.diagnostics.append(data)
            return None
        document = read_yaml(data, files.PROJECT_FILE)
        self.reporter = _SettingsReporter(files.PROJECT_FILE, document.text, document.diagnostics)
        root = document.root
        if not isinstance(root, yaml.MappingNode):
            if root is not None or not document.diagnostics:
                self._whole("wrong-type", "qase.yaml holds no settings.", "It takes at least `project: CODE`.")
            return None
        node = self._profiled(root, profile)
        filled = resolved(node, PROFILED, self.environment, self.reporter)
        self.places = {name: value for name, _, value in self.reporter.items(node)}
        return self._settings(PROFILED.parse(filled, _ROOT, self.reporter), profile)

    def _whole(self, code: str, summary: str, detail: str) -> None:
        where = SourceRange(files.PROJECT_FILE, 1, 1)
        self.reporter.diagnostics.append(Diagnostic(code, summary, detail, where))

    def _at(self, name: str, code: str, summary: str, detail: str) -> None:
        """A problem of a setting, at its place in the file when it stands there."""
        node = self.places.get(name)
        if node is None:
            self._whole(code, summary, detail)
        else:
            self.reporter.error(node, code, summary, detail)

    # --- profiles

    def _profiled(self, root: yaml.MappingNode, profile: str | None) -> yaml.Node:
        """The settings with the profile in use laid over them; all are checked as far as that goes."""
        found = {name: value for name, _, value in self.reporter.items(root)}.get("profiles")
        base = without(root, "profiles", self.reporter)
        profiles = self._profiles(found)
        if profiles or profile:
            for node in (base, *profiles.values()):
                PROFILED.parse(resolved(node, PROFILED, None, self.reporter), _ROOT, self.reporter)
        if profile is None:
            return base
        if profile not in profiles:
            known = f"There are {', '.join(map(printable, profiles))}." if profiles else "qase.yaml has no `profiles:`."
            summary = f"There is no profile `{printable(profile)}`.{nearest(profile, profiles)}"
            self._whole("unknown-profile", summary, known)
            return base
        return overlaid(base, profiles[profile], self.reporter)

    def _profiles(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        if node is None or is_null(node):
            return found
        if not isinstance(node, yaml.MappingNode):
            self.reporter.error(node, "wrong-type", "`profiles` takes a mapping from name to settings.")
            return found
        for name, _, value in self.reporter.items(node):
            if isinstance(value, yaml.MappingNode):
                found[name] = value
            elif is_null(value):
                found[name] = yaml.MappingNode("", [], value.start_mark, value.end_mark)
            else:
                self.reporter.error(
                    value, "wrong-type", f"The profile `{printable(name)}` takes a mapping of settings."
                )
        return found

    # --- the effective settings

    def _settings(self, found: dict[str, Any], profile: str | None) -> Settings:
        api, state, policy = found.get("api", {}), found.get("state", {}), dict(found.get("policy", {}))
        policy |= {name: word for name in ("on_drift", "on_conflict") if (word := getattr(self.overrides, name))}
        limit = self.overrides.rate_limit
        suites = found.get("scope", {}).get("suites")
        self._check_create(found)
        for problem in state_problems(state):
            self._at("state", *problem)
        return Settings(
            root=self.root,
            project=self._project(found),
            title=found.get("title"),
            description=found.get("description"),
            create=bool(found.get("create")),
            api_file_url=api.get("url"),
            rate_limit=limit if limit is not None else api.get("rate_limit", Settings.rate_limit),
            bulk_size=api.get("bulk_size", Settings.bulk_size),
            seed=self._seed(api.get("seed")),
            state_backend=state.get("backend", Settings.state_backend),
            state_path=state.get("path"),
            state_options={name: value for name, value in state.items() if name not in ("backend", "path")},
            scope=Scope(tuple(suites) if suites is not None else None),
            policy=Policy(**policy),
            defaults=found.get("defaults", {}),
            content=tuple(found.get("content", Settings.content)),
            exclude=tuple(found.get("exclude", ())),
            profile=profile,
            overrides=self.overrides,
        )

    def _project(self, found: dict[str, Any]) -> str:
        written, given = found.get("project"), self.environment.get(_ENV_PROJECT, "").strip()
        code: str = written or given
        if not code:
            if "project" not in self.places or is_null(self.places["project"]):
                detail = f"Write `project: SHOP`, the code that Qase shows in its addresses, or set {_ENV_PROJECT}."
                self._at("project", "missing-attribute", "qase.yaml names no `project`.", detail)
            return ""
        if written and given and written != given:
            summary = f"{_ENV_PROJECT} says {printable(given)!r}, this file {printable(written)!r}: the file counts."
            detail = "Unset the variable, or remove `project:` here so that the variable counts."
            self.reporter.warning(self.places["project"], "project-differs", summary, detail)
        shape, what = (NEW_CODE, "letters") if found.get("create") else (CODE, "letters, digits or `_`")
        if not shape.match(code):
            why = " of a project that Qase is to create" if found.get("create") else ""
            where = "" if written else f" (from {_ENV_PROJECT})"
            summary = f"{printable(code)!r}{where} is no project code."
            self._at("project", "bad-project-code", summary, f"The code{why} has 2 to 10 {what}.")
        return code

    def _check_create(self, found: dict[str, Any]) -> None:
        if found.get("create") and not found.get("title") and "title" not in self.places:
            detail = "Qase needs a title for the project that it is to create. Write `title: …`."
            self._at("create", "missing-attribute", "With `create: true` a `title` is required.", detail)

    def _seed(self, written: str | None) -> str | None:
        if written is None:
            return None
        top = self.root.resolve()
        path = (top / written).resolve()
        node = {name: value for name, _, value in self.reporter.items(self.places["api"])}["seed"]
        shown = printable(written)
        if not path.is_relative_to(top):
            detail = "Seeds lie inside it, so that the folder can be moved and shared as a whole."
            self.reporter.error(node, "seed-outside", f"The seed `{shown}` leaves the project folder.", detail)
        elif not path.is_file():
            detail = "`qase-iac convert` writes one; without a seed, remove the line."
            self.reporter.error(node, "seed-missing", f"The seed `{shown}` does not exist.", detail)
        else:
            return path.relative_to(top).as_posix()
        return None
