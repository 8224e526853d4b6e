"""authoring.md, "qase.yaml": every key, profiles, variables, and where the token may go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from authoring_kit import ONE, Project, place

Make = Callable[..., Project]
BASE = "title: Shop\ncreate: true\napi: {url: emulator}\n"


@pytest.fixture
def with_yaml(project: Make) -> Callable[..., Project]:
    """A folder with exactly this qase.yaml."""

    def make(text: str, files: dict[str, str | bytes] | None = None) -> Project:
        return project({"qase.yaml": text, "cases.yaml": ONE, **(files or {})})

    return make


class TestKeys:
    def test_the_sample_of_the_contract_is_valid(self, with_yaml: Make) -> None:
        with_yaml(
            """\
project: SHOP
title: Web shop
description: Everything we sell
create: false
api:
  url: https://api.qase.io/v1
  rate_limit: 200
  bulk_size: 100
  seed: emulator-seed.yaml
state:
  backend: local
scope:
  suites: [checkout, "accounts/**"]
policy:
  adopt: auto
  on_drift: revert
  on_conflict: fail
  max_deletes: 20
  max_delete_share: 0.2
defaults:
  case: {severity: normal, priority: medium}
exclude: ["drafts/**"]
profiles:
  staging: {project: SHOPSTG, api: {rate_limit: 600}}
""",
            {"emulator-seed.yaml": "{}\n", "cases.yaml": "suites: {checkout: {title: C, cases: {c: {title: C}}}}\n"},
        ).valid()

    @pytest.mark.parametrize("text", ["", BASE, "project:\n" + BASE, "project: null\n", "# nothing\n"])
    def test_project_is_required(self, with_yaml: Make, text: str) -> None:
        found = with_yaml(text).problem()
        assert found["file"] == "qase.yaml" and found["code"] in ("missing-attribute", "wrong-type")
        assert "project:" in found["detail"]

    def test_title_is_required_with_create(self, with_yaml: Make) -> None:
        assert place(with_yaml("project: SHOP\ncreate: true\n").problem()) == ("missing-attribute", "qase.yaml", 2, 9)

    @pytest.mark.parametrize("code", ["S", "SHOPSHOPSHO", "SHOP1", "SH-P", "SH P"])
    def test_a_code_to_be_created_has_2_to_10_letters(self, with_yaml: Make, code: str) -> None:
        found = with_yaml(f"project: {code}\n{BASE}").problem()
        assert place(found) == ("bad-project-code", "qase.yaml", 1, 10)

    def test_a_code_that_exists_may_have_digits(self, with_yaml: Make) -> None:
        with_yaml("project: SHOP1\n").valid()

    @pytest.mark.parametrize(
        ("setting", "code"),
        [
            ("foo: 1", "unknown-setting"),
            ("api: {rate: 3}", "unknown-setting"),
            ("api: {rate_limit: many}", "bad-number"),
            ("api: {rate_limit: -1}", "bad-number"),
            ("api: {rate_limit: 1.5}", "bad-number"),
            ("api: {bulk_size: 0}", "bad-number"),
            ("api: {bulk_size: 101}", "bad-number"),
            ("api: {url: 'ftp://x'}", "bad-setting"),
            ("api: {seed: none.yaml}", "seed-missing"),
            ("api: {seed: ../x.yaml}", "seed-outside"),
            ("api: {token: abc}", "token-in-file"),
            ("api: emulator", "wrong-type"),
            ("state: {backend: ftp}", "unknown-word"),
            ("state: {bucket: x}", "unknown-setting"),
            ("scope: {suites: checkout}", "wrong-type"),
            ("scope: {suites: [Check Out]}", "bad-pattern"),
            ("scope: {folders: [a]}", "unknown-setting"),
            ("policy: {adopt: never}", "unknown-word"),
            ("policy: {on_drift: fails}", "unknown-word"),
            ("policy: {on_conflict: revert}", "unknown-word"),
            ("policy: {max_deletes: -1}", "bad-number"),
            ("policy: {max_deletes: 1.5}", "bad-number"),
            ("policy: {max_delete_share: 1.1}", "bad-number"),
            ("policy: {max_delete_share: 20%}", "bad-number"),
            ("defaults: {case: {severty: low}}", "unknown-attribute"),
            ("defaults: {suite: {description: x}}", "unknown-attribute"),
            ("defaults: [a]", "wrong-type"),
            ("exclude: drafts", "wrong-type"),
            ("content: [/abs/../x]", "bad-pattern"),
            ("profiles: {a: {projekt: X}}", "unknown-setting"),
            ("profiles: {a: 3}", "wrong-type"),
            ("profiles: {a: {profiles: {b: {}}}}", "unknown-setting"),
            ("create: yes", "wrong-type"),
        ],
    )
    def test_a_key_that_is_not_enforced_is_an_error(self, with_yaml: Make, setting: str, code: str) -> None:
        found = with_yaml(f"project: SHOP\n{setting}\n").problem()
        assert (found["code"], found["file"], found["line"]) == (code, "qase.yaml", 2)

    @pytest.mark.parametrize(("backend", "codes"), [("git", []), ("http", []), ("s3", ["missing-attribute"])])
    def test_a_backend_says_what_it_lacks(self, with_yaml: Make, backend: str, codes: list[str]) -> None:
        assert with_yaml(f"project: SHOP\nstate: {{backend: {backend}}}\n").codes() == codes

    def test_the_value_of_what_looks_like_a_token_is_not_shown(self, with_yaml: Make) -> None:
        made = with_yaml("project: SHOP\napi: {token: abc123secret}\n")
        assert "abc123secret" not in made.run("validate").all

    @pytest.mark.parametrize("key", ["title", "description"])
    def test_title_and_description_are_used_only_on_creation(self, project: Make, key: str) -> None:
        made = project(ONE).settled()
        made.write({"qase.yaml": f"project: SHOP\ntitle: Shop\n{BASE[12:]}".replace(f"{key}: ", f"{key}: New ")})
        if key == "description":
            made.write({"qase.yaml": f"project: SHOP\ndescription: New\n{BASE}"})
        assert made.actions() == {}

    def test_the_project_is_created_with_create(self, project: Make) -> None:
        made = project(ONE, description="Everything we sell")
        assert made.sent("project.SHOP") == {"title": "Shop", "description": "Everything we sell"}
        made.apply()
        assert made.folder.app.dump("SHOP")["project"]["title"] == "Shop"

    def test_without_create_a_project_that_is_not_there_is_no_plan(self, project: Make) -> None:
        assert project(ONE, create=False).run("plan").code == 9


class TestPrecedence:
    @pytest.fixture
    def shop(self, with_yaml: Make) -> Project:
        return with_yaml(f"project: SHOP\n{BASE}profiles:\n  staging: {{project: STG, api: {{bulk_size: 1}}}}\n")

    def test_the_file_stands(self, shop: Project) -> None:
        assert shop.plan()["project"] == "SHOP"

    def test_a_profile_overlays_the_file(self, shop: Project) -> None:
        assert shop.plan("--profile", "staging")["project"] == "STG"

    def test_a_profile_is_merged_deeply(self, shop: Project) -> None:
        shop.write("cases: {a: {title: A}, b: {title: B}}\n")
        assert (shop.plan()["requests"], shop.plan("--profile", "staging")["requests"]) == (2, 3)
        assert shop.plan("--profile", "staging")["api"].startswith("emulator")

    def test_a_profile_replaces_lists(self, with_yaml: Make) -> None:
        text = f"project: SHOP\n{BASE}exclude: [a.yaml]\nprofiles: {{p: {{exclude: [b.yaml]}}}}\n"
        made = with_yaml(text, {"a.yaml": "cases: {a: {title: A}}\n", "b.yaml": "cases: {b: {title: B}}\n"})
        assert {"case.b", "case.c"} <= made.changes().keys() and "case.a" not in made.changes()
        found = made.changes("--profile", "p")
        assert {"case.a", "case.c"} <= found.keys() and "case.b" not in found

    def test_an_unknown_profile_is_an_error(self, shop: Project) -> None:
        ran = shop.refused("plan", "--profile", "stagin")
        assert ran.code == 3 and "Did you mean `staging`?" in ran.all

    def test_the_environment_fills_in_a_missing_project(self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QASE_TESTOPS_PROJECT", "ENV")
        assert with_yaml(BASE).plan()["project"] == "ENV"

    def test_where_both_differ_the_file_counts_and_a_warning_says_so(
        self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QASE_TESTOPS_PROJECT", "OTHER")
        made = with_yaml(f"project: SHOP\n{BASE}")
        found = made.problem()
        assert (found["severity"], found["line"]) == ("warning", 1)
        ran = made.run("plan", "--format", "json")
        assert ran.json["project"] == "SHOP" and "OTHER" in ran.err

    @pytest.mark.parametrize(
        ("variables", "url"),
        [
            ({"QASE_TESTOPS_API_HOST": "qase.io"}, "https://api.qase.io/v1"),
            ({"QASE_TESTOPS_API_HOST": "my.qase.example"}, "https://api-my.qase.example/v1"),
            ({"QASE_IAC_API_URL": "http://localhost:1/v1"}, "http://localhost:1/v1"),
            ({"QASE_IAC_API_URL": "http://localhost:1/v1", "QASE_TESTOPS_API_HOST": "x"}, "http://localhost:1/v1"),
        ],
    )
    def test_the_environment_names_the_api_over_the_file(
        self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        ran = with_yaml(f"project: SHOP\n{BASE}").refused("plan")
        assert ran.code == 8 and url in ran.all  # it asks for a token for that address

    def test_an_option_stands_over_the_environment(self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QASE_IAC_API_URL", "http://localhost:1/v1")
        assert with_yaml(f"project: SHOP\n{BASE}").plan("--api", "emulator")["api"].startswith("emulator")

    def test_policy_by_option_stands_over_the_file(self, project: Make) -> None:
        made = project("cases: {c: {title: C, severity: major}}\n", policy={"on_drift": "keep"}).settled()
        made.folder.app.ui.edit("SHOP", "case", made.folder.id_of("case.c"), severity=6)
        assert made.actions() == {}
        assert made.actions("--on-drift", "revert") == {"case.c": "update"}


class TestToken:
    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("https://api.qase.io/v1", 8),  # allowed: only the token is missing
            ("https://api.shop.qase.io/v1", 8),
            ("http://localhost:9/v1", 8),
            ("http://127.0.0.1:9/v1", 8),
            ("https://evil.example/v1", 4),
            ("https://qase.io.evil.example/v1", 4),
            ("https://evilqase.io/v1", 4),
            ("http://api.qase.io/v1", 4),
        ],
    )
    def test_goes_only_where_the_contract_says(self, with_yaml: Make, url: str, code: int) -> None:
        assert with_yaml(f"project: SHOP\napi: {{url: '{url}'}}\n").refused("plan").code == code

    def test_a_host_of_a_file_may_be_allowed_by_the_environment(
        self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QASE_IAC_ALLOWED_HOSTS", "other.example, evil.example")
        assert with_yaml("project: SHOP\napi: {url: 'https://evil.example/v1'}\n").refused("plan").code == 8

    def test_a_host_of_an_option_is_allowed(self, with_yaml: Make) -> None:
        assert with_yaml("project: SHOP\n").refused("plan", "--api", "https://qase.example/v1").code == 8

    def test_a_host_of_a_profile_is_only_named_in_a_file(self, with_yaml: Make) -> None:
        made = with_yaml("project: SHOP\nprofiles: {p: {api: {url: 'https://evil.example/v1'}}}\n")
        assert made.refused("plan", "--profile", "p").code == 4


class TestVariables:
    def test_work_in_project_api_and_state(self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"CODE": "SHP", "SIZE": "7", "WHERE": "emulator", "DIR": "states"}.items():
            monkeypatch.setenv(name, value)
        made = with_yaml(
            "project: ${env:CODE}\ntitle: Shop\ncreate: true\n"
            "api: {url: '${env:WHERE}', bulk_size: '${env:SIZE}'}\nstate: {path: '${env:DIR}/x.json'}\n"
        )
        assert made.valid().plan()["project"] == "SHP"
        made.apply()
        assert (made.folder.root / "states" / "x.json").is_file()

    @pytest.mark.parametrize("setting", ["title", "description"])
    def test_work_nowhere_else(self, with_yaml: Make, setting: str) -> None:
        assert with_yaml(f"project: SHOP\n{setting}: 'a ${{env:HOME}}'\n").codes() == ["env-not-here"]

    def test_are_plain_text_in_content(self, project: Make) -> None:
        assert project("cases: {c: {title: 'a ${env:HOME}'}}\n").sent("case.c")["title"] == "a ${env:HOME}"

    @pytest.mark.parametrize("name", ["MY_TOKEN", "SECRET", "API_KEY", "db_password", "QASE_TESTOPS_API_TOKEN"])
    def test_never_for_secrets(self, with_yaml: Make, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, "hush-hush")
        made = with_yaml(f"project: SHOP\napi: {{url: 'https://${{env:{name}}}/v1'}}\n")
        assert made.codes() == ["env-refused"]
        assert "hush-hush" not in made.run("validate").all

    def test_unset_is_an_error(self, with_yaml: Make) -> None:
        assert place(with_yaml("project: ${env:NOPE_NOPE}\n").problem()) == ("env-unset", "qase.yaml", 1, 10)

    def test_unused_profiles_are_not_resolved(self, with_yaml: Make) -> None:
        made = with_yaml("project: SHOP\nprofiles: {p: {project: '${env:NOPE_NOPE}'}}\n").valid()
        assert made.refused("plan", "--profile", "p").code == 3


class TestEmulatorAndState:
    def test_the_state_records_url_and_project(self, project: Make) -> None:
        made = project(ONE).apply()
        assert made.folder.state_path.name.startswith("SHOP@") and made.folder.state["project"] == "SHOP"

    def test_another_project_with_the_same_state_stops_before_the_first_request(self, project: Make) -> None:
        made = project(ONE, state={"path": "state.json"}).apply()
        made.write({"qase.yaml": f"project: OTHER\n{BASE}state: {{path: state.json}}\n"})
        for command in (["plan"], ["apply", "--auto-approve"], ["destroy", "--allow-deletes", "1", "--auto-approve"]):
            assert made.refused(*command).code == 4

    def test_another_api_with_the_same_state_stops_before_the_first_request(self, project: Make) -> None:
        made = project(ONE, state={"path": "state.json"}).apply()
        assert made.refused("plan", "--api", "emulator:other.db").code == 4

    def test_it_asks_for_no_token(self, project: Make) -> None:
        project(ONE).settled()


class TestFolderPolicy:
    FILES = {
        "a/suite.yaml": "title: A\npolicy: {on_drift: keep}\n",
        "a/b/c.yaml": "cases: {c: {title: C, severity: major}}\n",
        "d.yaml": "cases: {d: {title: D, severity: major}}\n",
    }

    def test_holds_for_what_lies_below(self, project: Make) -> None:
        made = project(self.FILES).settled()
        for key in ("c", "d"):
            made.folder.app.ui.edit("SHOP", "case", made.folder.id_of(f"case.{key}"), severity=6)
        assert made.actions() == {"case.d": "update"}

    def test_an_option_stands_over_it(self, project: Make) -> None:
        made = project(self.FILES).settled()
        made.folder.app.ui.edit("SHOP", "case", made.folder.id_of("case.c"), severity=6)
        assert made.actions("--on-drift", "revert") == {"case.c": "update"}

    @pytest.mark.parametrize(
        ("policy", "code"), [("{max_deletes: 3}", "policy-not-here"), ("{on_drif: keep}", "unknown-setting")]
    )
    def test_a_key_that_is_not_enforced_is_an_error(self, project: Make, policy: str, code: str) -> None:
        assert project({**self.FILES, "a/suite.yaml": f"title: A\npolicy: {policy}\n"}).codes() == [code]


@pytest.mark.parametrize("text", ["[", "- a\n", "a: b: c\n", "\tproject: X\n", "project: SHOP\nproject: SHOP\n"])
def test_a_broken_qase_yaml_is_a_diagnostic(with_yaml: Make, text: str) -> None:
    made = with_yaml(text)
    ran = made.refused("plan")
    assert ran.code == 3 and "qase.yaml:" in ran.all
    assert made.run("validate", "--format", "json").json["valid"] is False
