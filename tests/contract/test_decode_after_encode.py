"""The law: what is encoded, taken by the server and decoded again is what it was, for every kind and attribute.

The server is the emulator, over pairwise settings of everything that nobody has documented (contract_worlds.py).
"""

from __future__ import annotations

import itertools
import json
import string

import pytest
from contract_values import attributes, rows_of, value_of
from contract_worlds import SWITCHES, WORLDS, Row, World, pairwise, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qase_iac.attributes import Attribute
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, KINDS, Kind
from qase_iac.model import LiveObject
from qase_iac.values import JSON, Attributes

LAW = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
DRAWN = st.sampled_from(WORLDS)
by_kind = pytest.mark.parametrize("kind", CONTENT_KINDS, ids=lambda kind: kind.name)


def same(kind: Kind, wanted: Attributes, live: LiveObject | None) -> None:
    """Each attribute that was sent is there and equal; all are JSON values."""
    assert live is not None
    for name, value in wanted.items():
        assert name in live.attributes, name
        assert kind.canon(name, live.attributes[name]) == kind.canon(name, value), name
    assert json.loads(json.dumps(live.attributes)) == live.attributes


def test_the_worlds_hold_every_pair_of_answers() -> None:
    pairs = {pair for row in WORLDS for pair in itertools.combinations(row, 2)}
    names = list(SWITCHES)
    for a, b in itertools.combinations(names, 2):
        for x, y in itertools.product(SWITCHES[a], SWITCHES[b]):
            assert ((a, x), (b, y)) in pairs
    assert len(WORLDS) < 40
    assert pairwise(SWITCHES) == WORLDS


@by_kind
@LAW
@given(data=st.data())
def test_created_and_read(kind: Kind, data: st.DataObject) -> None:
    here = world(data.draw(DRAWN))
    wanted = data.draw(attributes(kind, here))
    id = here.remote.create(kind.name, wanted)
    live = here.remote.read(kind.name, id)
    same(kind, wanted, live)
    assert live is not None and live.id == id and not live.partial


@by_kind
@LAW
@given(data=st.data())
def test_updated_and_read(kind: Kind, data: st.DataObject) -> None:
    """What an update names becomes so, what it leaves out stays."""
    here = world(data.draw(DRAWN))
    before, after = data.draw(attributes(kind, here)), data.draw(attributes(kind, here))
    id = here.remote.create(kind.name, before)
    live = here.remote.read(kind.name, id)
    assert live is not None
    here.remote.update(kind.name, id, after, live.attributes)
    rivals = {name for group in kind.exclusive if set(group) & after.keys() for name in group}
    kept = {name: value for name, value in before.items() if name not in rivals}
    same(kind, {**kept, **after}, here.remote.read(kind.name, id))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.bulk], ids=lambda kind: kind.name)
@LAW
@given(data=st.data())
def test_created_many_at_once(kind: Kind, data: st.DataObject) -> None:
    here = world(data.draw(DRAWN))
    batch = data.draw(st.lists(attributes(kind, here), min_size=1, max_size=3))
    for id, wanted in zip(here.remote.create_many(kind.name, batch), batch, strict=True):
        same(kind, wanted, here.remote.read(kind.name, id))


@pytest.mark.parametrize("row", WORLDS, ids=range(len(WORLDS)))
def test_every_attribute_alone_in_every_world(row: Row) -> None:
    """One edit of one attribute, for each of them: nothing hides behind another attribute's value."""
    here = world(row)
    for kind in CONTENT_KINDS:
        needed = {r.name: samples(r, here)[0] for r in rows_of(kind, here) if r.required or r.members}
        id = here.remote.create(kind.name, needed)
        for attribute in rows_of(kind, here):
            for value in samples(attribute, here):
                here.remote.update(kind.name, id, {attribute.name: value}, needed)
                same(kind, {attribute.name: value}, here.remote.read(kind.name, id))


def samples(attribute: Attribute, here: World) -> list[JSON]:
    """A few values of an attribute, the same ones every time."""
    drawn: list[JSON] = []

    @settings(max_examples=4, derandomize=True, database=None, deadline=None)
    @given(value_of(attribute, here))
    def draw(value: JSON) -> None:
        drawn.append(value)

    draw()
    return drawn


@by_kind
def test_lists_give_what_single_reads_give(kind: Kind) -> None:
    for row in WORLDS[:6]:
        here, remote = world(row), world(row).remote
        remote.create(kind.name, {r.name: samples(r, here)[-1] for r in rows_of(kind, here) if r.name != "gherkin"})
        listed = remote.read_all(kind.name)
        assert listed
        for id, live in list(listed.items())[:20]:
            assert remote.read(kind.name, id) == live


@LAW
@given(data=st.data())
def test_a_project_is_created_under_its_code(data: st.DataObject) -> None:
    """Its description can never be read back (section 5), so there is no law for it."""
    kind = BY_NAME["project"]
    here = world(data.draw(DRAWN))
    code = "".join(string.ascii_uppercase[int(digit)] for digit in f"{next(here.projects):04}")
    wanted = data.draw(attributes(kind, here))
    here.remote.create("project", wanted, key=code)
    live = here.remote.read("project", code)
    same(kind, {"title": wanted["title"]}, live)
    assert live is not None and live.id == code and set(live.attributes) == {"title"}
