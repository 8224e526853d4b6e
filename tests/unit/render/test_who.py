"""Who changed something in Qase, as far as Qase tells: nobody is named for what another did."""

from __future__ import annotations

from typing import Any

import pytest

from qase_iac.api.codec import decode
from qase_iac.attributes import Decoding
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue
from qase_iac.plan.drifting import facts
from qase_iac.plan.model import Drift
from qase_iac.render.who import who_words

MADE, EDITED = "2026-01-01T00:00:00+00:00", "2026-11-20T10:00:00+00:00"


@pytest.mark.parametrize(
    ("kind", "meta", "said"),
    [
        ("changed", {}, ""),
        ("changed", {"updated_at": EDITED}, " · on 2026-11-20"),
        ("changed", {"updated_at": EDITED, "author_id": 3}, " · on 2026-11-20"),
        ("changed", {"updated_at": EDITED, "author_id": 3, "author": "Ann"}, " · on 2026-11-20 (author Ann)"),
        ("changed", {"updated_at": EDITED, "author": "Ann", "updated_by": 4}, " · by #4 on 2026-11-20"),
        ("changed", {"updated_at": EDITED, "updated_by": 4, "editor": "B\x1bob"}, " · by B\\x1bob on 2026-11-20"),
        ("appeared", {"created_at": MADE, "updated_at": EDITED, "author_id": 3}, " · by #3 on 2026-01-01"),
        ("appeared", {"updated_at": EDITED, "author": "Ann"}, " · by Ann on 2026-11-20"),
    ],
)
def test_in_words(kind: str, meta: dict[str, Any], said: str) -> None:
    assert who_words(Drift("case.x", 1, kind, {}, "X", meta)) == said


def test_what_the_api_tells_is_kept() -> None:
    entity = {"id": 7, "title": "T", "updated_at": EDITED, "author_id": 3, "updated_by": 4, "cases_count": 2}
    live = decode(BY_NAME["case"], entity | {"steps": [], "tags": []}, Decoding(Catalogue()))
    assert facts(live) == {"updated_at": EDITED, "author_id": 3, "updated_by": 4}
