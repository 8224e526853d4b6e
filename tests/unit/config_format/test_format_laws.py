"""Whatever people's files look like: the canonical layout says the same, comments stay by what they are about."""

from __future__ import annotations

import random
import re
import sys
from typing import Any

import pytest
import yaml
from e2e_kit import REPO
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from qase_iac.config.dump import dump
from qase_iac.config.edit.objects import ordered
from qase_iac.config.format import canonical
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import has_errors

sys.path.append(str(REPO / "tests" / "unit" / "config_edit"))
import messy

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)
NAME = "cases.yaml"
FLOWS = """\
cases:
  a: {title: X, tags: [a, b,
     c], steps: [
       {expected: one, action: "two"}, three,
     {action: four}]}
  b: &b
    title: "multi
      line"
    description: plain
      over
      lines
    steps:
    - a
    - expected: c
      action: b
      steps:
      - c
    - action: - x
  c:
    <<: *b
    title: 'C'
    custom_fields:
      "Quoted": &q "x y"
      Other: *q
    description: >
      folded text
      here

        more indented

      end
    preconditions: |+
      keep

suites:
    s:
        title: S
        cases:
            d: {title: D}
            e: {title: E}
""".replace("- action: - x", '- action: "- x"')


def values(data: bytes) -> Any:
    """What any YAML reader makes of it; texts, numbers and all."""
    return yaml.load(data, yaml.CBaseLoader)


def comments(data: bytes) -> list[str]:
    """Comments that carry a number, which no text in the files does."""
    return sorted(re.findall(r"#.*\d\d*\s*$", data.decode("utf-8-sig").replace("\r\n", "\n"), re.MULTILINE))


def formatted(before: bytes) -> bytes:
    assume(not has_errors(read_yaml(before, NAME).diagnostics))
    result = canonical(before, NAME)
    assert result.after is not None, result.problems
    assert canonical(result.after, NAME).after == result.after
    assert values(result.after) == values(before)
    return result.after


@SLOW
@given(messy.files() | messy.files(anchors=True))
def test_values_stay_and_twice_is_once(before: bytes) -> None:
    after = formatted(before)
    assert not [line for line in after.decode().splitlines() if line.startswith("\t")]
    assert not after.startswith(b"\xef\xbb\xbf")
    assert after.endswith(b"\n")


@st.composite
def commented(draw: Any) -> bytes:
    """A file with comments and blank lines put in anywhere, `N:` telling which."""
    dice: random.Random = draw(st.randoms(use_true_random=True))
    lines = FLOWS.split("\n")
    for number in range(dice.randint(1, 8)):
        at = dice.randrange(len(lines))
        match dice.randrange(5):
            case 0 | 1:
                lines.insert(at, " " * dice.randrange(13) + f"# own {number}")
            case 2:
                lines.insert(at, "")
            case 3:
                lines[at] += " " * dice.choice([1, 2, 7]) + f"# behind {number}"
            case _:
                lines[at] = lines[at].replace(", ", f",  # in brackets {number}\n            ", 1)
    return "\n".join(lines).encode()


@SLOW
@given(commented())
def test_no_comment_is_lost(before: bytes) -> None:
    assume(not has_errors(read_yaml(before, NAME).diagnostics))
    result = canonical(before, NAME)
    if result.after is None:
        assert {each.code for each in result.problems} == {"not-formatted"}
        return
    after = formatted(before)
    assert [text.rstrip() for text in comments(after)] == [text.rstrip() for text in comments(before)]


@SLOW
@given(st.data())
def test_a_comment_stays_by_its_attribute(data: Any) -> None:
    """Each attribute has comments with its own name above it and behind it, in any order of attributes."""
    names = data.draw(st.permutations(["key", "title", "severity", "status", "tags", "protect", "milestone"]))
    lines = ["# yaml-language-server: $schema=x"]
    for name in names:
        value = "true" if name == "protect" else "[a]" if name == "tags" else "a"
        if name != names[0]:
            lines += [f"# above {name}"]
        lines += [f"{name}: {value} # behind {name}"]
    after = canonical("\n".join(lines).encode(), "a.case.yaml").after
    assert after is not None
    found = after.decode().splitlines()
    order = ["key", "title", "severity", "status", "milestone", "tags", "protect"]
    assert [line.split(":")[0] for line in found if not line.startswith("#")] == order
    for name in order:
        (at,) = (at for at, line in enumerate(found) if line.startswith(f"{name}:"))
        assert found[at].endswith(f"  # behind {name}")
        assert name == names[0] or found[at - 1] == f"# above {name}"


def as_written(case: dict[str, Any]) -> dict[str, Any]:
    """In the order in which the writer gets attributes and the parts of steps."""
    return ordered(
        {**case, "steps": [step_as_written(step) for step in case["steps"]]} if "steps" in case else case, "case"
    )


def step_as_written(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    inner = {"steps": [step_as_written(each) for each in step["steps"]]} if "steps" in step else {}
    return {name: step[name] for name in ("action", "data", "expected") if name in step} | inner


@SLOW
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), messy.attributes(), min_size=1))
def test_what_the_writer_writes_is_canonical(cases: dict[str, Any]) -> None:
    entries = [dump({"-": {key: as_written(cases[key])}}).partition("\n")[2] for key in cases]
    text = "cases:\n"
    for entry in entries:
        text += ("\n" if text != "cases:\n" and not text.endswith("\n\n") else "") + entry
    result = canonical(text.encode(), NAME)
    assert (result.after or b"").decode() == text


@pytest.mark.parametrize("number", range(5))
def test_whatever_the_bytes_there_is_an_answer(number: int) -> None:
    dice = random.Random(number)
    for _ in range(60):
        data = bytearray(FLOWS.encode())
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(data))
            data[at : at + dice.randint(0, 4)] = dice.choice(
                [b"[", b"{", b"*b", b"&b ", b"\n", b"  ", b"? ", b": ", b"|", b"---\n", b"#", b"\xff", b"- ", b"!!str "]
            )
        result = canonical(bytes(data), NAME)
        if result.after is None:
            assert result.problems
        else:
            assert canonical(result.after, NAME).after == result.after
            assert values(result.after) == values(bytes(data))
