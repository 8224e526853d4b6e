"""Diagnostics as SARIF 2.1.0 (OASIS), the format that code scanning reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from urllib.parse import quote

from qase_iac import __version__
from qase_iac.diagnostics import Diagnostic
from qase_iac.render.problems import named
from qase_iac.values import JSON, printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
SETTINGS = "qase.yaml"
"""Where a problem is shown that has no place of its own: a result without a location is refused by code scanning."""


def diagnostics_sarif(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """One run with a rule for each code and a result for each problem, in file order."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    rules = list(dict.fromkeys(each.code for each in ordered))
    driver = {
        "name": "qase-iac",
        "semanticVersion": __version__,
        "version": __version__,
        "rules": list(map(_rule, rules)),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules.index(each.code)) for each in ordered],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _rule(code: str) -> dict[str, JSON]:
    said = printable(code)
    return {"id": said, "name": said, "shortDescription": {"text": said.replace("-", " ").replace("_", " ")}}


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, JSON]:
    source = diagnostic.source
    place: dict[str, JSON] = {
        "artifactLocation": {
            "uri": quote(source.file or SETTINGS, safe="/", errors="backslashreplace"),
            "uriBaseId": ROOT,
        }
    }
    if source.line:
        place["region"] = {"startLine": source.line} | ({"startColumn": source.column} if source.column else {})
    message = "\n".join(part for part in (named(diagnostic), printable(diagnostic.detail, keep="\n")) if part)
    result: dict[str, JSON] = {
        "ruleId": printable(diagnostic.code),
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"qaseIac/v1": _fingerprint(diagnostic)},
    }
    if diagnostic.address:
        result["properties"] = {"address": printable(diagnostic.address)}
    return result


def _fingerprint(diagnostic: Diagnostic) -> str:
    """The same problem after lines were added above it."""
    said = "\n".join(map(printable, (diagnostic.code, diagnostic.source.file, diagnostic.summary)))
    return hashlib.sha256(said.encode()).hexdigest()
