"""The published schemas: real answers fit them, and an answer that lacks a key or has one more does not."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from render_kit import diagnostics, example, hostile_diagnostics, hostile_plans, hostile_reports, report, rich

from qase_iac.apply.report import Altered, Report
from qase_iac.plan.model import Change
from qase_iac.plan.planfile import seal
from qase_iac.render import DriftView, render
from qase_iac.render.schemas import schemas

SCHEMAS = {name.partition(".")[0]: Draft7Validator(schema) for name, schema in schemas().items()}
STEPS = {"steps": [
    {"op": "added", "at": 1, "step": {"action": "x"}},
    {"op": "removed", "from": 2, "step": {"action": "y"}},
    {"op": "moved", "at": 2, "from": 1, "fields": {"action": {"before": "a", "after": None}}, "noise": True,
     "steps": [{"op": "edited", "at": 1, "from": 1}]},
]}  # fmt: skip


def answers():
    """Schema name -> answers in which every optional key stands somewhere."""
    plan = json.loads(render(seal(rich()), "json"))
    first = plan["changes"][3]
    first["attributes"]["steps"] |= STEPS
    first["impact"] = {"cases": {"count": 2, "names": ["case.a", {"external_id": 7}]}}
    done = Report((*report().operations,), 3, altered=(Altered("case.a", "title", "a ", "a"),), backup="b")
    return {
        "plan": [plan, json.loads(render(seal(example()), "json"))],
        "drift": [json.loads(render(DriftView(rich()), "json"))],
        "report": [json.loads(render(done, "json")), json.loads(render(Report(), "json"))],
        "diagnostics": [json.loads(render(found, "json")) for found in (diagnostics(), [])],
    }


def explained(name, value):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in SCHEMAS[name].iter_errors(value)]


def test_each_is_a_schema():
    assert set(SCHEMAS) == {"plan", "drift", "report", "diagnostics", "events"}
    for schema in schemas().values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("name", ["plan", "drift", "report", "diagnostics"])
def test_answers_fit(name):
    for value in answers()[name]:
        assert explained(name, value) == []


FREE = {"meta", "files", "objects", "names"}
"""What holds data of any shape."""


def places(value, way=()):
    """Every record of an answer, by its way from the top; values of attributes are nobody's business here."""
    if isinstance(value, dict):
        yield way
        for name, inner in value.items():
            if name not in ("before", "after", "step", "sent", "held", *FREE):
                yield from places(inner, (*way, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from places(inner, (*way, at))


def at(value, way):
    for step in way:
        value = value[step]
    return value


OPTIONAL = {
    "title",
    "suite",
    "files",
    "uploads",
    "notes",
    "moved_from",
    "impact",
    "blocked",
    "meta",
    "fields",
    "noise",
    "steps",
}
DATA = ("attributes", "impact", "fields")
"""Below these the keys are names."""


@pytest.mark.parametrize("name", ["plan", "drift", "report", "diagnostics"])
def test_no_key_may_be_missing_and_none_may_be_new(name):
    tried = 0
    for value in answers()[name]:
        for way in places(value):
            if way and way[-1] in DATA:
                continue
            with_more = copy.deepcopy(value)
            at(with_more, way)["surprise"] = 1
            assert explained(name, with_more), f"{way} takes anything"
            for key in at(value, way):
                if key in OPTIONAL:
                    continue
                without = copy.deepcopy(value)
                del at(without, way)[key]
                assert explained(name, without), f"{way} does without {key}"
                tried += 1
    assert tried > 9


@pytest.mark.parametrize(
    ("name", "way", "wrong"),
    [("plan", ("changes", 0, "action"), "explode"), ("plan", ("serial",), -1), ("plan", ("format",), 2),
     ("plan", ("changes", 0, "id"), 1.5), ("drift", ("drift", 0, "kind"), "gone"), ("report", ("applied",), "3"),
     ("report", ("operations", 0, "status"), "maybe"), ("diagnostics", ("diagnostics", 0, "severity"), "info"),
     ("diagnostics", ("valid",), None)],
)  # fmt: skip
def test_no_value_may_be_of_another_kind(name, way, wrong):
    value = answers()[name][0]
    at(value, way[:-1])[way[-1]] = wrong
    assert explained(name, value)


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(hostile_plans, hostile_plans.map(DriftView), hostile_reports, st.lists(hostile_diagnostics, max_size=3))
)
def test_whatever_people_write_fits(value):
    name = "report" if isinstance(value, Report) else "diagnostics" if isinstance(value, list) else "plan"
    name = "drift" if isinstance(value, DriftView) else name
    assert explained(name, json.loads(render(value, "json"))) == []


def test_optional_keys_of_a_change_are_those_of_the_model():
    """A new field of Change that is written has to be in the schema: `test_answers_fit` sees only what answers hold."""
    known = SCHEMAS["plan"].schema["definitions"]["change"]["properties"]
    assert set(Change.__dataclass_fields__) == set(known)
