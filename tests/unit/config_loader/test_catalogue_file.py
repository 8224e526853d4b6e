"""catalogue.yaml: what is written is what is read, and broken ones are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_kit import places, write

from qase_iac.config.catalogue_file import read_catalogue, write_catalogue
from qase_iac.model import FIELD_TYPES, Catalogue, CustomField, Option

TITLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)


def known(catalogue: Catalogue) -> object:
    options = {name: [(o.slug, o.title, o.default) for o in each] for name, each in catalogue.options.items()}
    fields = [(f.title, f.type, [o.title for o in f.options], f.required) for f in catalogue.custom_fields]
    return options, sorted(fields)


OPTION = st.builds(Option, st.integers(0, 99), TITLE, TITLE, st.booleans())
FIELD = st.builds(
    CustomField,
    st.integers(0, 99),
    TITLE,
    st.sampled_from(FIELD_TYPES),
    st.lists(OPTION, max_size=3).map(tuple),
    st.booleans(),
)


@given(
    st.dictionaries(st.sampled_from(["severity", "priority", "type"]), st.lists(OPTION, max_size=4).map(tuple)),
    st.lists(FIELD, max_size=4).map(tuple),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_written_is_read(
    tmp_path: Path, options: dict[str, tuple[Option, ...]], fields: tuple[CustomField, ...]
) -> None:
    live = Catalogue(options, fields)
    path = write_catalogue(tmp_path, live)
    assert path.name == "catalogue.yaml"
    first = path.read_bytes()
    found, problems = read_catalogue(tmp_path)
    assert problems == [] and not found.live
    assert known(found) == known(live)
    write_catalogue(tmp_path, live)
    assert path.read_bytes() == first
    assert [each.name for each in tmp_path.iterdir()] == ["catalogue.yaml"]


def test_without_a_file_the_stock_words_count(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path) == (Catalogue(live=False), [])


@pytest.mark.parametrize(
    "text",
    [
        "«bad-catalogue»x: 1\n",
        "options: «bad-catalogue»[a]\n",
        "options: {severity: «bad-catalogue»a}\n",
        "options: {severity: [«bad-catalogue»{title: A}]}\n",
        "custom_fields: [«bad-catalogue»{title: A, type: strng}, «bad-catalogue»{type: text}]\n",
        "options:\ncustom_fields:\n",
        "«tab-indentation»\toptions:\n",
    ],
)
def test_broken(tmp_path: Path, text: str) -> None:
    expected = write(tmp_path, {"catalogue.yaml": text})
    assert places(read_catalogue(tmp_path)[1]) == expected


def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").mkdir()
    catalogue, problems = read_catalogue(tmp_path)
    assert not catalogue.options and len(problems) == 1


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_catalogue(tmp_path, Catalogue())
    assert list(tmp_path.iterdir()) == []
