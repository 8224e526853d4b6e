"""What CI servers read: SARIF, GitHub's workflow commands, JUnit XML. Each in its own grammar, and inert."""

import json
import re
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_kit import diagnostics, hostile_diagnostics, hostile_plans, plan_of, rich
from test_render_hostile import CONTROL

from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.errors import QaseIacError
from qase_iac.render import DriftView, format_for, render
from qase_iac.values import printable

FAST = settings(max_examples=80, deadline=None)
FOUND = st.lists(hostile_diagnostics, max_size=4)
COMMAND = re.compile(r"::(error|warning) ((?:[a-z]+=[^,:]*,)*[a-z]+=[^,:]*)::(.*)")


# ---------------------------------------------------------------------------------------------------------- SARIF


def check_sarif(shown):
    """What the published schema asks of the parts that are written here, by hand: no copy of it is at hand."""
    log = json.loads(shown)
    assert set(log) == {"$schema", "version", "runs"} and log["version"] == "2.1.0" and len(log["runs"]) == 1
    (run,) = log["runs"]
    assert set(run) == {"tool", "columnKind", "results"} and run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "qase-iac" and re.fullmatch(r"\d+\.\d+\.\d+\S*", driver["semanticVersion"])
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids)) and all(rule["shortDescription"]["text"] is not None for rule in driver["rules"])
    for result in run["results"]:
        assert set(result) <= {
            "ruleId",
            "ruleIndex",
            "level",
            "message",
            "locations",
            "partialFingerprints",
            "properties",
        }
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert isinstance(result["message"]["text"], str)
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        uri = urlsplit(place["artifactLocation"]["uri"])
        assert uri.path and not (uri.scheme or uri.netloc or uri.query or uri.fragment)
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri.path)
        region = place.get("region", {"startLine": 1})
        assert region["startLine"] >= 1 and region.get("startColumn", 1) >= 1
        assert all(re.fullmatch(r"[0-9a-f]{64}", print) for print in result["partialFingerprints"].values())
    return run


def test_sarif_says_what_and_where():
    run = check_sarif(render(diagnostics(), "sarif"))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "hash-comment",
        "empty-step",
        "unknown-attribute",
    ]
    last = run["results"][-1]
    assert last["level"] == "error" and "Did you mean `severity`?" in last["message"]["text"]
    assert last["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "checkout/cases.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12, "startColumn": 5},
    }


@FAST
@given(FOUND)
def test_sarif_of_anything_keeps_its_shape(found):
    shown = render(found, "sarif")
    assert shown.isascii() and not CONTROL.search(shown)
    assert len(check_sarif(shown)["results"]) == len(found)


def test_sarif_knows_a_problem_again_after_lines_were_added_above_it():
    def print_of(line, summary="This step is empty."):
        found = [Diagnostic("empty-step", summary, source=SourceRange("a.yaml", line, 3))]
        return check_sarif(render(found, "sarif"))["results"][0]["partialFingerprints"]

    assert print_of(4) == print_of(9) != print_of(4, "Another.")


def test_sarif_places_a_problem_without_a_file_somewhere():
    run = check_sarif(render([Diagnostic("no-content", "There is nothing here.")], "sarif"))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "qase.yaml", "uriBaseId": "%SRCROOT%"}}


def test_sarif_encodes_paths():
    name = "käse 🧀/100%#1?.yaml"
    run = check_sarif(render([Diagnostic("x", "y", source=SourceRange(name, 1))], "sarif"))
    assert unquote(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) == name


# --------------------------------------------------------------------------------------------------------- GitHub


def unescaped(said):
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        said = said.replace(code, char)
    return said


def read_commands(shown):
    """As the runner reads them: (severity, properties, message) of each, and the last line."""
    *lines, last = shown.splitlines()
    found = []
    for line in lines:
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])))
    assert not last.lstrip().startswith("::")
    return found


def test_github_commands_say_what_and_where():
    found = read_commands(render(diagnostics(), "github"))
    assert [severity for severity, _, _ in found] == ["warning", "error", "error"]
    assert found[2][1] == {
        "file": "checkout/cases.yaml",
        "line": "12",
        "col": "5",
        "title": "qase-iac: unknown-attribute",
    }
    assert found[2][2].startswith("A case has no `severty`. Did you mean `severity`?\nIt takes title, description")
    assert render([], "github") == "Valid. No problems were found.\n"


@FAST
@given(FOUND)
def test_each_problem_is_one_command_and_nothing_else_is(found):
    read = read_commands(render(found, "github"))
    ordered = sorted(found, key=Diagnostic.sort_key)
    assert len(read) == len(found)
    for (severity, properties, message), each in zip(read, ordered, strict=True):
        assert severity == each.severity.value
        assert properties["title"] == printable(f"qase-iac: {each.code}")
        assert properties.get("file", "") == printable(each.source.file)
        assert printable(each.summary) in message


@pytest.mark.parametrize(
    "text", ["a,b::c", "100%", "%0A::error::x", "a\n::add-mask::b", "::stop-commands::x", "\r\n::x::"]
)
def test_no_text_becomes_a_command_of_its_own(text):
    shown = render([Diagnostic("x", text, text, SourceRange(text, 1, 1), Severity.WARNING)], "github")
    assert len(shown.splitlines()) == 2
    ((_, properties, message),) = read_commands(shown)
    assert properties["file"] == printable(text) and message == f"{printable(text)}\n{printable(text, keep=chr(10))}"


# ---------------------------------------------------------------------------------------------------------- JUnit


def read_junit(shown):
    """(root, test cases); counts must agree."""
    assert not CONTROL.search(shown)
    root = ElementTree.fromstring(shown)
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    failed = sum(case.find("failure") is not None for case in cases)
    for each in (root, suite):
        assert (each.get("tests"), each.get("failures"), each.get("errors")) == (str(len(cases)), str(failed), "0")
    assert all(case.get("name") is not None and case.get("classname") for case in cases)
    return cases


def test_junit_fails_errors_and_lets_warnings_pass():
    cases = read_junit(render(diagnostics(), "junit"))
    assert [case.find("failure") is not None for case in cases] == [False, True, True]
    assert (cases[2].get("file"), cases[2].get("line")) == ("checkout/cases.yaml", "12")
    assert cases[2].find("failure").get("type") == "unknown-attribute"
    assert "It takes title" in cases[2].find("failure").text
    assert 'title: "Banner is #DDDDDD"' in cases[0].find("system-out").text


def test_junit_of_what_is_well_has_one_passed_test():
    assert [case.get("name") for case in read_junit(render([], "junit"))] == ["valid"]
    assert [case.get("name") for case in read_junit(render(DriftView(plan_of()), "junit"))] == ["no drift"]


def test_junit_of_drift_fails_each_object_that_changed():
    cases = read_junit(render(DriftView(rich()), "junit"))
    failures = {case.get("name"): case.find("failure") for case in cases if case.find("failure") is not None}
    assert set(failures) == {"case.receipt", "case.kept", "case.stray"}
    assert "title: Receipt → Receit" in failures["case.receipt"].text
    assert (failures["case.stray"].get("type"), failures["case.stray"].get("message")) == (
        "vanished",
        "vanished in Qase: deleted in Qase",
    )


@FAST
@given(st.one_of(FOUND, hostile_plans.map(DriftView)))
def test_junit_of_anything_is_xml(value):
    read_junit(render(value, "junit"))


@pytest.mark.parametrize("char", ["\ufffe", "\uffff", "\x00", "\x0b", "\udc80", "]]>", "<!--", "&"])
def test_what_xml_cannot_hold_is_shown(char):
    (case,) = read_junit(render([Diagnostic("x", f"a{char}b", f"c{char}d", SourceRange("f", 1))], "junit"))
    assert case.find("failure").get("message").startswith("a")


# ---------------------------------------------------------------------------------------------------------- table


@pytest.mark.parametrize(
    ("path", "format"),
    [("a.html", "html"), ("a.HTM", "html"), ("x/a.sarif", "sarif"), ("a.sarif.json", "sarif"), ("a.xml", "junit")],
)
def test_endings(path, format):
    assert format_for(path) == format


@pytest.mark.parametrize("format", ["sarif", "github", "junit"])
def test_a_plan_is_no_list_of_problems(format):
    with pytest.raises(QaseIacError, match="no format"):
        render(plan_of(), format)
