"""Reading a whole project: what is asked for, how often, and what is made of answers that do not fit together."""

from __future__ import annotations

from typing import Any

import pytest
from remote_kit import Kit, shop, state

from qase_iac.api.refresh import Reader, path_of, unfolded
from qase_iac.attributes import Decoding
from qase_iac.errors import AccessDenied, ApiError, BadAnswer, NoAnswer, NotFound, ServerFault
from qase_iac.kinds import BY_NAME, KINDS
from qase_iac.model import Catalogue

LISTS = ["milestone", "shared_step", "suite", "case", "plan"]
FIRST = "?limit=100&offset=0"


def test_an_empty_project() -> None:
    kit = Kit()
    snapshot = kit.refresh()
    assert snapshot.exists
    assert {kind: objects for kind, objects in snapshot.objects.items() if objects} == {}
    assert list(snapshot.objects) == LISTS
    assert snapshot.requests == 8
    assert kit.calls() == [
        "GET /project/SHOP",
        f"GET /system_field{FIRST}",
        f"GET /custom_field?entity=case&{FIRST[1:]}",
        *(f"GET /{kind}/SHOP{FIRST}" for kind in LISTS),
    ]


@pytest.mark.parametrize("dialect", ["today", "seed"])
def test_one_of_each(dialect: str) -> None:
    kit = shop(dialect=dialect, switches={"ids_as_strings": "on", "extra_fields": "on"})
    snapshot = kit.refresh()
    (hash,) = snapshot.of("shared_step")
    one, two, _ = snapshot.of("case").values()
    assert one.attributes["steps"] == [{"shared": hash}, {"shared": hash}, {"action": "c"}]
    assert (one.attributes["suite"], two.attributes["suite"], two.attributes["milestone"]) == (1, None, 1)
    assert snapshot.get("milestone", 1).attributes["due_date"] == "2027-01-15T08:00:00Z"  # type: ignore[union-attr]
    assert snapshot.of("shared_step")[hash].meta["cases"] == [1]
    assert [plan.partial for plan in snapshot.of("plan").values()] == [True, True]
    assert snapshot.unknown_shared == set()
    assert snapshot.requests == 8


def test_files_of_all_kinds_are_noted() -> None:
    kit = shop()
    hashes = [entity["hash"] for entity in kit.client.upload("/attachment/SHOP", [("a", b"a", ""), ("b", b"bb", "")])]
    kit.app.ui.edit("SHOP", "case", 1, attachments=hashes[:1])
    kit.app.ui.create("SHOP", "shared_step", title="F", steps=[{"action": "a", "attachments": hashes[1:]}])
    files = kit.refresh().files
    assert {hash: (file["name"], file["size"]) for hash, file in files.items()} == {
        hashes[0]: ("a", 1),
        hashes[1]: ("b", 2),
    }
    assert all(hash in file["url"] for hash, file in files.items())


def test_a_shared_step_without_an_action_folds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Kit().client, "SHOP", Decoding(Catalogue()))
    entity = {"hash": "a" * 40, "title": "S", "steps": [{"action": None, "data": "d"}, {"action": "b"}]}
    monkeypatch.setattr(reader.client, "get", lambda path: entity)
    reader.one(BY_NAME["shared_step"], "a" * 40)
    assert reader.decoding.shared_rows == {"a" * 40: ["", "b"]}


def test_pages_are_counted_and_told() -> None:
    kit = Kit()
    for at in range(201):
        kit.app.ui.create("SHOP", "case", title=str(at))
    told: list[tuple[str, int, int]] = []
    snapshot = kit.refresh(progress=lambda *news: told.append(news))
    assert list(snapshot.of("case")) == list(range(1, 202))
    assert snapshot.requests == len(kit.calls()) == 10
    assert [news for news in told if news[0] == "case"] == [("case", 100, 201), ("case", 200, 201), ("case", 201, 201)]
    assert [what for what, done, _ in told] == [
        "/system_field", "/custom_field", "milestone", "shared_step", "suite", *["case"] * 3, "plan",
    ]  # fmt: skip


def test_objects_come_in_the_order_of_the_list() -> None:
    kit = shop(switches={"list_order": "reverse"})
    assert list(kit.refresh().of("case")) == [3, 2, 1]


def test_a_project_that_is_not_there() -> None:
    kit = Kit(seed={"users": [{"name": "A", "email": "a@x"}]})
    snapshot = kit.refresh(state(case__a=1))
    assert not snapshot.exists
    assert (snapshot.objects, snapshot.gone) == ({}, set())
    assert "severity" in snapshot.catalogue.options
    assert snapshot.requests == 3
    assert [call.partition("?")[0] for call in kit.calls()] == [
        "GET /project/SHOP", "GET /system_field", "GET /custom_field",
    ]  # fmt: skip


def test_requests_that_answer_404_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """2020 has neither list; the emulator has them in both dialects, so they are taken away here."""
    kit = Kit(dialect="seed")
    pages = kit.client.pages

    def old(path: str, params: Any = None, **rest: Any) -> Any:
        if path in ("/system_field", "/custom_field"):
            raise NotFound("Not found.")
        return pages(path, params, **rest)

    monkeypatch.setattr(kit.client, "pages", old)
    snapshot = kit.refresh()
    assert snapshot.requests == 9
    assert snapshot.catalogue.options["severity"]


def test_another_project_s_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    for code in ("SHIP", None, "\x1b"):
        monkeypatch.setattr(kit.client, "get", lambda path, code=code: {"code": code, "title": "Ship"})
        with pytest.raises(BadAnswer) as caught:
            kit.refresh()
        assert "\x1b" not in str(caught.value) and caught.value.path == "/project/SHOP"
    monkeypatch.setattr(kit.client, "get", lambda path: {"code": "shop"})
    assert kit.refresh().exists


@pytest.mark.parametrize(
    ("fault", "error"),
    [("html", BadAnswer), ("empty-body", BadAnswer), ("500", ServerFault), ("502", ServerFault), ("503", ServerFault),
     ("short-page", BadAnswer), ("wrong-total", BadAnswer), ("drop-before", NoAnswer), ("cut-off", NoAnswer)],
)  # fmt: skip
@pytest.mark.parametrize("path", [f"^/{kind}/SHOP" for kind in LISTS])
def test_what_cannot_be_read_is_an_error_and_never_an_absence(fault: str, error: type[ApiError], path: str) -> None:
    kit = shop()
    kit.app.faults.add(fault, path=path, times=0)
    with pytest.raises(error):
        kit.refresh(state(case__a=1))


@pytest.mark.parametrize("fault", ["html", "empty-body", "500", "502"])
@pytest.mark.parametrize("path", ["^/project/SHOP", "^/system_field", "^/custom_field"])
def test_nor_are_the_project_and_the_catalogue(fault: str, path: str) -> None:
    kit = shop()
    kit.app.faults.add(fault, path=path, times=0)
    with pytest.raises(ApiError):
        kit.refresh()


def test_nor_is_a_project_that_one_may_not_see() -> None:
    kit = Kit(token="secret")
    with pytest.raises(AccessDenied):
        kit.refresh()


@pytest.mark.parametrize("fault", ["short-page", "wrong-total"])
def test_a_list_whose_pages_disagree_is_read_anew_and_counted_once(fault: str) -> None:
    kit = shop()
    kit.app.faults.add(fault, path="^/case/SHOP")
    snapshot = kit.refresh()
    assert list(snapshot.of("case")) == [1, 2, 3]
    assert snapshot.requests == 8
    assert len(kit.calls()) == 9


def test_what_a_discarded_reading_saw_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that used an unknown shared step in a reading that did not count makes no finding."""
    kit = shop()
    reader = Reader(kit.client, "SHOP", Decoding(Catalogue()))
    pages, readings = kit.client.pages, []

    def first_odd(path: str, params: Any = None, **rest: Any) -> Any:
        from qase_iac.api.client import PagesDisagree

        readings.append(path)
        if len(readings) == 1:
            row = {"action": "a", "shared_step_hash": "f" * 40}
            file = {"hash": "e" * 40, "filename": "n"}
            yield [{"id": 9, "title": "x", "steps": [row, row], "attachments": [file]}]
            raise PagesDisagree("no")
        yield from pages(path, params, **rest)

    monkeypatch.setattr(kit.client, "pages", first_odd)
    assert list(reader.all(BY_NAME["case"])) == [1, 2, 3]
    assert "f" * 40 not in reader.decoding.unknown_shared
    assert reader.decoding.files == {}
    assert reader.requests == 1


# Bound objects


def test_bound_and_missing_from_the_list() -> None:
    kit = shop()
    bound = state(
        case__here=1, case__gone=77, suite__gone=8, milestone__here=1, shared_step__gone="a" * 40, plan__gone=6
    )
    snapshot = kit.refresh(bound)
    assert snapshot.gone == {("case", 77), ("suite", 8), ("shared_step", "a" * 40), ("plan", 6)}
    assert set(snapshot.of("case")) == {1, 2, 3}
    singles = [call for call in kit.calls() if "?" not in call]
    assert singles == [
        "GET /project/SHOP",
        f"GET /shared_step/SHOP/{'a' * 40}",
        "GET /suite/SHOP/8",
        "GET /case/SHOP/77",
        "GET /plan/SHOP/6",
    ]
    assert snapshot.requests == 12


def test_a_list_that_was_wrong() -> None:
    """The list is of a moment ago; its own GET finds the object, and nothing is gone."""
    kit = shop()
    kit.app.faults.add("stale-list", path=r"^/(case|shared_step|plan)/SHOP\?", times=3)
    hash = kit.app.ui.create("SHOP", "shared_step", title="New", steps=[{"action": "x"}, {"action": "y"}])
    case = kit.app.ui.create("SHOP", "case", title="New", steps=[{"shared": hash}, {"shared": hash}])
    plan = kit.app.ui.create("SHOP", "plan", title="New", cases=[case])
    snapshot = kit.refresh(state(case__new=case, shared_step__new=hash, plan__new=plan))
    assert snapshot.gone == set()
    assert snapshot.of("case")[case].attributes["steps"] == [{"shared": hash}, {"shared": hash}]
    assert list(snapshot.of("case")) == [1, 2, 3, case]
    assert snapshot.of("plan")[plan].attributes["cases"] == [case]
    assert snapshot.requests == 11


@pytest.mark.parametrize(("fault", "error"), [("500", ServerFault), ("html", BadAnswer), ("drop-before", NoAnswer)])
def test_only_its_own_404_says_that_an_object_is_gone(fault: str, error: type[ApiError]) -> None:
    kit = shop()
    kit.app.faults.add(fault, path="^/case/SHOP/77")
    with pytest.raises(error):
        kit.refresh(state(case__gone=77))


def test_another_object_s_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = shop()
    get = kit.client.get
    monkeypatch.setattr(kit.client, "get", lambda path: get("/case/SHOP/1" if path == "/case/SHOP/77" else path))
    with pytest.raises(BadAnswer, match="asked for the case 77 and gave 1") as caught:
        kit.refresh(state(case__gone=77))
    assert caught.value.path == "/case/SHOP/77"


def test_an_unknown_shared_step_is_a_finding() -> None:
    kit = shop()
    (hash,) = kit.refresh().of("shared_step")
    reader = Reader(kit.client, "SHOP", Decoding(Catalogue()))
    cases = reader.all(BY_NAME["case"])
    assert reader.decoding.unknown_shared == {hash}
    assert cases[1].attributes["steps"] == [{"shared": hash}, {"action": "c"}]


# Where things are


def test_paths() -> None:
    assert [path_of(kind, "AB") for kind in KINDS] == [
        "/project", "/milestone/AB", "/shared_step/AB", "/suite/AB", "/case/AB", "/plan/AB",
    ]  # fmt: skip
    assert path_of(BY_NAME["case"], "AB", 5) == "/case/AB/5"
    assert path_of(BY_NAME["project"], "AB", "AB") == "/project/AB"


def test_only_shared_steps_are_shown_as_rows_elsewhere() -> None:
    assert [kind.name for kind in KINDS if unfolded(kind)] == ["shared_step"]
