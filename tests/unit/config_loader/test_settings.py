"""qase.yaml: values, precedence, profiles, variables, and every diagnostic at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from loader_kit import places, settings_of, write

from qase_iac.config.settings import Settings
from qase_iac.diagnostics import Severity, has_errors
from qase_iac.model import Policy, Scope

FULL = """\
project: SHOP
title: Web shop
description: Everything we sell
create: true
api:
  url: https://api.qase.io/v1
  rate_limit: 300
  bulk_size: 50
  seed: seeds/emulator-seed.yaml
state: {backend: local, path: state.json}
scope:
  suites: [checkout, "accounts/**", .]
policy: {adopt: explicit, on_drift: keep, on_conflict: ours, max_deletes: 5, max_delete_share: .5}
defaults:
  case: {severity: normal, custom_fields: {Size: 1.10}}
content: ["**", "!x"]
exclude: ["drafts/**"]
profiles:
  staging: {project: SHOPSTG, api: {rate_limit: 600}, exclude: [], defaults: {case: {severity: null}}}
"""


def read(tmp_path: Path, text: str, **options: object) -> Settings:
    write(tmp_path, {"qase.yaml": text, "seeds/emulator-seed.yaml": "x: 1"})
    settings, problems = settings_of(tmp_path, **options)  # type: ignore[arg-type]
    assert settings is not None and not has_errors(problems), problems
    return settings


def test_everything(tmp_path: Path) -> None:
    assert read(tmp_path, FULL) == Settings(
        root=tmp_path,
        project="SHOP",
        title="Web shop",
        description="Everything we sell",
        create=True,
        api_file_url="https://api.qase.io/v1",
        rate_limit=300,
        bulk_size=50,
        seed="seeds/emulator-seed.yaml",
        state_backend="local",
        state_path="state.json",
        scope=Scope(("checkout", "accounts/**", ".")),
        policy=Policy("explicit", "keep", "ours", 5, 0.5),
        defaults={"case": {"severity": ["normal", 15, 20], "custom_fields.Size": ["1.10", 15, 50]}},
        content=("**", "!x"),
        exclude=("drafts/**",),
        profile=None,
    )


def test_what_counts_when_nothing_is_said(tmp_path: Path) -> None:
    text = "project: SHOP\napi:\npolicy: {on_drift: ~}\nscope: {suites: }\n"
    found = read(tmp_path, text)
    assert found == Settings(root=tmp_path, project="SHOP")
    assert (found.rate_limit, found.bulk_size, found.state_backend) == (200, 100, "local")
    assert found.policy == Policy("auto", "revert", "fail", 20, 0.2) and found.scope.suites is None


def test_a_profile_is_laid_over(tmp_path: Path) -> None:
    found = read(tmp_path, FULL.replace("SHOPSTG", "SHOPS"), profile="staging")
    assert (found.project, found.rate_limit, found.bulk_size, found.exclude) == ("SHOPS", 600, 50, ())
    assert found.defaults["case"]["severity"][0] is None and found.defaults["case"]["custom_fields.Size"][0] == "1.10"
    assert found.profile == "staging"


def test_options_count_most(tmp_path: Path) -> None:
    found = read(tmp_path, FULL, rate_limit=0, on_drift="fail", on_conflict="theirs")
    assert found.rate_limit == 0
    assert (found.policy.on_drift, found.policy.on_conflict, found.policy.adopt) == ("fail", "theirs", "explicit")


def test_variables(tmp_path: Path) -> None:
    text = 'project: "${env:A}B"\napi: {url: "http://${env:HOST}/v1", rate_limit: "${env:N}"}\nstate: {path: "${env:A}.json"}\n'
    found = read(tmp_path, text, environment={"A": "true", "HOST": "localhost:80", "N": "7"})
    assert (found.project, found.api_file_url, found.rate_limit) == ("trueB", "http://localhost:80/v1", 7)
    assert found.state_path == "true.json"


def test_unused_profiles_are_not_resolved(tmp_path: Path) -> None:
    read(tmp_path, 'project: SHOP\nprofiles: {a: {project: "${env:NOT_SET}"}, b: }\n', profile="b")


def test_the_project_from_the_environment(tmp_path: Path) -> None:
    assert read(tmp_path, "api:\n", environment={"QASE_TESTOPS_PROJECT": "ENVY"}).project == "ENVY"
    expected = write(tmp_path, {"qase.yaml": "project: «project-differs»SHOP\n"})
    settings, problems = settings_of(tmp_path, environment={"QASE_TESTOPS_PROJECT": "ENVY"})
    assert settings is not None and settings.project == "SHOP"
    assert places(problems) == expected and problems[0].severity is Severity.WARNING
    assert settings_of(tmp_path, environment={"QASE_TESTOPS_PROJECT": "SHOP"})[1] == []


BAD = {
    "no project": "«missing-attribute»title: Shop\n",
    "null project": "project: «missing-attribute»~\n",
    "bad code": "project: «bad-project-code»SH-OP\n",
    "long code": "project: «bad-project-code»SHOPSHOPSHO\n",
    "short code": "project: «bad-project-code»S\n",
    "code with digits to be created": "project: «bad-project-code»SHOP1\ncreate: true\ntitle: T\n",
    "code with digits": "project: SHOP_1\n",
    "code as a list": "project: «wrong-type»[A]\n",
    "boolean code": "project: «boolean-in-text»true\n",
    "unknown": "project: SHOP\n«unknown-setting»projct: SHOP\n",
    "unknown below": "project: SHOP\napi: {«unknown-setting»rate: 1}\npolicy: {«unknown-setting»brake: 1}\n",
    "token": "project: SHOP\n«token-in-file»token: abc\napi: {«token-in-file»api_token: abc}\n",
    "create": "project: SHOP\ncreate: «wrong-type»yes\n",
    "create without a title": "project: SHOP\ncreate: «missing-attribute»true\n",
    "empty title": "project: SHOP\ntitle: «empty-title»''\n",
    "url": "project: SHOP\napi: {url: «bad-setting»api.qase.io}\n",
    "url of another kind": "project: SHOP\napi: {url: «bad-setting»'ftp://qase.io'}\n",
    "empty url": "project: SHOP\napi: {url: «bad-setting»''}\n",
    "rate": "project: SHOP\napi: {rate_limit: «bad-number»-1, bulk_size: «bad-number»0}\n",
    "rates": "project: SHOP\napi: {rate_limit: «bad-number»'200', bulk_size: «bad-number»101}\n",
    "share": "project: SHOP\npolicy: {max_delete_share: «bad-number»1.1, max_deletes: «bad-number»1.5}\n",
    "number as a list": "project: SHOP\napi: {rate_limit: «wrong-type»[1]}\n",
    "policy words": "project: SHOP\npolicy: {on_drift: «unknown-word»ours, on_conflict: «unknown-word»revert, adopt: «unknown-word»yes}\n",
    "policy no mapping": "project: SHOP\npolicy: «wrong-type»keep\n",
    "policy as a list": "project: SHOP\npolicy: {adopt: «wrong-type»[auto]}\n",
    "state of another backend": "project: SHOP\nstate: «unknown-setting»{backend: git, bucket: b}\n",
    "state without its bucket": "project: SHOP\nstate: «missing-attribute»{backend: s3}\n",
    "state with a password": "project: SHOP\nstate: {backend: http, address: «bad-setting»'https://me:pw@host/x'}\n",
    "backend unknown": "project: SHOP\nstate: {backend: «unknown-word»ftp}\n",
    "scope": "project: SHOP\nscope: {suites: [«bad-pattern»Check Out, «bad-pattern»'', «bad-pattern»a//b]}\n",
    "scope no list": "project: SHOP\nscope: {suites: «wrong-type»checkout}\n",
    "scope as booleans": "project: SHOP\nscope: {suites: [«boolean-in-text»true]}\n",
    "content": "project: SHOP\ncontent: [«bad-pattern»../x/**]\n",
    "seed missing": "project: SHOP\napi: {seed: «seed-missing»no.yaml}\n",
    "seed outside": "project: SHOP\napi: {seed: «seed-outside»../no.yaml}\n",
    "env elsewhere": "project: SHOP\ntitle: «env-not-here»${env:T}\nexclude: [«env-not-here»'${env:T}']\n",
    "env unset": "project: «env-unset»${env:NOPE}\n",
    "env secret": "project: «env-refused»${env:MY_TOKEN}\n",
    "env malformed": "project: «bad-env»${env:}\napi: {url: «bad-env»'${env:X'}\n",
    "defaults": "project: SHOP\ndefaults: {case: {«no-default»suite: a}, «unknown-attribute»cases: {}}\n",
    "profiles no mapping": "project: SHOP\nprofiles: «wrong-type»[a]\n",
    "profile no mapping": "project: SHOP\nprofiles: {a: «wrong-type»b}\n",
    "unused profile": "project: SHOP\nprofiles: {a: {«unknown-setting»projct: b, api: {rate_limit: «bad-number»x}, title: «env-not-here»'${env:X}'}}\n",
    "secret in an unused profile": "project: SHOP\nprofiles: {a: {project: «env-refused»'${env:A_KEY}'}}\n",
    "a tab": "project: SHOP\napi:\n«tab-indentation»\turl: emulator\n",
    "a list": "«wrong-type»- project\n",
    "empty": "«wrong-type»",
    "twice": "project: SHOP\n«duplicate-key»project: SHIP\n",
}


@pytest.mark.parametrize("name", BAD)
def test_diagnostics(tmp_path: Path, name: str) -> None:
    expected = write(tmp_path, {"qase.yaml": BAD[name]})
    _, problems = settings_of(tmp_path)
    assert places(problems) == expected, problems
    assert not any("abc" in each.summary + each.detail for each in problems)


def test_an_unknown_profile(tmp_path: Path) -> None:
    write(tmp_path, {"qase.yaml": "project: SHOP\nprofiles: {staging: {}}\n"})
    (found,) = settings_of(tmp_path, profile="stagng")[1]
    assert found.code == "unknown-profile" and "Did you mean `staging`?" in found.summary
    write(tmp_path, {"qase.yaml": "project: SHOP\n"})
    (found,) = settings_of(tmp_path, profile="x")[1]
    assert found.code == "unknown-profile" and "no `profiles:`" in found.detail


def test_no_project_file(tmp_path: Path) -> None:
    settings, (found,) = settings_of(tmp_path)
    assert settings is None and found.code == "no-project"


def test_an_unreadable_project_file(tmp_path: Path) -> None:
    write(tmp_path, {"qase.yaml": b"project: \xff"})
    settings, (found,) = settings_of(tmp_path)
    assert settings is None and found.code == "not-utf8"


def test_a_problem_of_a_profile_is_said_once(tmp_path: Path) -> None:
    expected = write(
        tmp_path, {"qase.yaml": "project: SHOP\nprofiles: {a: {«unknown-setting»x: 1, api: {url: «bad-setting»b}}}\n"}
    )
    assert places(settings_of(tmp_path, profile="a")[1]) == expected
