"""`validate`: everything that can be said about the files, offline, and with `online` about the workspace's words."""

from __future__ import annotations

from dataclasses import dataclass

from qase_iac.config.catalogue_file import write_catalogue
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.model import Catalogue
from qase_iac.plan.resolve import resolve
from qase_iac.workflow.owners import rivals
from qase_iac.workflow.planning import bound_ids, read
from qase_iac.workflow.session import CATALOGUE, Session


@dataclass(frozen=True)
class Validated:
    """What was found; `files` content files declare `objects` objects; `remembered` is the catalogue file written."""

    diagnostics: list[Diagnostic]
    files: int
    objects: int
    remembered: str | None = None

    @property
    def valid(self) -> bool:
        return not has_errors(self.diagnostics)


def validate(session: Session, online: bool = False, remember: bool = False) -> Validated:
    """Checks a project folder. Online it reads Qase, too, and `remember` writes its words to catalogue.yaml."""
    loaded = session.load(explained=True)
    loaded.diagnostics.extend(rivals(session))
    if not (online or remember):
        return Validated(loaded.diagnostics, loaded.files, len(loaded.desired.resources))
    state = session.read_state()
    connection = session.connect()
    try:
        snapshot = read(session, connection, loaded.desired, state)
    finally:
        connection.close()
    # The live workspace decides about words; what else is wrong offline stays.
    loaded = session.load(Catalogue(options=snapshot.catalogue.options, live=False), explained=True)
    _, problems = resolve(loaded.desired, snapshot, bound_ids(state))
    known = {(d.code, d.source.file, d.source.line) for d in loaded.diagnostics}
    live = [d for d in problems if (d.code, d.source.file, d.source.line) not in known]
    found = loaded.diagnostics + rivals(session) + live
    if remember:
        write_catalogue(session.root, snapshot.catalogue)
    return Validated(
        sorted(found, key=Diagnostic.sort_key),
        loaded.files,
        len(loaded.desired.resources),
        CATALOGUE if remember else None,
    )
