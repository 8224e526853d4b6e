"""The values that flow: what is DESIRED (YAML), what is LIVE (Snapshot), and the workspace's own lists (Catalogue).

The law: attribute values are JSON values in one canonical shape in all three of DESIRED, SNAPSHOT and STATE, so that
comparing is `==` on `Type.canon(value)`. References are addresses in DESIRED and remote ids in SNAPSHOT and STATE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qase_iac.diagnostics import SourceRange
from qase_iac.values import JSON, Address, Attributes, RemoteId


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a system field (qase-api.md section 11.1) or of a custom field (then slug is the title)."""

    id: int
    slug: str
    title: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class CustomField:
    """The definition of a custom field of cases (qase-api.md section 11.2). `type` is one of FIELD_TYPES."""

    id: int
    title: str
    type: str
    options: tuple[Option, ...] = ()
    required: bool = False
    default: str | None = None


FIELD_TYPES = (
    "number",
    "string",
    "text",
    "selectbox",
    "checkbox",
    "radio",
    "multiselect",
    "url",
    "user",
    "datetime",
)
"""Custom-field types in the order of their numbers at the API (0 to 9)."""


@dataclass(frozen=True)
class Catalogue:
    """The workspace's own lists: options of system fields, custom fields, members, shared parameters.

    `options` maps a system field's slug to its options; a field that is not in it is unknown (offline: the stock
    list counts). `members` maps e-mail to user id, `shared_parameters` title to uuid; both are None when not read.
    """

    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    members: Mapping[str, int] | None = None
    shared_parameters: Mapping[str, str] | None = None
    live: bool = True

    def __post_init__(self) -> None:
        by_title: dict[str, list[CustomField]] = {}
        for each in self.custom_fields:
            by_title.setdefault(each.title, []).append(each)
        words: dict[str, dict[str, Option]] = {}
        ids: dict[str, dict[JSON, Option]] = {}
        for name, options in self.options.items():
            # Slugs win over titles: an option titled like another one's slug must not capture its word.
            words[name] = {o.title.casefold(): o for o in reversed(options)} | {
                o.slug.casefold(): o for o in reversed(options)
            }
            ids[name] = {o.id: o for o in options} | {str(o.id): o for o in options} | {o.slug: o for o in options}
        object.__setattr__(self, "_fields", by_title)
        object.__setattr__(self, "_fields_by_id", {each.id: each for each in self.custom_fields})
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_ids", ids)

    def field(self, title: str) -> CustomField | None:
        """The custom field of that title, None if there is none. Raises LookupError when several carry it."""
        found: list[CustomField] = self._fields.get(title, [])  # type: ignore[attr-defined]
        if len(found) > 1:
            raise LookupError(f"{len(found)} custom fields are called {title!r} (ids {[f.id for f in found]})")
        return found[0] if found else None

    def field_by_id(self, id: int) -> CustomField | None:
        found: CustomField | None = self._fields_by_id.get(id)  # type: ignore[attr-defined]
        return found

    def option(self, name: str, word: str) -> Option | None:
        """The option of system field `name` that a word in YAML means: its slug, else its title, case aside."""
        found: Option | None = self._words.get(name, {}).get(word.casefold())  # type: ignore[attr-defined]
        return found

    def option_by_id(self, name: str, value: JSON) -> Option | None:
        """The option that the API means by an id (int, or digits as text) or, in the 2020 dialect, a slug."""
        found: Option | None = self._ids.get(name, {}).get(value)  # type: ignore[attr-defined]
        return found

    def default(self, name: str) -> Option | None:
        """The option that the server gives a case when the body leaves the field out."""
        options = self.options.get(name, ())
        return next((o for o in options if o.default), options[0] if options else None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do about drift (only Qase changed) and conflict (both changed, differently), and the brake."""

    adopt: str = "auto"
    on_drift: str = "revert"
    on_conflict: str = "fail"
    max_deletes: int = 20
    max_delete_share: float = 0.2


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared object.

    `attributes` holds what the YAML says (defaults merged in), `local` what only this tool reads (`select`,
    `exclude`, `assignees`). `source` is where its key stands. `order` counts declarations in creation order
    (file path, position in the file). `origin` names how to find the node again: (file, yaml path).
    """

    address: Address
    attributes: Attributes
    source: SourceRange
    order: int
    local: Attributes = field(default_factory=dict)
    protect: bool | None = None
    ignore: frozenset[str] = frozenset()
    policy: Policy = Policy()
    defaulted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Moved:
    """One entry of a `moved` list: the key `origin` is now called `target`."""

    origin: Address
    target: Address
    source: SourceRange


@dataclass(frozen=True, slots=True)
class Scope:
    """What the project folder owns: globs on suite keys; `None` is the whole project."""

    suites: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Desired:
    """The whole project folder as values. `digest` is over the desired model and the effective settings."""

    project: str
    title: str | None = None
    description: str | None = None
    create: bool = False
    resources: Mapping[Address, Resource] = field(default_factory=dict)
    moved: tuple[Moved, ...] = ()
    removed: Mapping[Address, SourceRange] = field(default_factory=dict)
    adopt: Mapping[Address, tuple[RemoteId, SourceRange]] = field(default_factory=dict)
    scope: Scope = Scope()
    policy: Policy = Policy()
    content_files: int = 0


@dataclass(frozen=True, slots=True)
class LiveObject:
    """One object as Qase holds it, decoded. References and attachments inside are remote ids and hashes.

    `meta` holds what is not an attribute: `updated_at`, `created_at`, `author_id`, `cases_count` (shared step, plan),
    `cases` (shared step: ids that use it), `assignees` (plan: number of members with one). `partial` is true when
    attributes that only a single GET returns (a plan's members) were not read.
    """

    kind: str
    id: RemoteId
    attributes: Attributes
    meta: Attributes = field(default_factory=dict)
    partial: bool = False

    @property
    def title(self) -> str:
        title: str = self.attributes.get("title") or ""
        return title


@dataclass
class Snapshot:
    """What Qase holds: kind -> id -> object, in the order in which the lists gave them.

    `gone` holds (kind, id) of bound objects that their own GET confirmed as missing (404). `files` maps the hash
    of every attachment seen to `{"name", "size", "url"}`. `unknown_shared` holds hashes of shared steps that cases
    use and the list does not show. `exists` is false when the project itself answered 404.
    """

    exists: bool = True
    objects: dict[str, dict[RemoteId, LiveObject]] = field(default_factory=dict)
    gone: set[tuple[str, RemoteId]] = field(default_factory=set)
    files: dict[str, dict[str, JSON]] = field(default_factory=dict)
    unknown_shared: set[str] = field(default_factory=set)
    catalogue: Catalogue = field(default_factory=Catalogue)
    requests: int = 0

    def of(self, kind: str) -> dict[RemoteId, LiveObject]:
        return self.objects.get(kind, {})

    def get(self, kind: str, id: RemoteId) -> LiveObject | None:
        return self.objects.get(kind, {}).get(id)

    def __iter__(self) -> Iterator[LiveObject]:
        for objects in self.objects.values():
            yield from objects.values()
