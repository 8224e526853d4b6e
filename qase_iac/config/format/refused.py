"""Why a file is left as it is."""

from __future__ import annotations


class Refused(Exception):
    """Something has no canonical form that is sure to say the same; `at` is its place in the text, -1 for none."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why
