"""The state as an object in S3, or in a store that speaks its language, guarded by conditional writes.

`If-None-Match: *` creates what nobody else has created, `If-Match: ETAG` replaces the version that was read (AWS S3
user guide, "Conditional writes"). The lease is an object beside it, `KEY.lock`; it is emptied, never deleted, since
deletes are not conditional everywhere. boto3 finds credentials as it always does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from qase_iac.errors import StateError
from qase_iac.state.backends.base import FREE, LOCK, Changed, Found
from qase_iac.values import printable

_ABSENT = ("NoSuchKey", "404")
_OTHERS_FIRST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_UNHEARD_OF = '"00000000000000000000000000000000"'
"""A version that no object has."""


def client(region: str | None, endpoint: str | None) -> Any:
    """A client of boto3. Raises StateError when that is not installed, or knows no region."""
    try:
        boto3, config = import_module("boto3"), import_module("botocore.config")
        errors = import_module("botocore.exceptions")
    except ImportError:
        raise StateError(
            "`state.backend: s3` needs boto3, which is not installed.", hint="pip install 'qase-iac[s3]'"
        ) from None
    try:
        options = config.Config(retries={"mode": "standard", "max_attempts": 5})
        return boto3.session.Session().client("s3", region_name=region, endpoint_url=endpoint, config=options)
    except (errors.BotoCoreError, ValueError) as error:
        raise StateError(
            "The S3 client cannot be set up.", printable(str(error)), "Check `state:` in qase.yaml."
        ) from None


class S3Slots:
    """`connect` makes the client when it is first needed."""

    def __init__(self, bucket: str, key: str, connect: Callable[[], Any]) -> None:
        self.bucket = bucket
        self.key = key
        self.place = f"s3://{bucket}/{key}"
        self._connect = connect
        self._client: Any = None
        self._proven = False

    def get(self, slot: str) -> Found | None:
        with self._told("read") as client:
            try:
                answer = client.get_object(Bucket=self.bucket, Key=self._key(slot))
                return Found(answer["Body"].read(), answer["ETag"])
            except client.exceptions.ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise

    def put(self, slot: str, content: bytes, expected: str, note: str) -> str:
        token = self._put(slot, content, {"IfMatch": expected} if expected else {"IfNoneMatch": "*"})
        if token is None:  # a repeated request finds what the first one, unanswered, has done
            there = self.get(slot)
            if there is None or there.content != content:
                raise Changed
            token = there.token
        if slot == LOCK and not self._proven:
            self._prove(content)
        return token

    def drop(self, slot: str, expected: str) -> None:
        if self._put(slot, FREE, {"IfMatch": expected}) is None:
            raise Changed

    def _prove(self, content: bytes) -> None:
        """Finds out a store that ignores conditions, while the lease is ours and the content the same."""
        if self._put(LOCK, content, {"IfMatch": _UNHEARD_OF}) is not None:
            raise StateError(
                f"{self.place} cannot be guarded: the store takes no notice of conditions.",
                "It replaced an object although it was told not to (If-Match). Two runs could undo each other's work.",
                "Use a store that knows conditional writes, or another backend.",
            )
        self._proven = True

    def _put(self, slot: str, content: bytes, condition: dict[str, str]) -> str | None:
        """The new version; None when the condition does not hold."""
        about = {"Bucket": self.bucket, "Key": self._key(slot), "ContentType": "application/json"}
        with self._told("written") as client:
            try:
                return str(client.put_object(Body=content, **about, **condition)["ETag"])
            except client.exceptions.ClientError as error:
                if _code(error) in _OTHERS_FIRST:
                    return None
                raise

    def _key(self, slot: str) -> str:
        return self.key if slot != LOCK else f"{self.key}.lock"

    @contextmanager
    def _told(self, what: str) -> Iterator[Any]:
        if self._client is None:
            self._client = self._connect()
        errors = import_module("botocore.exceptions")
        try:
            yield self._client
        except self._client.exceptions.ClientError as error:
            raise self._failed(what, _code(error), str(error)) from None
        except errors.BotoCoreError as error:
            raise self._failed(what, type(error).__name__, str(error)) from None

    def _failed(self, what: str, code: str, said: str) -> StateError:
        hint = _HINTS.get(code, "Check `state:` in qase.yaml, and the credentials that boto3 finds in the environment.")
        return StateError(f"The state cannot be {what}: {self.place} ({printable(code)}).", printable(said), hint)


_HINTS = {
    "AccessDenied": "The job needs s3:GetObject and s3:PutObject on the key and on the key with .lock, and "
    "s3:ListBucket on the bucket, without which an absent object looks like a forbidden one.",
    "NoSuchBucket": "Make the bucket, or correct `state.bucket`.",
    "NoCredentialsError": "Give the job AWS credentials: a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "NotImplemented": "The store knows no conditional writes. Use another one, or another backend.",
}


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
