"""What the tests of the state room share."""

from __future__ import annotations

from qase_iac.state.journal import Header, Item
from qase_iac.state.lock import Holder

LINEAGE = "11111111-aaaa"
HEADER = Header(LINEAGE, 4, "sha256:p", "SHOP", "https://api.qase.io/v1", "qase-iac 0.1.0", "t0", {"case": 10})
ME = Holder("ann", "laptop", 4711, "2026-01-01T00:00:00Z", "qase-iac apply")


def item(op: int, address: str, action: str = "create", id: int | str | None = None, **sent: object) -> Item:
    return Item(op, address, action, id, str(sent.get("title", "")), 3, "sha256:d", {"sent": sent})
