"""Checks requests and answers against the published OpenAPI description, where it is at hand.

    app.observer = Contract.load()      # then drive the emulator; the first breach raises AssertionError

``contract.seen`` holds the operations that were checked. Any test may use it, the client's too.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from qase_iac.emulator import Exchange

PATH = Path(__file__).parents[3] / "shared" / "reference" / "openapi-v1.json"

# Keys that the live service is known to send or to take, though the description has them not.
UNDECLARED_ANSWERS = {"input_type"}
# Values that are known to be accepted beyond what the description says (section numbers of the reference).
LENIENT = {
    "suite_id": "null is the only way that may clear it (13.1)",
    "milestone_id": "null is the only way that may clear it (13.1)",
    "due_date": "PATCH may take it (9)",
}


@cache
def _document() -> dict[str, Any]:
    return json.loads(PATH.read_text("utf-8"))


class Contract:
    """An observer of an emulator that raises when an exchange does not fit the description."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.breaches: list[str] = []
        paths = sorted(_document()["paths"], key=lambda path: path.count("{"))
        self._paths = [(path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"\Z")) for path in paths]

    @classmethod
    def load(cls) -> Contract:
        if not PATH.exists():
            pytest.skip(f"the OpenAPI description is not at {PATH}")
        return cls()

    def __call__(self, exchange: Exchange) -> None:
        found = self._operation(exchange)
        if found is None:
            self.breaches.append(f"{exchange.method} {exchange.path} is not described")
            return
        path, operation = found
        self.seen.add((exchange.method, path))
        where = f"{exchange.method} {path}"
        self._query(where, operation, exchange)
        if exchange.status == 200:
            self._request(where, operation, exchange)
            answer = json.loads(exchange.answer)
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            self._check(f"{where} answer", schema, answer)
            self._undeclared(f"{where} answer", schema, answer, UNDECLARED_ANSWERS)
        elif str(exchange.status) not in operation["responses"]:
            self.breaches.append(f"{where}: status {exchange.status} is not described")

    def _operation(self, exchange: Exchange) -> tuple[str, dict[str, Any]] | None:
        for path, pattern in self._paths:
            operation = _document()["paths"][path].get(exchange.method.lower())
            if operation and pattern.match(exchange.path):
                return path, operation
        return None

    def _query(self, where: str, operation: dict[str, Any], exchange: Exchange) -> None:
        known = {self._resolve(one)["name"] for one in operation.get("parameters", [])}
        for name in parse_qs(exchange.query, keep_blank_values=True):
            if name not in known:
                self.breaches.append(f"{where}: the parameter {name} is not described")

    def _request(self, where: str, operation: dict[str, Any], exchange: Exchange) -> None:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if not exchange.request or "multipart" in exchange.content_type:
            return
        body = json.loads(exchange.request)
        if content is None:
            if body:
                self.breaches.append(f"{where}: a body is not described")
            return
        schema = content["schema"]
        trimmed = {key: value for key, value in body.items() if not (key in LENIENT and value is None)}
        self._check(f"{where} request", schema, trimmed)
        self._undeclared(f"{where} request", schema, trimmed, set(LENIENT))

    def _check(self, where: str, schema: dict[str, Any], value: Any) -> None:
        from openapi_schema_validator import OAS30Validator

        for error in OAS30Validator(schema).iter_errors(value):
            self.breaches.append(f"{where}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}")

    def _undeclared(self, where: str, schema: dict[str, Any], value: Any, allowed: set[str]) -> None:
        """A key that no branch of the schema declares: the service would not send it, or would ignore it."""
        if isinstance(value, list):
            for item in value:
                self._undeclared(where, {"anyOf": _items(schema)}, item, allowed)
        if not isinstance(value, dict):
            return
        declared, open_ended = _properties(schema)
        for key, item in value.items():
            if key in declared:
                self._undeclared(f"{where}.{key}", {"anyOf": declared[key]}, item, allowed)
            elif declared and not open_ended and key not in allowed:
                self.breaches.append(f"{where}: the key {key} is not described")

    def _resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        out: Any = _document()
        for part in value["$ref"].removeprefix("#/").split("/"):
            out = out[part]
        return out


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    out = [schema]
    for word in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(word, []):
            out += _branches(one)
    return out


def _items(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["items"] for one in _branches(schema) if isinstance(one.get("items"), dict)]


def _properties(schema: dict[str, Any]) -> tuple[dict[str, list[dict[str, Any]]], bool]:
    declared: dict[str, list[dict[str, Any]]] = {}
    open_ended = False
    for one in _branches(schema):
        for key, value in one.get("properties", {}).items():
            declared.setdefault(key, []).append(value)
        open_ended = open_ended or bool(one.get("additionalProperties"))
    return declared, open_ended
