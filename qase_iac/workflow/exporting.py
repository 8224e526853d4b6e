"""`export`: a live project as a project folder with its state, proven by planning from what was written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from qase_iac.api.refresh import refresh
from qase_iac.apply.workspace import workspace_of
from qase_iac.config import files
from qase_iac.config.catalogue_file import write_catalogue
from qase_iac.config.settings import Settings
from qase_iac.config.writer import GITIGNORE, Layout, WritableFile, Written, check_target, write_project
from qase_iac.convert.live import export_project
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.errors import ConfigurationError, NotFound, QaseIacError
from qase_iac.model import Desired, Snapshot
from qase_iac.plan.model import Options, Plan
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.model import State
from qase_iac.state.store import LocalStore, state_path
from qase_iac.workflow.planning import bound_ids
from qase_iac.workflow.session import TOOL, Ask, Connection, Session, World, emulator_database


@dataclass(frozen=True)
class Exported:
    """What was written: `paths` below the folder, the number of objects, notes on what could not be kept, and the plan
    from the folder, which is to be empty; `problems` are errors that made it impossible."""

    paths: tuple[str, ...]
    objects: int
    notes: tuple[str, ...]
    plan: Plan | None
    problems: tuple[Diagnostic, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether the next plan changes nothing, sees no drift, and leaves nothing out."""
        plan = self.plan
        if plan is None or self.problems:
            return False
        return not (plan.changes or plan.drift or plan.summary.unmanaged)


def source_session(ask: Ask, world: World, project: str | None) -> Session:
    """The project to export: that of the folder at hand, or, where there is none, `project` or the environment's."""
    code = project or world.environment.get("QASE_TESTOPS_PROJECT", "")
    if not (ask.folder / files.PROJECT_FILE).is_file():
        if not code:
            raise QaseIacError(
                "Which project is to be exported?", hint="Pass --project CODE, or set QASE_TESTOPS_PROJECT."
            )
        settings = Settings(root=ask.folder, project=code)
        if ask.rate_limit is not None:
            settings = replace(settings, rate_limit=ask.rate_limit)
        return Session(ask, world, settings)
    session = Session(ask, world)
    session.check_settings()
    if project:
        session.settings = replace(session.settings, project=project)
    return session


def export(
    session: Session, target: Path, layout: Layout, lineage: Callable[[], str] = lambda: str(uuid.uuid4())
) -> Exported:
    """Writes the live project of `session` to `target`, an empty or new folder, with the state that binds it.

    The workspace's own words go with it (catalogue.yaml), so that the folder validates offline.

    Whether the folder can be trusted is for the caller to see: `Exported.proven`. What was written stays in any case.
    Raises QaseIacError when `target` is not empty or cannot be written, ApiError when Qase cannot be read.
    """
    target = Path(os.path.abspath(target))
    check_target(target)
    connection = session.connect()
    try:
        snapshot = read_all(session, connection, State())
        title = str(connection.client.get(f"/project/{session.project}").get("title") or "")
        api = _address_from(session, target)
        project, bindings = export_project(snapshot, session.project, title=title, api_url=api or "")

        def fetch(file: WritableFile) -> bytes:
            return connection.client.download(file.url)

        def finish(folder: Path, written: Written) -> None:
            state.files = dict(written.files)
            LocalStore(state_path(folder, session.project, state.api)).write(state)
            write_catalogue(folder, snapshot.catalogue)
            (folder / ".gitignore").write_text(GITIGNORE, encoding="utf-8")

        state = State(lineage(), 1, session.project, api or session.api, TOOL, bindings)
        state.workspace = workspace_of(snapshot, Desired(session.project))
        written = write_project(target, project, layout, fetch=fetch, finish=finish)
    finally:
        connection.close()
    fresh = Session(replace(session.ask, folder=target, profile=None, api=api), session.world)
    plan, problems = _proof(fresh, state.api, snapshot)
    return Exported(written.paths, len(bindings), tuple(project.notes), plan, tuple(problems))


def read_all(session: Session, connection: Connection, state: State) -> Snapshot:
    """Everything in Qase, whole. What `state` binds and no list shows is asked for. Raises NotFound, ApiError."""
    snapshot = refresh(
        connection.client,
        session.project,
        state=state,
        need_members=True,
        need_shared_parameters=True,
        wanted=lambda live: True,
        full=True,
        progress=session.world.progress,
    )
    if not snapshot.exists:
        raise NotFound(f"Qase has no project {session.project}, or the token may not see it.", status=404)
    return snapshot


def _address_from(session: Session, target: Path) -> str | None:
    """What `api.url` has to say in the new folder to reach the same Qase; None: the default."""
    if session.origin == "default":
        return None
    if not session.emulated:
        return session.api
    database = emulator_database(session.root, session.api)
    if database is None:
        return session.api
    return f"emulator:{Path(os.path.relpath(database.absolute(), target.absolute())).as_posix()}"


def _proof(session: Session, api: str, snapshot: Snapshot) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan from the new folder, files and state read back from the disk, against what was read of Qase.

    None with the errors where there can be none.
    """
    try:
        loaded = session.load_valid()
    except ConfigurationError as error:
        return None, list(error.diagnostics)
    state = session.read_state()
    desired, found = resolve(loaded.desired, snapshot, bound_ids(state))
    if has_errors(found):
        return None, found
    plan = build(desired, snapshot, state, Options(), api=api, tool=TOOL, config_digest=session.digest(loaded))
    return replace(plan, findings=(*plan.findings, *found)), [each for each in plan.findings if each.is_error]
