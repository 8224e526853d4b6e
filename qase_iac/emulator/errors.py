"""Errors that the service answers with (section 2 of the reference)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Problem = tuple[str, str]  # (path of the field as Laravel writes it, message)


class ApiError(Exception):
    """An answer with a status of 4xx or 5xx."""

    def __init__(self, status: int, message: str, problems: Sequence[Problem] = (),
                 headers: Sequence[tuple[str, str]] = ()) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = list(problems)
        self.headers = list(headers)

    def body(self, style: str) -> dict[str, Any] | None:
        """The body in one of the shapes seen in the wild (section 2.2); None is no body at all."""
        if style == "empty":
            return None
        if style == "laravel":
            errors: dict[str, list[str]] = {}
            for field, message in self.problems:
                errors.setdefault(field, []).append(message)
            return {"message": self.message, "errors": errors}
        body: dict[str, Any] = {"status": False, "errorMessage": self.message}
        if self.problems and style == "full":
            body["errorFields"] = [{"field": field, "error": message} for field, message in self.problems]
        return body


class Invalid(Exception):
    """One or several fields are wrong; the request as a whole becomes a 422."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems))
        self.problems = list(problems)


class DroppedConnection(ConnectionError):
    """A fault: the connection ends without (the rest of) an answer. The server closes the socket on it."""


def unprocessable(problems: Sequence[Problem]) -> ApiError:
    return ApiError(422, "Data is invalid.", problems)


def invalid(field: str, message: str) -> Invalid:
    return Invalid([(field, message)])


def not_found(what: str) -> ApiError:
    return ApiError(404, f"{what} not found")
