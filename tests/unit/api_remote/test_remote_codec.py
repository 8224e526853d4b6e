"""Single entities and bodies, written out: what the laws in tests/contract/ cannot say."""

from __future__ import annotations

import pytest

from qase_iac.api.codec import decode, encode, identify
from qase_iac.attributes import Decoding, ResolveError
from qase_iac.errors import BadAnswer
from qase_iac.kinds import BY_NAME, KINDS
from qase_iac.model import Catalogue, CustomField, Option

CASE, SUITE, PLAN, SHARED, PROJECT, MILESTONE = (
    BY_NAME[name] for name in ("case", "suite", "plan", "shared_step", "project", "milestone")
)
CATALOGUE = Catalogue(
    options={
        "severity": (Option(1, "blocker", "Blocker"), Option(4, "normal", "Normal", True)),
        "priority": (Option(2, "medium", "Medium", True),),
    },
    custom_fields=(
        CustomField(3, "Component", "selectbox", (Option(2, "Cart", "Cart"),)),
        CustomField(4, "Ready", "checkbox", default="1"),
        CustomField(5, "Owner", "string", default="nobody", required=True),
    ),
)
SAMPLE = {
    "id": 12,
    "position": 3,
    "title": "Login works",
    "description": None,
    "preconditions": "",
    "severity": 4,
    "priority": 2,
    "is_flaky": 0,
    "isManual": True,
    "isToBeAutomated": False,
    "milestone_id": None,
    "suite_id": 7,
    "custom_fields": [{"id": 3, "value": "2"}],
    "attachments": [],
    "steps_type": "classic",
    "steps": [{"hash": "h", "shared_step_hash": None, "position": 1, "action": "Open", "expected_result": None}],
    "params": [],
    "parameters": [],
    "tags": [{"title": "smoke", "internal_id": 9}],
    "member_id": 1,
    "author_id": 2,
    "created_at": "2026-01-05T10:00:00+00:00",
    "updated_at": "2026-02-05T10:00:00+00:00",
    "created": "2026-01-05T10:00:00.000000Z",
    "updated": "2026-02-05T10:00:00.000000Z",
}


def test_a_case_of_the_reference() -> None:
    live = decode(CASE, SAMPLE, Decoding(CATALOGUE))
    assert (live.kind, live.id, live.title, live.partial) == ("case", 12, "Login works", False)
    assert live.attributes == {
        "title": "Login works",
        "description": None,
        "preconditions": "",
        "suite": 7,
        "severity": "normal",
        "priority": "medium",
        "automation": "manual",
        "flaky": False,
        "milestone": None,
        "tags": ["smoke"],
        "parameters": [],
        "attachments": [],
        "steps": [{"action": "Open"}],
        "custom_fields.Component": "Cart",
        "custom_fields.Ready": False,
        "custom_fields.Owner": None,
    }
    assert live.meta == {
        "updated_at": "2026-02-05T10:00:00+00:00",
        "created_at": "2026-01-05T10:00:00+00:00",
        "author_id": 2,
    }


def test_facts_of_2020_and_ids_as_text() -> None:
    entity = {"id": "7", "title": "T", "created": "a", "updated": "b", "member_id": "3", "cases_count": "4"}
    live = decode(SUITE, entity, Decoding(CATALOGUE))
    assert (live.id, live.attributes) == (7, {"title": "T"})
    assert live.meta == {"updated_at": "b", "created_at": "a", "author_id": 3, "cases_count": 4}


def test_users_of_a_shared_step_are_a_fact() -> None:
    entity = {"hash": "0" * 40, "title": "S", "steps": [{"action": "a"}], "cases": [4, 5], "cases_count": 2}
    live = decode(SHARED, entity, Decoding(CATALOGUE))
    assert live.id == "0" * 40
    assert live.meta == {"cases_count": 2, "cases": [4, 5]}


def test_a_plan_is_partial_until_its_cases_are_read() -> None:
    listed = {"id": 1, "title": "P", "description": None, "cases_count": 3}
    live = decode(PLAN, listed, Decoding(CATALOGUE))
    assert live.partial
    assert live.meta == {"cases_count": 3}
    rows = [{"case_id": 4, "assignee_id": None}, {"case_id": 5, "assignee_id": 1}, {"case_id": 6, "assignee_id": 0}]
    live = decode(PLAN, {**listed, "cases": rows}, Decoding(CATALOGUE))
    assert not live.partial
    assert live.attributes["cases"] == [4, 5, 6]
    assert live.meta == {"cases_count": 3, "assignees": 2}
    assert decode(PLAN, {**listed, "cases": []}, Decoding(CATALOGUE)).meta["assignees"] == 0


def test_decoding_notes_files_and_unknown_shared_steps() -> None:
    decoding = Decoding(CATALOGUE)
    hash, unknown = "ab" * 20, "cd" * 20
    url = f"https://x/attachment/{hash}/a.png"
    rows = [{"action": "a", "shared_step_hash": unknown}, {"action": "b", "shared_step_hash": unknown}]
    entity = {**SAMPLE, "attachments": [{"filename": "a.png", "size": 3, "url": url}], "steps": rows}
    live = decode(CASE, entity, decoding)
    assert live.attributes["attachments"] == [hash]
    assert decoding.files == {hash: {"name": "a.png", "size": 3, "url": url}}
    assert decoding.unknown_shared == {unknown}


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": ""},
        {"id": True},
        {"id": "x"},
        {"id": [1]},
        {"title": None},
        {"title": 5},
        {"description": ["a"]},
        {"description": 5},
        {"steps": 5},
        {"steps": ["a"]},
        {"steps": {"a": 1}},
        {"tags": [{"name": "a"}]},
        {"tags": 5},
        {"severity": [4]},
        {"custom_fields": [{"value": "2"}]},
        {"custom_fields": "2"},
        {"custom_fields": [{"id": "x", "value": "2"}]},
        {"attachments": 5},
        {"parameters": ["a"]},
        {"parameters": [{"item": {"values": []}}]},
        {"suite_id": {}},
        {"author_id": "x"},
    ],
    ids=str,
)
def test_what_no_case_is(change: dict[str, object]) -> None:
    with pytest.raises(BadAnswer) as caught:
        decode(CASE, {**SAMPLE, **change}, Decoding(CATALOGUE))
    assert str(caught.value).startswith("Qase gave a case (id ")
    assert caught.value.path == "/case"
    assert caught.value.__cause__ is None
    assert caught.value.detail and caught.value.hint


def test_what_is_required_must_be_there() -> None:
    for kind in KINDS:
        for row in kind.managed:
            if row.required:
                whole = {"id": 1, "hash": "h" * 40, "code": "AB", "title": "T", "steps": [{"action": "a"}]}
                assert decode(kind, whole, Decoding(CATALOGUE)).title == "T"
                del whole[row.reads]
                with pytest.raises(BadAnswer, match=kind.label):
                    decode(kind, whole, Decoding(CATALOGUE))


def test_odd_ids_are_shown_escaped_and_cut() -> None:
    with pytest.raises(BadAnswer) as caught:
        decode(CASE, {**SAMPLE, "id": "\x1b[31m" + "x" * 500}, Decoding(CATALOGUE))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_steps_too_deep_to_read_are_no_crash() -> None:
    step: dict[str, object] = {"action": "a"}
    for _ in range(100_000):
        step = {"action": "a", "steps": [step]}
    with pytest.raises(BadAnswer):
        decode(CASE, {**SAMPLE, "steps": [step]}, Decoding(CATALOGUE))
    while "steps" in step:
        step = step.pop("steps")[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "value", "id"),
    [(CASE, 5, 5), (CASE, "5", 5), (SHARED, "1" * 40, "1" * 40), (PROJECT, "AB", "AB")],
)
def test_ids_have_one_form(kind, value, id) -> None:  # type: ignore[no-untyped-def]
    assert identify(kind, value) == id
    assert type(identify(kind, value)) is type(id)


@pytest.mark.parametrize("kind", [CASE, SHARED, PROJECT], ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [None, "", True, [], {}, 1.5])
def test_no_ids(kind, value) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=kind.id_key):
        identify(kind, value)


# Bodies


def test_an_update_says_all_it_is_given() -> None:
    attributes = {
        "custom_fields.Ready": False,
        "custom_fields.Component": "Cart",
        "suite": None,
        "tags": [],
        "description": None,
        "title": "T",
        "flaky": True,
        "automation": "to-be-automated",
    }
    body = encode(CASE, attributes, CATALOGUE)
    assert body == {
        "title": "T",
        "description": "",
        "suite_id": None,
        "isManual": True,
        "isToBeAutomated": True,
        "is_flaky": 1,
        "tags": [],
        "custom_field": {"3": "2", "4": ""},
    }
    assert list(body) == [
        "title", "description", "suite_id", "isManual", "isToBeAutomated", "is_flaky", "tags", "custom_field",
    ]  # fmt: skip


def test_a_create_leaves_out_what_means_nothing() -> None:
    attributes = {
        "title": "T",
        "description": "",
        "preconditions": None,
        "suite": None,
        "milestone": None,
        "flaky": False,
        "automation": "automated",
        "tags": [],
        "parameters": [],
        "attachments": [],
        "steps": [],
        "custom_fields.Component": None,
    }
    assert encode(CASE, attributes, CATALOGUE, creating=True) == {
        "title": "T",
        "isManual": False,
        "isToBeAutomated": False,
        "is_flaky": 0,
        "steps_type": "classic",
    }
    assert encode(PLAN, {"title": "", "description": None, "cases": []}, CATALOGUE, True) == {"title": ""}
    assert encode(MILESTONE, {"title": "M", "due_date": None}, CATALOGUE, True) == {"title": "M"}


def test_an_empty_custom_field_is_said_on_create_only_against_a_default() -> None:
    """A required field cannot be emptied whatever is sent (section 7.7)."""
    empty = {"title": "T", "custom_fields.Ready": False, "custom_fields.Owner": None, "custom_fields.Component": None}
    assert encode(CASE, empty, CATALOGUE, creating=True) == {"title": "T", "custom_field": {"4": ""}}
    assert encode(CASE, empty, CATALOGUE) == {"title": "T", "custom_field": {"3": "", "4": "", "5": ""}}


def test_an_empty_enum_is_the_default_option_in_either_case() -> None:
    assert encode(CASE, {"severity": None}, CATALOGUE, creating=True) == {"severity": 4}
    assert encode(CASE, {"severity": None}, CATALOGUE) == {"severity": 4}


@pytest.mark.parametrize(
    ("attributes", "body"),
    [
        ({"steps": [{"action": "a"}], "gherkin": None}, {"steps_type": "classic", "steps": [{"action": "a"}]}),
        ({"steps": [], "gherkin": "Given"}, {"steps_type": "gherkin", "steps": [{"value": "Given"}]}),
        ({"steps": None, "gherkin": ""}, {"steps_type": "classic", "steps": []}),
        ({"gherkin": ""}, {"steps_type": "gherkin", "steps": []}),
        ({"steps": []}, {"steps_type": "classic", "steps": []}),
    ],
)
def test_of_steps_and_gherkin_the_one_that_says_something(attributes, body) -> None:  # type: ignore[no-untyped-def]
    assert encode(CASE, attributes, CATALOGUE) == body


def test_attachments_stick_in_bulk_only_with_a_steps_type() -> None:
    hashes = {"title": "T", "attachments": ["ab"]}
    assert encode(CASE, hashes, CATALOGUE, True) == {"title": "T", "attachments": ["ab"], "steps_type": "classic"}
    assert encode(CASE, {**hashes, "gherkin": "G"}, CATALOGUE, True)["steps_type"] == "gherkin"
    assert "steps_type" not in encode(CASE, hashes, CATALOGUE)
    assert "steps_type" not in encode(CASE, {**hashes, "attachments": []}, CATALOGUE, True)


def test_what_only_this_tool_reads_is_never_sent() -> None:
    values = {"title": "P", "select": {"tags": ["a"]}, "exclude": {"tags": ["b"]}, "assignees": "may_be_lost"}
    assert encode(PLAN, values, CATALOGUE) == {"title": "P"}


def test_words_that_the_workspace_does_not_have() -> None:
    with pytest.raises(ResolveError):
        encode(CASE, {"severity": "unheard-of"}, CATALOGUE)
    with pytest.raises(ResolveError):
        encode(CASE, {"custom_fields.Nope": "x"}, CATALOGUE)
    with pytest.raises(KeyError):
        encode(CASE, {"nope": 1}, CATALOGUE)


def test_a_project_is_created_with_title_and_description() -> None:
    assert encode(PROJECT, {"description": "D", "title": "T"}, CATALOGUE, True) == {"title": "T", "description": "D"}
