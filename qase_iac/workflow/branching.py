"""`--changed-since REV`: what this branch touched. A branch that is behind must not undo the work of others.

The files as they were where the branch left REV are loaded beside those of the work tree; an object whose YAML is the
same in both is none of this branch's business, whatever Qase and the state hold by now.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.config.loader import load
from qase_iac.config.settings import load_settings
from qase_iac.diagnostics import has_errors
from qase_iac.errors import QaseIacError
from qase_iac.fastjson import canonical
from qase_iac.model import Desired, Resource
from qase_iac.values import printable
from qase_iac.workflow.session import Session


def touched_since(session: Session, revision: str, now: Desired) -> frozenset[str]:
    """The addresses of what `now` declares otherwise than the files at the merge base of HEAD and `revision`.

    Raises QaseIacError when git cannot tell, or the files of that time are invalid.
    """
    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    other = _git(session.root, *verify, about=revision).decode().strip()
    base = _git(session.root, "merge-base", other, "HEAD", about=revision).decode().strip()
    with _files_at(session.root, base) as folder:
        then = _desired(session, folder, base) if folder else Desired(now.project)
    before, after = _rows(then), _rows(now)
    touched = {address for address in before.keys() | after.keys() if before.get(address) != after.get(address)}
    return frozenset(touched | _entries(now) - _entries(then))


def _rows(desired: Desired) -> dict[str, bytes]:
    return {str(address): _row(resource) for address, resource in desired.resources.items()}


def _row(resource: Resource) -> bytes:
    """All that a plan looks at; where it stands in the files does not count."""
    policy = astuple(resource.policy)
    return canonical([resource.attributes, resource.local, resource.protect, sorted(resource.ignore), policy])


def _entries(desired: Desired) -> set[str]:
    """The addresses that `moved`, `removed` and `adopt` name."""
    moved = {str(address) for entry in desired.moved for address in (entry.origin, entry.target)}
    return moved | {str(address) for address in (*desired.removed, *desired.adopt)}


def _desired(session: Session, folder: Path, base: str) -> Desired:
    settings, problems = load_settings(folder, profile=session.ask.profile, environment=session.world.environment)
    offline, _ = read_catalogue(folder)
    sound = settings is not None and not has_errors(problems)
    loaded = load(settings, offline=offline, cache_dir=session.world.cache_dir) if settings and sound else None
    if loaded is None or has_errors(loaded.diagnostics):
        found = [each for each in (loaded.diagnostics if loaded else problems) if each.is_error]
        raise QaseIacError(
            f"The files at {base[:12]}, where this branch began, are invalid: {found[0].source}: {found[0].summary}",
            "What this branch changed cannot be told from them.",
            "Bring the branch up to date with one that is valid, or plan without --changed-since.",
        )
    return loaded.desired


@contextmanager
def _files_at(root: Path, base: str) -> Iterator[Path | None]:
    """The project folder as it was, in a temporary place; None when it was not there yet."""
    prefix = _git(root, "rev-parse", "--show-prefix").decode().strip()
    top = Path(_git(root, "rev-parse", "--show-toplevel").decode().strip())
    if not _git(top, "ls-tree", base, "--", f"{prefix}qase.yaml"):
        yield None
        return
    archive = _git(top, "archive", "--format=tar", base, *([prefix] if prefix else []))
    with tempfile.TemporaryDirectory(prefix="qase-iac-") as place:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(place, filter="data")
        yield Path(place, prefix)


def _git(folder: Path, *words: str, about: str = "") -> bytes:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise QaseIacError(f"git cannot be run: {error.strerror}.", hint="--changed-since needs git.") from None
    if done.returncode:
        said = printable(done.stderr.decode("utf-8", "replace").strip()) or "it gave no reason"
        raise QaseIacError(
            f"git cannot tell where this branch left {about}: {said}" if about else f"git failed: {said}",
            f"It was asked: {printable(' '.join(words))}.",
            "Name a branch or commit that is here. A shallow clone lacks history: `git fetch --unshallow`, or "
            "`fetch-depth: 0` in the checkout of a CI job.",
        )
    return done.stdout
