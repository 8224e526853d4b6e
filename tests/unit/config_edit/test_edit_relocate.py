"""A suite into another suite: folders as folders, text as text, and all that names it follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from edit_kit import STOCK, fill, loaded, settings_of

from qase_iac.config.edit import Draft, Relocated, relocate
from qase_iac.errors import QaseIacError
from qase_iac.values import Address

SHOP: dict[str, str | bytes] = {
    "a/suite.yaml": "title: A\ndefaults: {case: {priority: high}}\n",
    "a/b/suite.yaml": "title: B   # note\n",
    "a/b/cases.yaml": "cases:\n  one: {title: One, attachments: [x.png, ../../far.png]}\n",
    "a/b/x.png": b"\x89x",
    "far.png": b"\x89far",
    "z/suite.yaml": "title: Z\n",
    "flat.yaml": """\
suites:
  flat:
    title: Flat
    suites:
      # above
      deep:   # beside
        title: Deep
        cases: {in-deep: {title: In, steps: [{action: Look, attachments: [a/b/x.png]}]}}
cases:
  named: {title: Named, suite: a/b}
plans:
  p: {title: P, select: {suites: "a/b/**"}, exclude: {suites: [flat/deep, a, "a/bc"]}}
""",
}


def draft_of(root: Path, files: dict[str, str | bytes]) -> Draft:
    fill(root, files)
    return Draft(settings_of(root), STOCK, loaded(root).desired)


def moved(root: Path, files: dict[str, str | bytes], suite: str, place: str | None) -> tuple[Draft, Relocated]:
    draft = draft_of(root, files)
    return draft, relocate(draft, Address("suite", suite), place)


def after(draft: Draft) -> dict[str, str | None]:
    return {each.path: None if each.after is None else each.after.decode("latin-1") for each in draft.edited.files}


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    draft, done = moved(tmp_path, SHOP, "a/b", "z")
    assert done.renamed == {Address("suite", "a/b"): Address("suite", "z/b")} and done.folder == ("a/b", "z/b")
    assert done.differing == {Address("case", "one"): {"priority"}}, "a default that stays behind"
    assert after(draft) == {
        "a/b/cases.yaml": None,
        "a/b/suite.yaml": None,
        "a/b/x.png": None,
        "flat.yaml": str(SHOP["flat.yaml"])
        .replace("[a/b/x.png]", "[z/b/x.png]")
        .replace("suite: a/b}", "suite: z/b}")
        .replace('"a/b/**"', '"z/b/**"'),
        "moved.yaml": "moved:\n  - {from: suite.a/b, to: suite.z/b}\n",
        "z/b/cases.yaml": SHOP["a/b/cases.yaml"],
        "z/b/suite.yaml": SHOP["a/b/suite.yaml"],
        "z/b/x.png": "\x89x",
    }


def test_paths_that_lead_out_of_the_folder_follow(tmp_path: Path) -> None:
    draft, _ = moved(tmp_path, SHOP, "a/b", None)
    assert after(draft)["b/cases.yaml"] == "cases:\n  one: {title: One, attachments: [x.png, ../far.png]}\n"


def test_text_goes_with_its_comments(tmp_path: Path) -> None:
    draft, done = moved(tmp_path, SHOP, "flat/deep", None)
    assert done.renamed == {Address("suite", "flat/deep"): Address("suite", "deep")}
    text = str(after(draft)["flat.yaml"])
    assert text.startswith("suites:\n  flat:\n    title: Flat\n\n  # above\n  deep:   # beside\n    title: Deep\n")
    assert 'exclude: {suites: [deep, a, "a/bc"]}' in text
    assert text.endswith("moved:\n  - {from: suite.flat/deep, to: suite.deep}\n")


def test_text_becomes_a_folder_and_its_paths_follow(tmp_path: Path) -> None:
    draft, _ = moved(tmp_path, SHOP, "flat/deep", "z")
    assert after(draft)["z/deep/suite.yaml"] == (
        "# above\n# beside\ntitle: Deep\n"
        "cases: {in-deep: {title: In, steps: [{action: Look, attachments: [../../a/b/x.png]}]}}\n"
    )


def test_one_after_the_other(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, SHOP)
    relocate(draft, Address("suite", "a/b"), None)
    relocate(draft, Address("suite", "a"), "b")
    assert {each.key for each in draft.desired.resources if each.kind == "suite"} == {
        "b", "b/a", "z", "flat", "flat/deep",
    }  # fmt: skip
    assert after(draft)["moved.yaml"] == (
        "moved:\n  - {from: suite.a/b, to: suite.b}\n  - {from: suite.a, to: suite.b/a}\n"
    )


def test_there_and_back_is_as_it_was_but_for_the_log(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, SHOP)
    relocate(draft, Address("suite", "a/b"), "z")
    relocate(draft, Address("suite", "z/b"), "a")
    assert set(after(draft)) == {"moved.yaml"}


@pytest.mark.parametrize(
    ("more", "name", "text"),
    [
        ({"log.yaml": "moved: [{from: case.x, to: case.one}]\n"}, "log.yaml",
         "moved: [{from: case.x, to: case.one}, {from: suite.a/b, to: suite.z/b}]\n"),
        ({"log.yaml": "moved:\n    - {from: case.x, to: case.one}   # 1\n"}, "log.yaml",
         "moved:\n    - {from: case.x, to: case.one}   # 1\n    - {from: suite.a/b, to: suite.z/b}\n"),
        ({"moved.yaml": "# the log\nmoved: []\n"}, "moved.yaml",
         "# the log\nmoved:\n  - {from: suite.a/b, to: suite.z/b}\n"),
        ({"moved.yaml": "milestones: {m: {title: M}}"}, "moved.yaml",
         "milestones: {m: {title: M}}\n\nmoved:\n  - {from: suite.a/b, to: suite.z/b}"),
        ({"adopt.yaml": "adopt: {suite.a/b: 7}\n"}, "adopt.yaml", None),
    ],
)  # fmt: skip
def test_the_line_that_says_so(tmp_path: Path, more: dict[str, str | bytes], name: str, text: str | None) -> None:
    draft, _ = moved(tmp_path, {**SHOP, **more}, "a/b", "z")
    assert after(draft)[name] == text


def test_a_key_of_its_own_stays(tmp_path: Path) -> None:
    draft, done = moved(tmp_path, {**SHOP, "a/b/suite.yaml": "key: /a/b\ntitle: B\n"}, "a/b", "z")
    assert done.renamed == {} and "moved.yaml" not in after(draft) and "z/b/suite.yaml" in after(draft)


def test_a_key_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    draft, done = moved(tmp_path, {**SHOP, "z/b/suite.yaml": "title: Another B\n"}, "a/b", "z")
    assert done.renamed[Address("suite", "a/b")].key == "z/b-2" and "z/b-2/suite.yaml" in after(draft)


@pytest.mark.parametrize(
    ("more", "suite", "place", "why"),
    [
        ({"qase.yaml": "project: SHOP\nexclude: [flat]\n"}, "a/b", "flat", r"flat/suite\.yaml, which `exclude:`"),
        ({"z/b/notes.txt": "x"}, "a/b", "z", "would go to z/b, and something stands there"),
        ({"qase.yaml": 'project: SHOP\nscope: {suites: ["a/**", a, z, "flat/**", flat]}\n'}, "a/b", "z", "outside `scope:`"),
        ({"qase.yaml": "project: SHOP\nexclude: [z/b]\n"}, "a/b", "z", "refused|leaves it out|declared"),
        ({}, "nowhere", "z", "not declared"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_leaves_all_as_it_was(
    tmp_path: Path, more: dict[str, str | bytes], suite: str, place: str, why: str
) -> None:
    draft = draft_of(tmp_path, {**SHOP, **more})
    with pytest.raises(QaseIacError, match=why):
        relocate(draft, Address("suite", suite), place)
    assert after(draft) == {} and draft.desired == loaded(tmp_path).desired


def test_links_are_left_to_people(tmp_path: Path) -> None:
    fill(tmp_path, SHOP)
    (tmp_path / "a/b/link.png").symlink_to("x.png")
    with pytest.raises(QaseIacError, match="symbolic link"):
        moved(tmp_path, SHOP, "a/b", "z")
