"""Objects that come, go and move: the file, the place in it, and what else must be said there."""

from __future__ import annotations

from pathlib import Path

import pytest
from edit_kit import add, edited, fill, loaded, move, outcome, put, remove, unset

from qase_iac.config.edit import Edit, write
from qase_iac.config.writer import FilePath
from qase_iac.values import Address

SHOP: dict[str, str | bytes] = {
    "cases.yaml": "cases:\n  root:\n    title: R\n",
    "checkout/suite.yaml": "title: Checkout\ndefaults:\n  case: {priority: high}\n",
    "checkout/cases.yaml": """\
cases:
  a:
    title: A
suites:
  vouchers:
    title: V
    cases:
      # one
      v1:   # key
        title: "V1" # t
        steps:
          - action: x
            attachments: [img/a.png]   # seen
      v2:
        title: V2
""",
    "checkout/img/a.png": b"x",
    "other/suite.yaml": "title: Other\n",
    "other/one.case.yaml": "title: One  # 1\n",
}
WITHOUT_V1 = """\
cases:
  a:
    title: A
suites:
  vouchers:
    title: V
    cases:
      v2:
        title: V2
"""


def test_text_moves_into_a_file_of_its_own_with_its_comments(tmp_path: Path) -> None:
    """Its paths and what came from a default of the folder go with it."""
    assert outcome(tmp_path, SHOP, move("case.v1", "other")) == {
        "checkout/cases.yaml": WITHOUT_V1,
        "other/v1.case.yaml": """\
# one
# key
title: "V1" # t
priority: high
steps:
  - action: x
    attachments: [../checkout/img/a.png]   # seen
""",
    }


def test_text_moves_up(tmp_path: Path) -> None:
    found = outcome(tmp_path, SHOP, move("case.v1", "checkout"))
    moved = """\

  # one
  v1:   # key
    title: "V1" # t
    steps:
      - action: x
        attachments: [img/a.png]   # seen
"""
    assert found == {"checkout/cases.yaml": WITHOUT_V1.replace("suites:\n", moved + "suites:\n")}


def test_text_moves_to_the_root_and_to_a_suite_elsewhere(tmp_path: Path) -> None:
    found = outcome(tmp_path, SHOP, move("case.v2", {"external": "X / Y"}))
    assert found["cases.yaml"] == (
        "cases:\n  root:\n    title: R\n\n  v2:\n    title: V2\n    suite: {external: X / Y}\n    priority: high\n"
    )


@pytest.mark.parametrize(
    ("edit", "file", "text"),
    [
        (move("case.a", "other"), "checkout/cases.yaml", "    title: A\n    suite: other\n"),
        (move("case.one", "checkout/vouchers"), "other/one.case.yaml", "title: One  # 1\nsuite: checkout/vouchers\n"),
        (move("case.one", None), "other/one.case.yaml", "title: One  # 1\nsuite: null\n"),
        (move("case.one", {"external_id": 7}), "other/one.case.yaml", "title: One  # 1\nsuite: {external_id: 7}\n"),
    ],
)
def test_a_line_is_enough_where_nothing_is_nested(tmp_path: Path, edit: Edit, file: str, text: str) -> None:
    (found,) = outcome(tmp_path, SHOP, edit).items()
    assert found[0] == file and text in str(found[1])


def test_back_home_takes_the_line_out(tmp_path: Path) -> None:
    files = {**SHOP, "other/one.case.yaml": "title: One\n# far\nsuite: checkout\ntags: [a]\n"}
    assert outcome(tmp_path, files, move("case.one", "other")) == {
        "other/one.case.yaml": "title: One\n# far\ntags: [a]\n"
    }


def test_what_moves_can_be_edited_as_well(tmp_path: Path) -> None:
    found = outcome(tmp_path, SHOP, put("case.v1", "title", "New"), move("case.v1", "checkout"))
    assert '    title: "New" # t\n' in str(found["checkout/cases.yaml"])


def test_new_objects_follow_the_layout(tmp_path: Path) -> None:
    found = outcome(
        tmp_path,
        SHOP,
        add("case.q", "third/x", title="Q", steps=["a"]),
        add("suite.third/x", "third", title="X"),
        add("suite.third", title="T"),
        add("suite.checkout/new", "checkout", title="New"),
        add("suite.checkout/vouchers/deep", "checkout/vouchers", title="D"),
        add("case.w", "checkout/vouchers/deep", title="W"),
        add("case.z", "other", title="Z"),
        add("case.b", "checkout", title="B"),
        add("case.k", title="K", milestone="m"),
        add("milestone.m", title="M"),
    )
    assert found == {
        "cases.yaml": "cases:\n  root:\n    title: R\n\n  k:\n    title: K\n    milestone: m\n",
        "checkout/cases.yaml": str(SHOP["checkout/cases.yaml"])
        .replace("suites:\n", "\n  b:\n    title: B\nsuites:\n")
        .replace("        title: V2\n", "        title: V2\n    suites:\n      deep:\n        title: D\n        cases:\n          w:\n            title: W\n")
        + "\n  new:\n    title: New\n",
        "milestones.yaml": "milestones:\n  m:\n    title: M\n",
        "other/z.case.yaml": "title: Z\n",
        "third/suite.yaml": "title: T\n",
        "third/x/cases.yaml": "cases:\n  q:\n    title: Q\n    steps:\n      - a\n",
        "third/x/suite.yaml": "title: X\n",
    }  # fmt: skip


def test_paths_are_written_for_the_file_in_which_they_stand(tmp_path: Path) -> None:
    """The file need not be there yet: whoever pulls puts it there."""
    files = outcome(tmp_path, SHOP, add("case.z", "other", title="Z", attachments=[FilePath("attachments/1/p.png")]))
    assert files == {"other/z.case.yaml": "title: Z\nattachments: [../attachments/1/p.png]\n"}


def test_whole_suites_go_with_what_is_in_them(tmp_path: Path) -> None:
    edits = [remove(name) for name in ("suite.checkout/vouchers", "case.v1", "case.v2", "case.one", "suite.other")]
    assert outcome(tmp_path, SHOP, *edits) == {
        "checkout/cases.yaml": "cases:\n  a:\n    title: A\n",
        "other/one.case.yaml": None,
        "other/suite.yaml": None,
    }


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (remove("suite.checkout/vouchers"), "other objects are nested in it"),
        (remove("suite.other"), "case.one would read differently in `suite`"),
        (remove("case.gone"), "it is not declared"),
        (put("case.a", "milestone", "nope"), "No milestone has the key `nope`"),
        (put("case.a", "title", ""), "`title` is empty"),
        (put("case.a", "colour", "red"), "no such attribute"),
        (put("case.a", "suite", "other"), "move it"),
        (unset("case.a", "priority"), "not written there"),
        (add("case.root", title="R"), "declared already"),
        (add("case.new", "nowhere", title="N"), "it is not declared"),
        (add("case.new", tags=["x"]), "title"),
        (move("suite.checkout/vouchers", "other"), "`moved:`"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_rest_is_done(tmp_path: Path, edit: Edit, why: str) -> None:
    fill(tmp_path, SHOP)
    result = edited(tmp_path, edit, put("case.root", "title", "New"))
    assert [each.edit for each in result.failed] == [edit] and why in str(result.failed[0])
    assert str(result.failed[0]).endswith("Do it by hand.")
    assert {each.path: each.after for each in result.files} == {"cases.yaml": b"cases:\n  root:\n    title: New\n"}


def test_a_file_that_is_not_read_gets_nothing(tmp_path: Path) -> None:
    fill(tmp_path, {**SHOP, "qase.yaml": "project: SHOP\nexclude: [third]\n"})
    (failed,) = edited(tmp_path, add("suite.third", title="T")).failed
    assert "third/suite.yaml, which `exclude:` or `content:` leaves out" in str(failed)


def test_a_file_that_changed_since_it_was_loaded(tmp_path: Path) -> None:
    from edit_kit import STOCK, settings_of

    from qase_iac.config.edit import edit_files

    fill(tmp_path, SHOP)
    desired = loaded(tmp_path).desired
    (tmp_path / "cases.yaml").write_text("cases:\n  other:\n    title: O\n  root:\n    title: R\n")
    result = edit_files(settings_of(tmp_path), STOCK, desired, [put("case.root", "title", "New")])
    assert not result.files and "has changed since it was read" in str(result.failed[0])


def test_written_and_loaded(tmp_path: Path) -> None:
    fill(tmp_path, SHOP)
    result = edited(
        tmp_path, move("case.v1", "other"), add("case.n", "third", title="N"), add("suite.third", title="T")
    )
    write(tmp_path, result.files)
    now = loaded(tmp_path).desired.resources
    assert now[Address("case", "v1")].attributes["suite"] == {"address": "suite.other"}
    assert now[Address("case", "n")].attributes["suite"] == {"address": "suite.third"}
    assert result.places[Address("case", "n")] == "third/cases.yaml"


def test_a_case_that_is_nested_in_the_file_of_its_suite(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a/suite.yaml": "title: A\ncases:\n  one:\n    title: One   # 1\n  two: {title: Two}\n",
        "b/suite.yaml": "title: B\n",
    }
    assert outcome(tmp_path, files, move("case.one", "b")) == {
        "a/suite.yaml": "title: A\ncases:\n  two: {title: Two}\n",
        "b/cases.yaml": "cases:\n  one:\n    title: One   # 1\n",
    }
