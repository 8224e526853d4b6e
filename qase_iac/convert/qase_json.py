"""Qase's own JSON export -> a project folder as values.

`{"suites": [{id, title, description, preconditions, suites: […], cases: [{…}]}]}`; also, where present, `cases` beside
the suites, `milestones` and `shared_steps`. Nothing is lost in silence: what has no place is in the notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qase_iac.attributes import MAX_TITLE, Options, normal_text
from qase_iac.config.layout import Keys, Named, place_suites
from qase_iac.config.writer import WritableObject, WritableProject
from qase_iac.convert.notes import Notes
from qase_iac.convert.qase_cases import CaseReader
from qase_iac.convert.qase_steps import StepReader
from qase_iac.convert.reading import Source, kind_of, parse_json
from qase_iac.convert.seed import SEED_FILE, Seed
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.values import JSON, Attributes, RemoteId, printable

NAME = "JSON export of Qase"
MAX_SUITE_DEPTH = 60
_TOP = frozenset(["suites", "cases", "milestones", "shared_steps", "title", "code", "description", "project"])
_SUITE = frozenset(["id", "title", "description", "preconditions", "suites", "cases", "position", "parent_id"])


def read(data: bytes, *, code: str, title: str = "") -> WritableProject:
    """The project that an export holds; `title` counts when the export gives none.

    Raises QaseIacError that says what is wrong, and where.
    """
    notes = Notes()
    root = parse_json(data, notes)
    if not isinstance(root, dict) or not root.keys() & {"suites", "cases"}:
        what = (
            f"its keys are {printable(', '.join(sorted(root)[:8]))[:200]}"
            if isinstance(root, dict) and root
            else kind_of(root)
        )
        hint = "In Qase: project, Export, JSON. Its file begins with a list `suites`."
        raise QaseIacError(f"This is no {NAME}: there is no `suites` at its top ({what}).", hint=hint)
    reader = _Reader(Source(notes))
    return reader.project(root, code, title)


@dataclass
class _Suite:
    """A suite as met: `id` is its own if no other has it."""

    id: RemoteId
    parent: RemoteId | None
    title: str
    attributes: Attributes


@dataclass
class _Reader:
    source: Source
    seed: Seed = field(default_factory=Seed)
    suites: list[_Suite] = field(default_factory=list)
    cases: list[tuple[RemoteId | None, dict[str, Any], str]] = field(default_factory=list)
    _ids: set[RemoteId] = field(default_factory=set)

    def project(self, root: dict[str, Any], code: str, title: str) -> WritableProject:
        self.source.unknown(root, _TOP, "project")
        self._suites(root, None, "$", 1)
        steps = StepReader(self.source)
        self._shared_steps(root, steps)
        cases = CaseReader(self.source, self.seed, steps)
        for entity, where in self.source.objects(root, "milestones", "$"):
            cases.milestone(entity, where)
        read = [(suite, entity.get("id"), cases.case(entity, where)) for suite, entity, where in self.cases]
        title = self.source.text(root, "title", "$") or title or code
        settings = _settings(code, title, self.source.text(root, "description", "$"))
        self.source.finish(NAME)
        project = self._assemble(read, cases)
        project.settings = settings
        stock = {row.type.field: row.type for row in BY_NAME["case"].attributes if isinstance(row.type, Options)}
        project.documents[SEED_FILE] = self.seed.document(stock)
        if words := self.seed.catalogue(stock):
            project.documents["catalogue.yaml"] = words
        project.notes = self.source.notes.lines()
        return project

    # --- reading

    def _suites(self, entity: dict[str, Any], parent: RemoteId | None, where: str, depth: int) -> None:
        """Notes all suites and cases below; cases before the suites beside them."""
        self.cases += [(parent, case, place) for case, place in self.source.objects(entity, "cases", where)]
        for suite, place in self.source.objects(entity, "suites", where):
            if depth > MAX_SUITE_DEPTH:
                self.source.problem(place, f"suites are nested more than {MAX_SUITE_DEPTH} levels deep.")
                return
            self.source.unknown(suite, _SUITE, "suite")
            title = self.source.title(suite, place, "suite")
            attributes: Attributes = {"title": title}
            for name in ("description", "preconditions"):
                if normal_text(text := self.source.text(suite, name, place)):
                    attributes[name] = text
            id = self._id(suite.get("id"), len(self.suites))
            self.suites.append(_Suite(id, parent, title, attributes))
            self._suites(suite, id, place, depth + 1)

    def _id(self, own: JSON, position: int) -> RemoteId:
        """The id of the file where it is unique; only names for the nameless are made of it."""
        good = isinstance(own, int | str) and not isinstance(own, bool)
        id: RemoteId = own if good and own not in self._ids else f"n{position + 1}"
        while id in self._ids:
            id = f"{id}x"
        self._ids.add(id)
        return id

    def _shared_steps(self, root: dict[str, Any], steps: StepReader) -> None:
        for entity, where in self.source.objects(root, "shared_steps", "$"):
            title = self.source.title(entity, where, "shared step")
            spread = {name: entity[name] for name in ("action", "expected_result", "data") if name in entity}
            rows = steps.steps(entity if entity.get("steps") else {"steps": [spread]}, where)
            hash = entity.get("hash") or entity.get("id") or title
            if rows and str(hash) not in steps.shared:
                steps.declare(str(hash), title, rows)
            else:
                self.source.notes.add("shared steps without steps, or there twice, left out", title)

    # --- putting together

    def _assemble(self, read: list[tuple[RemoteId | None, JSON, Attributes]], cases: CaseReader) -> WritableProject:
        places = place_suites((suite.id, suite.title, suite.parent) for suite in self.suites)
        project = WritableProject({}, suites={place.key: place for place in places.values()})
        objects = project.objects
        objects += [WritableObject("milestone", key, attributes) for key, attributes in cases.milestones.values()]
        objects += cases.steps.objects
        for suite in self.suites:
            above = places[suite.parent].key if suite.parent is not None else None
            objects.append(WritableObject("suite", places[suite.id].key, suite.attributes, above))
        keys = Keys()
        for at, (parent, id, attributes) in enumerate(read, start=1):
            place = places[parent] if parent is not None else None
            hint = place.key.rpartition("/")[2] if place else ""
            key = keys.give(Named(id if isinstance(id, int | str) else at, attributes["title"], "case", hint))
            cases.finish(attributes)
            objects.append(WritableObject("case", key, attributes, place.key if place else None))
        return project


def _settings(code: str, title: str, description: str) -> dict[str, JSON]:
    line = " ".join(title.split())[:MAX_TITLE]
    settings: dict[str, JSON] = {"project": code, "title": line or code}
    if normal_text(description):
        settings["description"] = description
    return {**settings, "create": True, "api": {"seed": SEED_FILE}}
