"""What Python loads by itself in a child of the fault matrix: a fast clock, and an accident at one chosen disk operation.

The child is a plain `python -m qase_iac apply`; nothing of the program is replaced. The environment says what happens:

TORTURE_SPEED   how many times faster than the world's its clocks run
TORTURE_EPOCH   the moment (seconds since 1970) from which they do
TORTURE_DO      at operation TORTURE_AT: kill (before it), torn (half of the write), kept (after it), full (from then on)
TORTURE_AT      the number of the operation, from 1
TORTURE_ROOT    operations below this folder count, no others
TORTURE_LOG     a file that gets the name of each operation, one a line
"""

import errno
import io
import os
import signal
import time

SPEED, EPOCH = float(os.environ.get("TORTURE_SPEED", "1")), float(os.environ.get("TORTURE_EPOCH", "0"))
DO, AT = os.environ.get("TORTURE_DO", ""), int(os.environ.get("TORTURE_AT", "0"))
ROOT, LOG = os.environ.get("TORTURE_ROOT", "/"), os.environ.get("TORTURE_LOG")
FILLS = ("write", "open", "mkdir", "fsync", "link")
"""What a full disk refuses."""

_count = 0
_log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if LOG else None
_write = os.write


def _faster(clock, origin):
    return lambda: origin + (clock() - origin) * SPEED


if SPEED != 1:
    time.sleep = lambda seconds, sleep=time.sleep: sleep(seconds / SPEED)
    time.time = _faster(time.time, EPOCH)
    time.monotonic = _faster(time.monotonic, 0.0)


def _die():
    os.kill(os.getpid(), signal.SIGKILL)
    while True:  # not one step further
        signal.pause()


def _at(name, what):
    """Counts an operation; says whether this is the one."""
    global _count
    _count += 1
    if _log is not None:
        _write(_log, f"{name} {what}\n".encode())
    if DO == "full" and _count >= AT and name in FILLS:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if DO == "kill" and _count == AT:
        _die()
    return _count == AT


def _wrap(name, real, what):
    def wrapped(*arguments, **named):
        path = what(*arguments, **named)
        if not path:
            return real(*arguments, **named)
        hit = _at(name, path)
        result = real(*arguments, **named)
        if hit and DO == "kept":
            _die()
        return result

    return wrapped


def _below(path):
    """The path from ROOT on; "" for one that is not below it."""
    try:
        text = os.path.abspath(os.fsdecode(path))
    except TypeError:
        return ""
    return os.path.relpath(text, ROOT) if text.startswith(ROOT + os.sep) else ""


def _made(path, flags, *more, **named):
    return _below(path) if flags & os.O_CREAT and not os.path.lexists(path) else ""


def _fresh(path, *more, **named):
    return "" if os.path.lexists(path) else _below(path)


def _there(path, *more, **named):
    return _below(path) if os.path.lexists(path) else ""


def _record(data):
    """The first key of a line of the journal: intent, outcome, …"""
    parts = bytes(data[:20]).split(b'"')
    return parts[1].decode() if parts[0] == b"{" else "rest"


class _File(io.FileIO):
    """What the journal is written through."""

    def write(self, data):
        hit = _at("write", _record(data))
        if hit and DO == "torn":
            super().write(bytes(data)[: len(data) // 2])
            _die()
        written = super().write(data)
        if hit and DO == "kept":
            _die()
        return written


if DO or LOG:
    io.FileIO = _File
    os.open = _wrap("open", os.open, _made)
    os.mkdir = _wrap("mkdir", os.mkdir, _fresh)
    os.fsync = _wrap("fsync", os.fsync, lambda fd: _below(os.readlink(f"/proc/self/fd/{fd}")))
    os.link = _wrap("link", os.link, lambda old, new, **named: _below(new))
    os.replace = _wrap("replace", os.replace, lambda old, new, **named: _below(new))
    os.rename = _wrap("rename", os.rename, lambda old, new, **named: _below(new))
    os.unlink = _wrap("unlink", os.unlink, _there)
