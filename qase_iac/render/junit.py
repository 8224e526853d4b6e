"""Diagnostics and drift as JUnit XML, the format that every CI shows as test results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from qase_iac.diagnostics import Diagnostic
from qase_iac.plan.model import Drift, Plan
from qase_iac.render.changes import drift_words
from qase_iac.render.details import attribute_lines
from qase_iac.render.problems import named
from qase_iac.values import printable

_NOT_XML = re.compile("[\ufffe\uffff]")
"""What XML 1.0 cannot hold and `printable` leaves alone."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One test case; it failed when `failure` names a kind. `said` is its text, `place` (file, line)."""

    name: str
    suite: str
    failure: str = ""
    message: str = ""
    said: str = ""
    place: tuple[str, int] = ("", 0)


def diagnostics_junit(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """A failed test for each error, a passed one with output for each warning; one passed test when all is well."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    return _document("qase-iac validate", [_problem(each) for each in ordered] or [_Test("valid", "validate")])


def drift_junit(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """A failed test for each object that changed in Qase; findings as in `validate`."""
    tests = [*map(_drifted, plan.drift), *map(_problem, plan.findings)]
    if not plan.drift:
        tests.insert(0, _Test("no drift", plan.project or "drift"))
    return _document("qase-iac drift", tests)


def _problem(diagnostic: Diagnostic) -> _Test:
    source = diagnostic.source
    kind = diagnostic.code if diagnostic.is_error else ""
    said = "\n".join(part for part in (str(source), diagnostic.detail) if part)
    name = f"{diagnostic.code}: {named(diagnostic)}"
    return _Test(name, source.file or "project", kind, named(diagnostic), said, (source.file, source.line))


def _drifted(drift: Drift) -> _Test:
    kind = drift.address.partition(".")[0]
    lines = [
        f"{line.mark} {'  ' * line.depth}{line.text}"
        for name, each in drift.attributes.items()
        for line in attribute_lines(kind, name, each)
    ]
    message = f"{drift.kind} in Qase: {drift_words(drift).removeprefix(' · ')}"
    return _Test(drift.address, kind, drift.kind, message, "\n".join(lines))


def _document(name: str, tests: Sequence[_Test]) -> str:
    failed = sum(bool(test.failure) for test in tests)
    sums = f'name={_quoted(name)} tests="{len(tests)}" failures="{failed}" errors="0"'
    body = "\n".join(map(_case, tests))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {sums}>\n'
        f'  <testsuite {sums} skipped="0">\n{body}\n  </testsuite>\n</testsuites>\n'
    )


def _case(test: _Test) -> str:
    file, line = test.place
    place = (f" file={_quoted(file)}" if file else "") + (f' line="{line}"' if file and line else "")
    head = f"    <testcase classname={_quoted(test.suite)} name={_quoted(test.name)}{place}"
    said = _text(test.said)
    if test.failure:
        failure = f"<failure type={_quoted(test.failure)} message={_quoted(test.message)}>{said}</failure>"
        return f"{head}>\n      {failure}\n    </testcase>"
    return f"{head}>\n      <system-out>{said}</system-out>\n    </testcase>" if said else f"{head}/>"


def _quoted(said: str) -> str:
    return quoteattr(_clean(printable(said)))


def _text(said: str) -> str:
    return escape(_clean(printable(said, keep="\n")))


def _clean(said: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", said)
