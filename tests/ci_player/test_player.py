"""A player that is wrong proves nothing: what it takes from GitHub's documentation, one by one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_player.documents import matches, permissions, read_workflow, read_yaml
from ci_player.expressions import Strict, Unknown, condition, evaluate, fill, value_of
from ci_player.gitlab import holds
from ci_player.log import Log, command_in, read_pairs
from ci_player.workflows import Queues

CONTEXT = {
    "github": Strict("github", {"ref": "refs/heads/main", "event": Strict("event", {"number": 7}, {"label": None})}),
    "inputs": Strict("inputs", {"expect": ""}),
    "matrix": Strict("matrix", {"list": ["a", "b"]}),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event.number == 7", True),
        ("github.event.number == '7'", True),
        ("'Main' == 'main'", True),
        ("'x' == 0", False),
        ("'' == 0", True),
        ("null == 0", True),
        ("inputs.expect || 'reviewed'", "reviewed"),
        ("inputs.expect && 'a' || 'b'", "b"),
        ("!inputs.expect && (1 < 2)", True),
        ("github.event.label.name", None),
        ("github['ref']", "refs/heads/main"),
        ("matrix.list[1]", "b"),
        ("contains(matrix.list, 'A')", True),
        ("startsWith(github.ref, 'refs/heads/')", True),
        ("format('{0}-{1}', 'a', 2)", "a-2"),
        ("fromJSON('[1, 2]')", [1, 2]),
        ("inputs.expect != '' && fromJSON(inputs.expect)", False),
        ("'it''s'", "it's"),
        ("join(matrix.list)", "a,b"),
    ],
)
def test_expressions(text: str, value: Any) -> None:
    assert evaluate(text, CONTEXT) == value


@pytest.mark.parametrize(
    "text",
    [
        "github.refs",
        "secrets.X",
        "inputs.other",
        "nothing()",
        "github.event.numbr",
        "1 +",
        "(1",
        "a b",
        "inputs.x && 1",
    ],
)
def test_what_is_not_known_is_an_error(text: str) -> None:
    with pytest.raises(Unknown):
        evaluate(text, CONTEXT)


def test_texts_and_values() -> None:
    assert fill("pr-${{ github.event.number }}/${{ inputs.expect }}", CONTEXT) == "pr-7/"
    assert value_of({"list": "${{ matrix.list }}"}, CONTEXT) == {"list": ["a", "b"]}
    with pytest.raises(Unknown, match="toJSON"):
        fill("all: ${{ matrix.list }}", CONTEXT)


@pytest.mark.parametrize(
    ("written", "failed", "runs"),
    [(None, False, True), (None, True, False), ("always()", True, True), ("failure()", True, True), ("true", True, False),
     ("always() && inputs.expect", False, False), ("${{ github.ref == 'refs/heads/main' }}", False, True)],
)  # fmt: skip
def test_conditions(written: str | None, failed: bool, runs: bool) -> None:
    status = {"always": lambda: True, "success": lambda: not failed, "failure": lambda: failed}
    assert condition(written, {**CONTEXT, "()": status}) is runs


def test_half_a_text_is_no_condition() -> None:
    with pytest.raises(Unknown, match="always true"):
        condition("${{ inputs.expect }} == 'x'", CONTEXT)


@pytest.mark.parametrize(
    ("line", "name"),
    [("::error file=a%2Cb,line=1::x%0Ay", "error"), ("  ::warning::x", "warning"), ("a ::error::x", None), ("::nothing::x", None),
     ("a ##[error]x", "error"), ("::error", None), ("::set-output name=a::b", "set-output")],
)  # fmt: skip
def test_commands_in_a_log(line: str, name: str | None) -> None:
    found = command_in(line)
    assert (found.name if found else None) == name


def test_commands_are_stopped_until_their_token() -> None:
    log = Log()
    for line in (
        "::error file=a%2Cb::x%0Ay",
        "::stop-commands::t0ken",
        "::error::no",
        "::other::",
        "::t0ken::",
        "::notice::yes",
    ):
        log.add(line)
    assert [each.name for each in log.commands] == ["error", "stop-commands", "notice"]
    assert log.commands[0].properties == {"file": "a,b"} and log.commands[0].message == "x\ny"


def test_files_that_steps_write_to() -> None:
    assert read_pairs("a=1=2\nb<<E\nx\ny\nE\n", "OUT") == {"a": "1=2", "b": "x\ny"}
    with pytest.raises(AssertionError, match="invalid format"):
        read_pairs("nonsense\n", "OUT")


def test_filters_of_paths() -> None:
    assert matches("qase/a/b.yaml", ["qase/**"]) and not matches("qase.yaml", ["qase/**"])
    assert matches(".github/workflows/qase-plan.yml", [".github/workflows/qase-*.yml"])
    assert (
        not matches("docs/x.md", ["**", "!docs/**"]) and matches("a/b/c.py", ["**/*.py"]) and not matches("a/b", ["*"])
    )


def test_permissions_that_are_not_named_are_none() -> None:
    assert permissions({"contents": "read"}, {"pull-requests": "write"}) == {"contents": "read"}
    assert permissions(None, {}) == {}
    with pytest.raises(Unknown):
        permissions({"content": "read"})


def test_on_is_a_word_and_unknown_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    text = {"name": "x", "on": ["push"], "jobs": {"a": {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}}}
    path.write_text(yaml.safe_dump(text).replace("'on'", "on"))
    assert list(read_workflow(path)["on"]) == ["push"] and "on" in read_yaml(path)
    path.write_text(path.read_text().replace("runs-on", "runson"))
    with pytest.raises(Unknown, match="runson"):
        read_workflow(path)


def test_a_line_of_runs() -> None:
    """One works, one waits; the third takes the second's place, unless all may wait."""

    class Run:
        def __init__(self) -> None:
            self.began, self.turn, self.cancelled = threading.Event(), threading.Event(), 0
            self.result: object = "waiting"

        def cancel(self) -> None:
            self.cancelled += 1

    def enter(queues: Queues, run: Run, cancel: bool = False, all_wait: bool = False) -> Run:
        def work() -> None:
            run.result = queues.enter("g", run, cancel, all_wait)  # type: ignore[arg-type]
            run.turn.set()

        threading.Thread(target=work, daemon=True).start()
        assert run.began.wait(10)
        return run

    for all_wait in (False, True):
        queues = Queues()
        one = enter(queues, Run(), all_wait=all_wait)
        assert one.turn.wait(10)
        two = enter(queues, Run(), all_wait=all_wait)
        three = enter(queues, Run(), cancel=not all_wait, all_wait=all_wait)
        assert one.cancelled == (not all_wait) and queues.waiting("G") == (2 if all_wait else 1)
        queues.leave("g")
        (two if all_wait else three).turn.wait(10)
        assert two.turn.wait(10) and two.result is all_wait
        if not all_wait:
            assert three.turn.wait(10) and three.result is True


@pytest.mark.parametrize(
    ("rule", "is_so"),
    [
        ('$A == "x"', True),
        ('$A == "y" || $B', False),
        ("$A == $A && $C != $A", True),
        ("$B == null", True),
        ("$A", True),
    ],
)
def test_rules_of_gitlab(rule: str, is_so: bool) -> None:
    assert holds(rule, {"A": "x", "C": "z"}) is is_so
