"""The saved plan: nothing is lost, nothing foreign is let in, and no byte depends on chance."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.errors import QaseIacError, StalePlan
from qase_iac.plan import planfile_reader
from qase_iac.plan.model import (
    Action,
    AttributeChange,
    Blocked,
    Change,
    Drift,
    Origin,
    Plan,
    Reading,
    Reason,
    Summary,
)
from qase_iac.plan.planfile import digest, dumps, seal, to_json, write
from qase_iac.plan.planfile_reader import from_json, read


def sample() -> Plan:
    return Plan(
        project="SHOP",
        api="https://api.qase.io/v1",
        tool="qase-iac 0.1.0",
        config_digest="sha256:11",
        lineage="line",
        serial=4,
        changes=(
            Change(
                "case.a",
                Action.UPDATE,
                41,
                Reason.CONFIG_CHANGED,
                "Título",
                "a.yaml:3",
                ("suite.s",),
                "sha256:22",
                {
                    "title": AttributeChange("x", "y", Origin.THEIRS),
                    "steps": AttributeChange(
                        [{"action": "a"}], [{"action": "b", "attachments": ["i.png"]}], Origin.OURS
                    ),
                    "custom_fields.source": AttributeChange(None, 1.5, Origin.CONFLICT),
                },
                "s",
                None,
                "case.old",
                {"img/i.png": "ab"},
                ("img/i.png",),
                ("a note",),
            ),
            Change(
                "shared_step.s", Action.DELETE, "0f" * 20, Reason.UNDECLARED, blocked=Blocked("c", "r", ("case.a",))
            ),
            Change("suite.n", Action.CREATE, None, Reason.NEW),
        ),
        drift=(
            Drift(
                "case.a", 41, "changed", {"title": AttributeChange("w", "x", Origin.THEIRS)}, "T", {"updated_at": "d"}
            ),
        ),
        findings=(Diagnostic("code", "summary", "detail", SourceRange("a.yaml", 3, 1), Severity.WARNING, "case.a"),),
        summary=Summary(1, 1, 0, 0, 0, 0, 0, 9, 3, 1, 2),
        requests=2,
        deletes=False,
        allow_deletes=0,
        new_state=True,
        unlisted_deletes=("case.z",),
        reading=Reading({"case": 12, "suite": 1}, 5),
        stateless=True,
        observed={"case.a": {"severity": "major"}},
    )


def _words(text: str) -> list[str]:
    return text.split()


def test_the_keys_of_the_contract_in_its_order():
    data = to_json(seal(sample()))
    contract = _words(
        "format tool project api deletes config_digest lineage serial summary requests changes drift findings digest"
    )
    assert [key for key in data if key in contract] == contract
    more = {"stateless", "new_state", "allow_deletes", "unlisted_deletes", "reading", "reverts"}
    assert set(data) - set(contract) == more
    assert list(data["summary"]) == _words(
        "create update move delete adopt rename forget no_op unmanaged blocked not_selected"
    )
    change = list(data["changes"][0])
    assert change[:8] == _words("address action id reason source depends_on precondition attributes")
    assert change[8:] == _words("title suite files uploads notes moved_from")
    assert list(data["changes"][1])[8:] == ["blocked"] and list(data["changes"][1]["blocked"]) == [
        "code",
        "reason",
        "by",
    ]
    assert len(data["changes"][2]) == 8, "what is not set is left out"
    assert list(data["changes"][0]["attributes"]["title"]) == ["before", "after", "origin"]
    assert list(data["drift"][0])[:4] == ["address", "id", "kind", "attributes"]
    assert set(data["findings"][0]) == {"code", "severity", "summary", "detail", "file", "line", "column", "address"}
    assert data["deletes"] is False and "observed" not in json.dumps(data)


def test_there_and_back():
    plan = seal(sample())
    assert from_json(json.loads(dumps(to_json(plan)))) == replace(plan, observed={})


def test_one_change_a_line():
    text = dumps(to_json(seal(sample())))
    assert sum(line.startswith('    {"address"') for line in text.splitlines()) == 4
    assert json.loads(text) == to_json(seal(sample()))


# ------------------------------------------------------------------------------------------------- digest


def test_the_digest_ignores_places_and_itself():
    plan = sample()
    moved = replace(
        plan,
        changes=(replace(plan.changes[0], source="elsewhere.yaml:9"), *plan.changes[1:]),
        findings=(replace(plan.findings[0], source=SourceRange("b.yaml", 1, 1)),),
        digest="sha256:99",
        observed={},
    )
    assert digest(moved) == digest(plan)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest(plan))


def leaves(value, path=()):
    """Every place of a JSON value that is no container."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from leaves(item, (*path, at))
    else:
        yield path


def put(data, path, value):
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


FREE = (
    {("digest",), ("changes", 0, "source"), ("changes", 1, "source"), ("changes", 2, "source")}
    | {("findings", 0, name) for name in ("file", "line", "column")}
    | {path for path in leaves(to_json(sample())) if path[0] == "reading"}
)
"""What the digest leaves out."""


@pytest.mark.parametrize("path", sorted(set(leaves(to_json(sample()))) - FREE, key=str), ids=str)
def test_every_other_value_is_under_the_digest(path, tmp_path):
    data = to_json(seal(sample()))
    before = data
    for key in path:
        before = before[key]
    words = {"action": "create", "reason": "new", "origin": "ours", "kind": "appeared", "severity": "error"}
    changed = {
        bool: lambda v: not v, int: lambda v: v + 1, float: lambda v: v + 1, str: lambda v: v + "x", type(None): lambda v: "x",
    }[type(before)](before)  # fmt: skip
    put(data, path, words.get(path[-1], changed) if words.get(path[-1]) != before else "update")
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    with pytest.raises(StalePlan):
        read(file)


def test_a_custom_field_called_source_is_no_place():
    plan = sample()
    attributes = dict(plan.changes[0].attributes) | {"custom_fields.source": AttributeChange(None, 2, Origin.OURS)}
    assert digest(
        replace(plan, changes=(replace(plan.changes[0], attributes=attributes), *plan.changes[1:]))
    ) != digest(plan)


def test_the_digest_does_not_depend_on_the_hash_seed():
    code = "from test_planfile import *; import sys; sys.stdout.buffer.write(dumps(to_json(seal(sample()))).encode())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert outputs == {dumps(to_json(seal(sample()))).encode()}


# ---------------------------------------------------------------------------------------------- from_json

JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def reads_or_refuses(data):
    try:
        plan = from_json(data)
    except StalePlan:
        return
    assert from_json(to_json(plan)) == plan
    digest(plan)


@given(JSON_VALUE)
def test_any_json_is_refused_in_good_order(data):
    with pytest.raises(StalePlan):
        from_json(data)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_plan_with_one_value_replaced(data):
    plan = to_json(seal(sample()))
    places = sorted({path[:end] for path in leaves(plan) for end in range(1, len(path) + 1)}, key=str)
    put(plan, data.draw(st.sampled_from(places)), data.draw(JSON_VALUE))
    reads_or_refuses(plan)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_key_can_be_left_out_or_added(data):
    plan = to_json(seal(sample()))
    objects = [(), ("summary",), ("reading",), ("changes", 0), ("changes", 1, "blocked"), ("drift", 0), ("findings", 0),
               ("changes", 0, "attributes", "title")]  # fmt: skip
    target = plan
    for key in data.draw(st.sampled_from(objects)):
        target = target[key]
    optional = {"title", "suite", "files", "uploads", "notes", "moved_from", "blocked", "meta"}
    if data.draw(st.booleans()):
        target[data.draw(st.text(max_size=5)) + "?"] = None
    else:
        del target[data.draw(st.sampled_from(sorted(set(target) - optional)))]
    with pytest.raises(StalePlan) as refused:
        from_json(plan)
    assert "unknown key" in refused.value.detail or "has no" in refused.value.detail


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), True),
        (("format",), 2),
        (("serial",), True),
        (("serial",), -1),
        (("serial",), 1.0),
        (("deletes",), 1),
        (("changes", 0, "address"), "robot.a"),
        (("changes", 0, "address"), "case."),
        (("changes", 0, "id"), True),
        (("changes", 0, "id"), ""),
        (("changes", 0, "action"), "explode"),
        (("changes", 0, "attributes"), {"no_such": {"before": 1, "after": 2, "origin": "ours"}}),
        (("changes", 0, "attributes", "title", "after"), float("nan")),
        (("changes", 0, "attributes", "title", "after"), float("-inf")),
        (("changes", 0, "attributes", "title", "after"), 10**400),
        (("changes", 0, "attributes", "title", "after"), {1: 2}),
        (("changes", 0, "attributes", "title", "after"), (1, 2)),
        (("changes", 0, "files"), {"/etc/passwd": "ab"}),
        (("changes", 0, "files"), {"a/../../b": "ab"}),
        (("changes", 0, "uploads"), ["other.png"]),
        (("changes", 0, "uploads"), ["../x"]),
        (("changes", 0, "depends_on"), "suite.s"),
        (("drift", 0, "kind"), ["changed"]),
    ],
    ids=str,
)
def test_wrong_values_are_refused(path, value):
    data = to_json(sample())
    put(data, path, value)
    with pytest.raises(StalePlan) as refused:
        from_json(data)
    assert refused.value.exit_code == 5 and refused.value.detail and refused.value.hint


def test_another_format_is_named():
    with pytest.raises(StalePlan, match="not a plan file") as refused:
        from_json(to_json(sample()) | {"format": 7})
    assert "format is 7" in refused.value.detail


def test_values_that_nest_too_deeply():
    deep = []
    for _ in range(5_000):
        deep = [deep]
    data = to_json(sample())
    put(data, ("changes", 0, "attributes", "title", "after"), deep)
    with pytest.raises(StalePlan):
        from_json(data)


def test_steps_as_deep_as_yaml_allows():
    steps = [{"action": "x"}]
    for _ in range(199):
        steps = [{"action": "x", "steps": steps}]
    change = replace(sample().changes[0], attributes={"steps": AttributeChange(None, steps, Origin.OURS)})
    plan = seal(replace(sample(), changes=(change,), observed={}))
    assert from_json(json.loads(dumps(to_json(plan)))) == plan


# --------------------------------------------------------------------------------------------------- files


def test_saved_and_read(tmp_path):
    file = tmp_path / "plan.json"
    sealed = write(sample(), file)
    assert sealed == seal(sample())
    assert read(file) == replace(sealed, observed={})
    first = file.read_bytes()
    write(sealed, file)
    assert file.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("text", ["\x1b[31m", "\x9b2J", "\u202e", "\udc80", "\u2028", "漢字 🎉", "\ud83d"])
def test_texts_survive_and_steer_no_terminal(text, tmp_path):
    plan = replace(sample(), project=text, observed={})
    sealed = write(plan, tmp_path / "p")
    assert read(tmp_path / "p") == sealed
    raw = (tmp_path / "p").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", raw)
    assert "漢" in raw or "漢" not in text


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"\x80", b'{"format": NaN}', b'{"format": 1e999}', b"[" * 100_000,
        b'{"a": 1, "a": 2}', b'{"format": ' + b"1" * 5_000 + b"}", b"\xef\xbb\xbf{}", b'{"format": 1}', b"PK\x03\x04",
    ],
    ids=lambda raw: raw[:12],
)  # fmt: skip
def test_what_is_no_plan_file(raw, tmp_path):
    file = tmp_path / "p"
    file.write_bytes(raw)
    with pytest.raises(StalePlan):
        read(file)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damaged_byte_goes_unnoticed(tmp_path_factory, data):
    """Either the file is refused, or it still says the same (a place in a file, or white space)."""
    raw = dumps(to_json(seal(sample()))).encode()
    at = data.draw(st.integers(0, len(raw) - 1))
    damaged = raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :]
    file = tmp_path_factory.getbasetemp() / "damaged"
    file.write_bytes(damaged)
    try:
        plan = read(file)
    except StalePlan:
        return
    assert digest(plan) == digest(sample())


def test_a_file_too_large(tmp_path, monkeypatch):
    write(sample(), tmp_path / "p")
    monkeypatch.setattr(planfile_reader, "MAX_BYTES", 100)
    with pytest.raises(StalePlan, match="more than"):
        read(tmp_path / "p")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_another_error(name, tmp_path):
    with pytest.raises(QaseIacError) as failed:
        read(tmp_path / name)
    assert failed.value.exit_code == 1


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    file = tmp_path / "p"
    file.write_text("old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(QaseIacError, match="No space left"):
        write(sample(), file)
    assert [path.name for path in tmp_path.iterdir()] == ["p"] and file.read_text() == "old"


def test_only_regular_files_are_replaced(tmp_path):
    with pytest.raises(QaseIacError, match="not a regular file"):
        write(sample(), tmp_path)
    with pytest.raises(QaseIacError, match="could not be saved"):
        write(sample(), tmp_path / "no" / "such" / "folder")
    real = tmp_path / "real"
    real.write_text("old")
    (tmp_path / "link").symlink_to(real)
    write(sample(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and read(real).project == "SHOP"
