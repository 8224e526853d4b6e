"""JSON at the speed of orjson where it can, with the standard library's tolerance where it cannot.

orjson refuses lone surrogates, which Qase and old files may hold; the standard library reads and escapes them.
"""

from __future__ import annotations

import json

import orjson

from qase_iac.values import JSON


def loads(data: bytes | str) -> JSON:
    """Parses JSON. Raises ValueError; RecursionError when it nests too deeply."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def dumps(value: JSON) -> bytes:
    """JSON in UTF-8, for files that only `loads` reads again. Tuples become lists."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, separators=(",", ":")).encode()


def canonical(value: JSON) -> bytes:
    """The one text of a value, whatever the order of its keys: for digests."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
