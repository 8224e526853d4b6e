"""One comment for each key in a pull or merge request, kept up to date; and the digest that it says.

Ours is a comment that begins with our mark and whose author is the owner of the token that is asked with. Who else
may write comments as that author (on GitHub: every workflow of the repository that may write to pull requests) is
trusted; nobody else's comment is read for a digest or edited, whatever it begins with. The mark names the commit that
the plan is of, so the plan of an earlier push never counts for what was merged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from qase_iac.errors import QaseIacError
from qase_iac.values import printable
from qase_iac.workflow.asking import Unsure, understood
from qase_iac.workflow.forges import Comment, Forge, Request
from qase_iac.workflow.storing import run_url

LIMIT = 65_536
"""Characters that GitHub takes; GitLab takes more."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MARK = re.compile(r"<!-- qase-iac:comment key=(\S+) digest=(\S*) head=(\S*) -->(?:\r?\n|\Z)")
_PLAIN = "/:._@-"
"""What stands in a key as it is; all else is written as %XX, so that no key can end the mark."""


@dataclass(frozen=True)
class Mark:
    """The hidden first line of a comment: its key, the digest of the plan that it shows, the commit it is of."""

    key: str
    digest: str = ""
    head: str = ""

    def __str__(self) -> str:
        return f"<!-- qase-iac:comment key={quote(self.key, _PLAIN)} digest={self.digest} head={quote(self.head)} -->"

    @classmethod
    def of(cls, body: str) -> Mark | None:
        """The mark at the very beginning of a comment: further down it may be a quotation."""
        found = _MARK.match(body)
        return cls(unquote(found[1]), found[2], unquote(found[3])) if found else None


def write_comment(
    forge: Forge, key: str, text: str, environment: Mapping[str, str], digest: str = "", only_edit: bool = False
) -> Comment | None:
    """Writes the comment of that key, or edits it where it is there; None when `only_edit` and there is none.

    Raises QaseIacError when there is no request, or the forge refuses.
    """
    with understood():
        request = forge.request()
    if request is None:
        raise _no_request()
    body = _body(Mark(key, digest, request.head), text, run_url(environment))
    try:
        with understood():
            return _put(forge, request, key, body, only_edit)
    except QaseIacError as error:
        if request.fork and not isinstance(error, Unsure):
            raise QaseIacError(
                "A request from a fork gets a token that can only read, so there is no comment.", error.detail
            ) from None
        raise


def _put(forge: Forge, request: Request, key: str, body: str, only_edit: bool) -> Comment | None:
    there = _ours(forge, request.number, key)
    if there:
        return forge.edit(request.number, there, body)
    if only_edit:
        return None
    try:
        return forge.create(request.number, body)
    except Unsure:
        if written := _ours(forge, request.number, key):
            return written
        return forge.create(request.number, body)


def approved_digest(forge: Forge, key: str) -> str:
    """The digest in the comment of the request whose merge made this commit, of the commit that was merged.

    Raises QaseIacError when there is no such request, comment or digest.
    """
    with understood():
        request = forge.request()
        there = _ours(forge, request.number, key) if request else None
    if request is None:
        raise _no_request()
    mark = Mark.of(there.body) if there else None
    if mark is None:
        raise QaseIacError(f"Request {request.number} has no comment of ours for {printable(key)}.", _WITHOUT)
    if not DIGEST.fullmatch(mark.digest):
        raise QaseIacError(f"The comment in request {request.number} shows no plan.", _WITHOUT)
    if mark.head != request.head:
        raise QaseIacError(
            f"The plan in request {request.number} is of commit {printable(mark.head)[:12]}, but "
            f"{printable(request.head)[:12]} was merged.",
            _WITHOUT,
        )
    return mark.digest


_WITHOUT = "So no plan was reviewed."


def _ours(forge: Forge, number: int, key: str) -> Comment | None:
    """The oldest of that key: it is the one that is edited, should there ever be two."""
    me = forge.me()
    for comment in forge.comments(number):
        if comment.author == me and (mark := Mark.of(comment.body)) and mark.key == key:
            return comment
    return None


def _body(mark: Mark, text: str, page: str) -> str:
    about = [f"For commit {mark.head[:12]}"] if mark.head else []
    about += [f"[the job]({page})"] if page else []
    foot = f"\n\n<sub>{' · '.join(about)}</sub>" if about else ""
    body = f"{mark}\n{text.rstrip()}{foot}\n"
    if len(body) > LIMIT:
        raise QaseIacError(
            f"This is too long for a comment: {len(body):,} characters, {LIMIT:,} are taken.",
            hint="A report that ends in .md always fits.",
        )
    return body


def _no_request() -> QaseIacError:
    return QaseIacError(
        "There is no pull or merge request to this commit.",
        "The job was not set off by one, and no merge of one made this commit.",
    )
