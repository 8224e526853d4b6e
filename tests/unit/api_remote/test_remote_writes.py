"""Writes and their answers: what is sent, what is made of odd answers, what is read again."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from remote_kit import SEED, Kit

from qase_iac.api.client import Written
from qase_iac.api.remote import QaseRemote
from qase_iac.apply.protocol import Remote
from qase_iac.errors import BadAnswer, NoAnswer, NotFound, Rejected, ServerFault
from qase_iac.kinds import CONTENT_KINDS

STEPS = [{"action": "a"}, {"action": "b", "expected": "c"}]


def bodies(kit: Kit) -> list[tuple[str, str, Any]]:
    """Method, path and body of every write from now on."""
    seen: list[tuple[str, str, Any]] = []

    def observe(exchange: Any) -> None:
        if exchange.method != "GET":
            seen.append((exchange.method, exchange.path, json.loads(exchange.request or "null")))

    kit.app.observer = observe
    return seen


def test_the_executor_s_protocol_is_what_there_is() -> None:
    for name, wanted in inspect.getmembers(Remote, lambda member: callable(member) or isinstance(member, property)):
        if name.startswith("_"):
            continue
        found = getattr(QaseRemote, name)
        assert type(found) is type(wanted), name
        if callable(wanted):
            parameters = inspect.signature(wanted).parameters.values()
            ours = inspect.signature(found).parameters.values()
            assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in parameters]


# Creating


@pytest.mark.parametrize("dialect", ["today", "seed"])
def test_one_of_each_kind_in_creation_order(dialect: str) -> None:
    kit = Kit(dialect=dialect, seed={})
    remote = kit.remote()
    assert not remote.snapshot.exists
    assert remote.create("project", {"title": "Shop", "description": "d"}, key="SHOP") == "SHOP"
    milestone = remote.create("milestone", {"title": "M"})
    shared = remote.create("shared_step", {"title": "S", "steps": STEPS})
    suite = remote.create("suite", {"title": "T", "parent": None})
    below = remote.create("suite", {"title": "B", "parent": suite})
    case = remote.create("case", {"title": "C", "suite": below, "milestone": milestone, "steps": [{"shared": shared}]})
    plan = remote.create("plan", {"title": "P", "cases": [case]})
    assert (milestone, suite, below, case, plan) == (1, 1, 2, 1, 1)
    assert isinstance(shared, str) and len(shared) == 40
    live = remote.read("case", case)
    assert live is not None
    assert (live.attributes["suite"], live.attributes["steps"]) == (below, [{"shared": shared}])
    assert remote.read("shared_step", shared).attributes["steps"] == STEPS  # type: ignore[union-attr]
    assert remote.read("plan", plan).attributes["cases"] == [case]  # type: ignore[union-attr]


def test_a_project_s_body_names_its_code_and_no_other_body_does() -> None:
    kit = Kit()
    seen, remote = bodies(kit), kit.remote()
    remote.create("project", {"title": "T", "description": "D"}, key="AB")
    remote.create("suite", {"title": "T", "parent": None, "description": ""}, key="suite-key")
    assert seen == [
        ("POST", "/project", {"title": "T", "description": "D", "code": "AB"}),
        ("POST", "/suite/SHOP", {"title": "T"}),
    ]


def test_many_in_one_call() -> None:
    kit = Kit()
    seen, remote = bodies(kit), kit.remote()
    ids = remote.create_many("case", [{"title": "A", "suite": None}, {"title": "B", "tags": ["t"]}])
    assert ids == [1, 2]
    assert seen == [("POST", "/case/SHOP/bulk", {"cases": [{"title": "A"}, {"title": "B", "tags": ["t"]}]})]
    assert [live.title for live in remote.read_all("case").values()] == ["A", "B"]


def test_bulk_creation_is_given_three_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    remote, post, waits = kit.remote(), kit.client.post, []

    def note(path: str, json: Any, *, timeout: float | None = None) -> Written:
        waits.append((path, timeout))
        return post(path, json, timeout=timeout)

    monkeypatch.setattr(kit.client, "post", note)
    remote.create_many("case", [{"title": "A"}])
    remote.create("case", {"title": "A"})
    assert waits == [("/case/SHOP/bulk", 180.0), ("/case/SHOP", None)]


def test_only_bulk_kinds_are_created_so() -> None:
    for kind in CONTENT_KINDS:
        if not kind.bulk:
            with pytest.raises(ValueError, match=kind.label):
                Kit().remote().create_many(kind.name, [{"title": "A"}])


def test_a_short_list_of_ids_is_ambiguous() -> None:
    kit = Kit()
    remote = kit.remote()
    kit.app.faults.add("short-ids")
    with pytest.raises(BadAnswer, match="1 ids for 2 cases") as caught:
        remote.create_many("case", [{"title": "A"}, {"title": "B"}])
    error = caught.value
    assert (error.ambiguous, error.status, error.method, error.path) == (True, 200, "POST", "/case/SHOP/bulk")
    assert "look" in error.hint


@pytest.mark.parametrize("ids", [(), (1,), (1, 1), (1, 2, 3), (1, "x"), (2, 2)])
def test_ids_must_fit_the_batch(ids: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    remote = kit.remote()
    monkeypatch.setattr(kit.client, "post", lambda *args, **rest: Written(None, ids, request_id="r-1"))
    with pytest.raises(BadAnswer) as caught:
        remote.create_many("case", [{"title": "A"}, {"title": "B"}])
    assert caught.value.ambiguous and caught.value.request_id == "r-1"
    assert remote.list_cost("case") == 1


@pytest.mark.parametrize(
    ("kind", "id"), [("case", None), ("case", "x"), ("case", ""), ("shared_step", None), ("project", None)]
)
def test_a_create_without_an_id_is_ambiguous(kind: str, id: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    remote = kit.remote()
    monkeypatch.setattr(kit.client, "post", lambda *args, **rest: Written(id))
    with pytest.raises(BadAnswer, match="without the id") as caught:
        remote.create(kind, {"title": "A", "steps": []} if kind != "project" else {"title": "A"}, key="AB")
    assert caught.value.ambiguous


def test_ids_as_text_become_numbers() -> None:
    kit = Kit(switches={"ids_as_strings": "on"})
    remote = kit.remote()
    assert remote.create("suite", {"title": "A"}) == 1
    assert remote.create_many("case", [{"title": "A"}]) == [1]


@pytest.mark.parametrize(
    ("fault", "error", "ambiguous"),
    [("500-after", ServerFault, True), ("drop-after", NoAnswer, True), ("html", BadAnswer, True), ("empty-body", BadAnswer, True)],
)  # fmt: skip
def test_errors_of_the_client_pass(fault: str, error: type[Exception], ambiguous: bool) -> None:
    kit = Kit()
    remote = kit.remote()
    kit.app.faults.add(fault, method="POST", times=0)
    for create in (
        lambda: remote.create("suite", {"title": "A"}),
        lambda: remote.create_many("case", [{"title": "A"}]),
    ):
        with pytest.raises(error) as caught:
            create()
        assert caught.value.ambiguous is ambiguous  # type: ignore[attr-defined]


def test_a_refused_body_was_not_ambiguous() -> None:
    remote = Kit().remote()
    with pytest.raises(Rejected) as caught:
        remote.create("case", {"title": "A", "suite": 99})
    assert not caught.value.ambiguous and caught.value.field_errors


# The dialect of 2020: a shared step's number names nothing


def test_two_new_shared_steps_of_one_title_in_2020() -> None:
    """One after the other, each is found: what was there before does not count."""
    kit = Kit(dialect="seed")
    kit.app.ui.create("SHOP", "shared_step", title="S", steps=STEPS[:1])
    remote = kit.remote()
    first = remote.create("shared_step", {"title": " S ", "steps": STEPS})
    second = remote.create("shared_step", {"title": "S", "steps": STEPS})
    other = remote.create("shared_step", {"title": "Other", "steps": STEPS})
    assert len({first, second, other, *remote.snapshot.of("shared_step")}) == 4
    assert remote.list_cost("shared_step") == 1
    assert kit.calls("GET") == ["GET /shared_step/SHOP?limit=100&offset=0"] * 3


def test_a_shared_step_of_that_title_by_somebody_else_in_2020(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit(dialect="seed")
    remote = kit.remote()
    kit.app.ui.create("SHOP", "shared_step", title="S", steps=STEPS[:1])
    with pytest.raises(BadAnswer, match="2 new ones bear its title") as caught:
        remote.create("shared_step", {"title": "S", "steps": STEPS})
    assert caught.value.ambiguous
    monkeypatch.setattr(kit.client, "post", lambda *args, **rest: Written(7))
    with pytest.raises(BadAnswer, match="0 new ones"):
        remote.create("shared_step", {"title": "S", "steps": STEPS})


# Updating and deleting


@pytest.mark.parametrize("dialect", ["today", "seed"])
def test_an_update_sends_what_changed_and_what_the_kind_wants_again(dialect: str) -> None:
    kit = Kit(dialect=dialect)
    remote = kit.remote()
    shared = remote.create("shared_step", {"title": "S", "steps": STEPS})
    suite = remote.create("suite", {"title": "T"})
    seen = bodies(kit)
    remote.update("shared_step", shared, {"steps": STEPS[:1]}, {"title": "S", "steps": STEPS})
    remote.update("shared_step", shared, {"title": "New"}, {"title": "S", "steps": STEPS})
    remote.update("suite", suite, {"description": None, "parent": None}, {"title": "T"})
    assert seen == [
        ("PATCH", f"/shared_step/SHOP/{shared}", {"title": "S", "steps": [{"action": "a"}]}),
        ("PATCH", f"/shared_step/SHOP/{shared}", {"title": "New"}),
        ("PATCH", f"/suite/SHOP/{suite}", {"description": "", "parent_id": None}),
    ]


@pytest.mark.parametrize("dialect", ["today", "seed"])
def test_deleting(dialect: str) -> None:
    kit = Kit(dialect=dialect)
    remote = kit.remote()
    one, two = remote.create("suite", {"title": "1"}), remote.create("suite", {"title": "2"})
    case = remote.create("case", {"title": "C", "suite": one})
    seen = bodies(kit)
    remote.delete("suite", one, destination=two)
    assert remote.read("case", case).attributes["suite"] == two  # type: ignore[union-attr]
    remote.delete("case", case, destination=two)
    remote.delete("suite", two)
    assert seen == [
        ("DELETE", "/suite/SHOP/1", {"destination_id": 2}),
        ("DELETE", "/case/SHOP/1", None),
        ("DELETE", "/suite/SHOP/2", None),
    ]
    with pytest.raises(NotFound):
        remote.delete("case", case)


def test_what_the_workspace_no_longer_knows_is_refused_unsent() -> None:
    field = {"title": "Component", "type": "radio", "options": ["Cart"]}
    kit = Kit(seed={**SEED, "custom_fields": [field]})
    remote = kit.remote()
    for attributes in ({"custom_fields.Gone": "x"}, {"severity": "gone"}, {"custom_fields.Component": "\x1bgone"}):
        for write in (
            lambda a=attributes: remote.create("case", {"title": "A", **a}),
            lambda a=attributes: remote.create_many("case", [{"title": "A", **a}]),
            lambda a=attributes: remote.update("case", 1, a, {}),
        ):
            with pytest.raises(Rejected) as caught:
                write()
            assert not caught.value.ambiguous
            assert "gone" in str(caught.value).lower() and "\x1b" not in str(caught.value)
            assert "Plan again" in caught.value.hint
    assert kit.calls() == []


# Files


def test_uploading() -> None:
    kit = Kit()
    remote = kit.remote()
    hash = remote.upload("bild ü.png", b"\x00png")
    assert len(hash) == 40
    assert kit.calls() == ["POST /attachment/SHOP"]
    case = remote.create("case", {"title": "C", "attachments": [hash]})
    assert remote.read("case", case).attributes["attachments"] == [hash]  # type: ignore[union-attr]
    file = remote.snapshot.files[hash]
    assert (file["name"], file["size"]) == ("bild ü.png", 4)
    (entity,) = kit.client.list("/attachment")
    assert entity["mime"] == "image/png"


def test_unknown_endings_are_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    kit.remote().upload("x.unheardof", b"")
    assert kit.client.list("/attachment")[0]["mime"] == "application/octet-stream"


@pytest.mark.parametrize("entity", [{}, {"hash": None}, {"hash": ""}, {"hash": 5}])
def test_an_upload_without_a_hash_is_ambiguous(entity: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    monkeypatch.setattr(kit.client, "upload", lambda *args: [entity])
    with pytest.raises(BadAnswer, match="without the hash") as caught:
        kit.remote().upload("a", b"")
    assert caught.value.ambiguous and caught.value.path == "/attachment/SHOP"
