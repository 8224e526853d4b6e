"""Digests of values: the same value gives the same text, whatever the order of keys."""

from __future__ import annotations

import hashlib

from qase_iac.fastjson import canonical
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject
from qase_iac.values import JSON


def digest(value: JSON) -> str:
    """`sha256:…` over the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def live_digest(live: LiveObject) -> str:
    """The digest of all canonical attributes of a live object; not of its times or position."""
    kind = BY_NAME[live.kind]
    canonical = {name: kind.canon(name, value) for name, value in live.attributes.items()}
    return digest(
        [live.kind, live.id, {name: value for name, value in canonical.items() if value not in (None, "", [])}]
    )
