"""The last line of `--events FILE`: how the run ended, whatever the command."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from qase_iac.cli.context import Globals
from qase_iac.errors import FAILURE_CLASSES, QaseIacError


def log_end(settings: Globals, code: int) -> None:
    """Appends `ended`. A log that cannot be written was an error before, and hides no exit code now."""
    assert settings.events is not None
    error = settings.error
    crashed = error is not None and not isinstance(error, QaseIacError)
    event = {
        "event": "ended",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "exit_code": code,
        "failure_class": "internal" if crashed else FAILURE_CLASSES.get(code),
        "summary": error.summary if isinstance(error, QaseIacError) else type(error).__name__ if error else "",
    }
    try:
        with open(settings.path(settings.events), "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
    except OSError:
        pass
