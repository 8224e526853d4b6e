"""Random canonical, bound values for every row of every table: hypothesis strategies by the row's type."""

from __future__ import annotations

from datetime import UTC, datetime

from contract_worlds import World
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from qase_iac.attributes import (
    Automation,
    CustomFieldValue,
    Date,
    Files,
    Flag,
    Gherkin,
    Options,
    Parameters,
    RefSet,
    RefTo,
    Steps,
    Text,
    TextSet,
    Words,
)
from qase_iac.attributes.base import Attribute
from qase_iac.attributes.text import canonical_instant
from qase_iac.kinds import Kind
from qase_iac.model import CustomField
from qase_iac.values import JSON, Attributes

# A lone CR is not one of the line ends that count as equal (authoring.md), and half a surrogate pair is no text.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
LINE = st.text(LETTERS.filter(lambda char: char != "\n"), min_size=1, max_size=20).filter(str.strip)
BLOCK = st.lists(st.text(LETTERS, max_size=20), max_size=4).map("\r\n".join)
# Tags that differ only in case, or in outer white space, are one tag for some workspaces.
WORD = st.text(st.sampled_from("abcxyz019-_ ßé漢✓"), min_size=1, max_size=8).filter(lambda text: text == text.strip())
TITLE = LINE | st.just("x" * 255) | st.just("✓" * 255)


def value_of(row: Attribute, world: World) -> SearchStrategy[JSON]:
    """Values that `resolve` and binding may give for the row."""
    match row.type:
        case Text(one_line=True):
            return TITLE
        case Text():
            return BLOCK | st.none()
        case Options(field=field):
            return st.sampled_from([option.slug for option in world.catalogue.options[field]])
        case Automation(words=words) | Words(words=words):
            return st.sampled_from(words)
        case Flag():
            return st.booleans()
        case Date():
            return st.none() | INSTANTS
        case RefTo(kind="suite"):
            return st.sampled_from([None, *world.suites])
        case RefTo(kind="milestone"):
            return st.sampled_from([None, *world.milestones])
        case RefSet():
            return st.lists(st.sampled_from(world.cases), min_size=1, unique=True)
        case TextSet():
            return st.lists(WORD, max_size=4)
        case Files():
            return files(world)
        case Parameters():
            return parameters(world)
        case Steps():
            return st.lists(step(world, row.type.shared_allowed), min_size=int(row.type.at_least_one), max_size=5)
        case Gherkin():
            return BLOCK.filter(str.strip)
        case CustomFieldValue(title=title):
            field = world.catalogue.field(title)
            assert field
            return custom_value(field)
    raise AssertionError(f"no values for {row.type}: a new type needs some here")


INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: canonical_instant(moment.isoformat())
) | st.dates(datetime(1970, 1, 2).date(), datetime(2200, 1, 1).date()).map(lambda day: day.isoformat())


def files(world: World) -> SearchStrategy[JSON]:
    return st.lists(st.sampled_from(world.files), max_size=2, unique=True)


def step(world: World, shared: bool) -> SearchStrategy[JSON]:
    def texts(nested: SearchStrategy[JSON] | None) -> SearchStrategy[JSON]:
        optional = {"data": BLOCK, "expected": BLOCK, "attachments": files(world)}
        if nested is not None:
            optional["steps"] = st.lists(nested, max_size=3)
        own = st.fixed_dictionaries({"action": BLOCK.filter(str.strip)}, optional=optional)
        return own | st.sampled_from(world.shared_steps).map(lambda hash: {"shared": hash}) if shared else own

    return st.recursive(texts(None), texts, max_leaves=5)


def parameters(world: World) -> SearchStrategy[JSON]:
    def group(names: list[str]) -> SearchStrategy[JSON]:
        rows = st.lists(st.tuples(*[WORD] * len(names)), min_size=1, max_size=3)
        return rows.map(lambda rows: {name: [row[at] for row in rows] for at, name in enumerate(names)})

    names = st.lists(WORD | st.sampled_from(["shared", "title", "items"]), min_size=1, max_size=6, unique=True)
    sizes = st.lists(st.integers(1, 3), max_size=4)

    def items(drawn: tuple[list[str], list[int]]) -> SearchStrategy[JSON]:
        left, groups = list(drawn[0]), []
        for size in drawn[1]:
            if left:
                groups.append(group(left[:size]))
                left = left[size:]
        return st.tuples(*groups).map(list)

    shared = sorted((world.catalogue.shared_parameters or {}).values())
    references = st.lists(st.sampled_from(shared).map(lambda id: {"shared": id}), max_size=2)
    own = st.tuples(names, sizes).flatmap(items)
    return st.tuples(own, references).map(lambda both: [*both[0], *both[1]])


def custom_value(field: CustomField) -> SearchStrategy[JSON]:
    titles = st.sampled_from([option.title for option in field.options] or [""])
    by_type: dict[str, SearchStrategy[JSON]] = {
        "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
        "string": BLOCK,
        "text": BLOCK,
        "url": st.sampled_from(["https://example.com/a?b=c#d", "http://[::1]:80/ü"]),
        "checkbox": st.booleans(),
        "selectbox": titles,
        "radio": titles,
        "multiselect": st.lists(titles, min_size=1, unique=True).map(sorted),
        "user": st.sampled_from(["ada@example.com", "b@example.com"]),
        "datetime": INSTANTS,
    }
    return by_type[field.type] | st.just(False if field.type == "checkbox" else None)


def rows_of(kind: Kind, world: World) -> list[Attribute]:
    """Every managed row, custom fields one by one."""
    fields = world.catalogue.custom_fields if kind.custom else ()
    return [*kind.managed, *(kind.attribute(f"custom_fields.{field.title}") for field in fields)]


@st.composite
def attributes(draw: st.DrawFn, kind: Kind, world: World) -> Attributes:
    """Some of a kind's attributes, those required always, of rivals at most one."""
    values: Attributes = {}
    for row in rows_of(kind, world):
        needed = row.required or row.members  # no client ever creates an empty plan (section 10)
        rival = any(row.name in group and values.keys() & set(group) for group in kind.exclusive)
        if not rival and (needed or draw(st.booleans())):
            values[row.name] = draw(value_of(row, world))
    return values
