"""Run a command and tell what it took: CPU of the process itself, wall time, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CLI = [sys.executable, "-m", "qase_iac"]


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds, peak memory in MiB, and what was printed on stdout."""

    cpu: float
    wall: float
    peak: float
    output: str


def run(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None, ok: int = 0) -> Cost:
    """Runs a command to its end. Raises SystemExit with what it said when it exits with another code than `ok`."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output, errors = _drain(process)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != ok:
        raise SystemExit(f"{' '.join(command)} exited {process.returncode}:\n{output[-2000:]}{errors[-2000:]}")
    wall = time.perf_counter() - start
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output)


def _drain(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Both streams to their ends, without reaping the process: its usage is wanted."""
    import threading

    assert process.stdout and process.stderr
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    output = process.stdout.read()
    reader.join()
    return output, "".join(errors)
