"""The official client creates, lists, reads, updates and deletes every kind, over a real socket.

Its models are strict about types, so an answer that it parses has the types of the published schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qase_iac.emulator import start_server

from .conftest import Api

qase = pytest.importorskip("qase.api_client_v1")


@pytest.fixture
def client(api: Api) -> Iterator[Any]:
    api.app.tokens = {"secret": "owner"}
    with start_server(api.app) as server:
        configuration = qase.Configuration(host=server.url)
        configuration.api_key["TokenAuth"] = "secret"
        with qase.ApiClient(configuration) as client:
            yield client


def cycle(api: Any, kind: str, made: Any, body: Any, code: tuple[str, ...] = ("DEMO",), plural: str = "") -> None:
    """List, read, update, delete what has just been made."""
    result = made.result
    id = getattr(result, "hash", None) or result.id
    page = getattr(api, f"get_{plural or kind + 's'}")(*code, limit=100).result
    assert page.total == 1 and len(page.entities) == 1
    before = getattr(api, f"get_{kind}")(*code, id).result
    getattr(api, f"update_{kind}")(*code, id, body)
    after = getattr(api, f"get_{kind}")(*code, id).result
    assert (before.title, after.title) == ("Made", "Changed")
    assert getattr(api, f"delete_{kind}")(*code, id).status is True
    with pytest.raises(qase.exceptions.NotFoundException):
        getattr(api, f"get_{kind}")(*code, id)


def test_projects(client: Any) -> None:
    api = qase.ProjectsApi(client)
    assert api.create_project(qase.ProjectCreate(title="New", code="NEW")).result.code == "NEW"
    assert [one.code for one in api.get_projects(limit=100).result.entities] == ["DEMO", "NEW"]
    assert api.get_project("NEW").result.counts.runs.total == 0
    assert api.grant_access_to_project("NEW", qase.ProjectAccess(member_id=5)).status
    assert api.revoke_access_to_project("NEW", qase.ProjectAccess(member_id=5)).status
    assert api.delete_project("NEW").status
    with pytest.raises(qase.exceptions.NotFoundException):
        api.get_project("NEW")


def test_suites(client: Any) -> None:
    api = qase.SuitesApi(client)
    made = api.create_suite("DEMO", qase.SuiteCreate(title="Made", description="d", preconditions="p"))
    cycle(api, "suite", made, qase.SuiteUpdate(title="Changed"))
    first, second = (api.create_suite("DEMO", qase.SuiteCreate(title="S")).result.id for _ in range(2))
    case = qase.CasesApi(client).create_case("DEMO", qase.TestCaseCreate(title="C", suite_id=first)).result.id
    api.delete_suite("DEMO", first, qase.SuiteDelete(destination_id=second))
    assert qase.CasesApi(client).get_case("DEMO", case).result.suite_id == second


def test_milestones(client: Any) -> None:
    api = qase.MilestonesApi(client)
    made = api.create_milestone("DEMO", qase.MilestoneCreate(title="Made", due_date=1_782_950_400, status="active"))
    assert api.get_milestone("DEMO", made.result.id).result.due_date.year == 2026
    cycle(api, "milestone", made, qase.MilestoneUpdate(title="Changed", status="completed"))


def test_shared_steps(client: Any) -> None:
    api = qase.SharedStepsApi(client)
    content = qase.SharedStepContentCreate(action="one", expected_result="e", data="d")
    made = api.create_shared_step("DEMO", qase.SharedStepCreate(title="Made", steps=[content]))
    assert api.get_shared_step("DEMO", made.result.hash).result.steps[0].data == "d"
    cycle(api, "shared_step", made, qase.SharedStepUpdate(title="Changed", steps=[content, content]))


def test_plans(client: Any) -> None:
    api = qase.PlansApi(client)
    ids = [qase.CasesApi(client).create_case("DEMO", qase.TestCaseCreate(title="C")).result.id for _ in range(2)]
    made = api.create_plan("DEMO", qase.PlanCreate(title="Made", cases=ids))
    assert [one.case_id for one in api.get_plan("DEMO", made.result.id).result.cases] == ids
    cycle(api, "plan", made, qase.PlanUpdate(title="Changed", cases=ids[:1]))


def test_environments(client: Any) -> None:
    api = qase.EnvironmentsApi(client)
    made = api.create_environment("DEMO", qase.EnvironmentCreate(title="Made", slug="made"))
    cycle(api, "environment", made, qase.EnvironmentUpdate(title="Changed"))


def test_cases(client: Any) -> None:
    api = qase.CasesApi(client)
    shared = qase.SharedStepsApi(client).create_shared_step(
        "DEMO", qase.SharedStepCreate(title="S", steps=[qase.SharedStepContentCreate(action="a")] * 2)
    )
    files = qase.AttachmentsApi(client).upload_attachment("DEMO", file=[("a.txt", b"hello")])
    steps = [
        qase.TestStepCreate(action="own", data="d", steps=[{"action": "nested"}]),
        qase.TestStepCreate(shared=shared.result.hash),
    ]
    parameter = qase.TestCaseParameterCreate(qase.ParameterSingle(title="OS", values=["a"]))
    body = qase.TestCaseCreate(title="Made", severity=1, steps=steps, tags=["t"], is_manual=True, parameters=[parameter],
                               attachments=[files.result[0].hash])  # fmt: skip
    made = api.create_case("DEMO", body)
    one = api.get_case("DEMO", made.result.id).result
    assert [step.action for step in one.steps] == ["own", "a", "a"]
    assert (one.tags[0].title, one.attachments[0].filename, one.severity) == ("t", "a.txt", 1)
    cycle(api, "case", made, qase.TestCaseUpdate(title="Changed"))
    ids = api.bulk(
        "DEMO", qase.TestCasebulk(cases=[qase.TestCasebulkCasesInner(title=name) for name in "ab"])
    ).result.ids
    assert [one.title for one in api.get_cases("DEMO", limit=100).result.entities] == ["a", "b"] and len(ids) == 2
    with pytest.raises(qase.exceptions.ApiException) as refused:
        api.create_case("DEMO", qase.TestCaseCreate(title="C", is_flaky=7))
    assert refused.value.status == 422


def test_the_official_client_turns_gherkin_into_classic(client: Any) -> None:
    """Its update model sends ``steps_type: classic`` unasked (quirk 12)."""
    api = qase.CasesApi(client)
    body = qase.TestCaseCreate(title="G", steps_type="gherkin", steps=[qase.TestStepCreate(value="Given x")])
    id = api.create_case("DEMO", body).result.id
    assert api.get_case("DEMO", id).result.steps_type == "gherkin"
    api.update_case("DEMO", id, qase.TestCaseUpdate(title="H"))
    assert api.get_case("DEMO", id).result.steps_type == "classic"


def test_definitions(client: Any) -> None:
    api = qase.CustomFieldsApi(client)
    options = [qase.CustomFieldCreateValueInner(id=1, title="A")]
    made = api.create_custom_field(
        qase.CustomFieldCreate(title="Made", entity=0, type=3, value=options, is_enabled_for_all_projects=True)
    )
    cycle(api, "custom_field", made, qase.CustomFieldUpdate(title="Changed", value=options), code=())
    slugs = {one.slug for one in qase.SystemFieldsApi(client).get_system_fields().result}
    assert slugs >= {"severity", "priority", "type", "behavior", "layer", "status", "is_flaky", "automation"}


def test_shared_parameters(client: Any) -> None:
    api = qase.SharedParametersApi(client)
    content = qase.SharedParameterParameter([qase.ParameterSingle(title="OS", values=["a", "b"])])
    made = api.create_shared_parameter(
        qase.SharedParameterCreate(title="Made", type="single", is_enabled_for_all_projects=True, parameters=content)
    )
    cycle(api, "shared_parameter", made, qase.SharedParameterUpdate(title="Changed"), code=())


def test_attachments(client: Any) -> None:
    api = qase.AttachmentsApi(client)
    (file,) = api.upload_attachment("DEMO", file=[("a.txt", b"hello")]).result
    assert api.get_attachment(file.hash).result.size == 5
    assert api.get_attachments(limit=100).result.total == 1
    assert api.delete_attachment(file.hash).result.hash == file.hash


def test_configurations_users_and_authors(client: Any) -> None:
    api = qase.ConfigurationsApi(client)
    group = api.create_configuration_group("DEMO", qase.ConfigurationGroupCreate(title="G")).result.id
    api.create_configuration("DEMO", qase.ConfigurationCreate(title="C", group_id=group))
    assert api.get_configurations("DEMO").result.entities[0].configurations[0].title == "C"
    assert [user.id for user in qase.UsersApi(client).get_users(limit=100).result.entities] == [1, 5]
    assert qase.UsersApi(client).get_user(5).result.email == "bob@example.com"
    authors = qase.AuthorsApi(client).get_authors(limit=100).result.entities
    for id in (str(authors[0].id), authors[0].uuid):
        assert qase.AuthorsApi(client).get_author(str(id)).result.name == "Ada"


def test_the_token_is_checked(client: Any) -> None:
    client.configuration.api_key["TokenAuth"] = "wrong"
    with pytest.raises(qase.exceptions.UnauthorizedException):
        qase.SuitesApi(client).get_suites("DEMO")
