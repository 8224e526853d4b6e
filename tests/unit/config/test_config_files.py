"""Discovery of a project folder: the contract of authoring.md, and folders made to mislead."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from qase_iac.config.attachments import inside
from qase_iac.config.file_globs import glob_match
from qase_iac.config.files import SourceFile, discover, find_project, read
from qase_iac.diagnostics import Diagnostic
from qase_iac.errors import ConfigurationError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    put(folder, "qase.yaml")
    return folder


def put(root: Path, *names: str, text: str = "a: 1\n") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names_of(
    root: Path, content: tuple[str, ...] = ("**",), exclude: tuple[str, ...] = (), **more: set[str]
) -> list[str]:
    found, diagnostics = discover(root, list(content), list(exclude), **more)
    assert diagnostics == []
    return [file.name for file in found]


def codes_of(root: Path, exclude: tuple[str, ...] = ()) -> dict[str, str]:
    return {found.source.file: found.code for found in discover(root, ["**"], list(exclude))[1]}


class TestFindProject:
    def test_the_folder_itself_and_its_file(self, root: Path) -> None:
        assert find_project(root) == root
        assert find_project(root / "qase.yaml") == root

    @pytest.mark.parametrize(
        ("name", "code", "said"),
        [
            ("missing", "no-project", "no folder"),
            ("file", "no-project", "no folder"),
            ("empty", "no-project", "no qase.yaml"),
            ("wrong", "project-file-name", "must be called qase.yaml"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, name: str, code: str, said: str) -> None:
        put(tmp_path, "file", "wrong/qase.yml")
        (tmp_path / "empty").mkdir()
        with pytest.raises(ConfigurationError) as caught:
            find_project(tmp_path / name)
        (found,) = caught.value.diagnostics
        assert found.code == code
        assert said in found.summary

    def test_below_a_project_the_one_above_is_named(self, root: Path) -> None:
        (root / "checkout").mkdir()
        with pytest.raises(ConfigurationError) as caught:
            find_project(root / "checkout")
        assert str(root) in caught.value.diagnostics[0].detail


class TestDiscover:
    def test_which_files_count(self, root: Path) -> None:
        put(root, "a.yaml", "b/c.yml", "b/suite.yaml", "catalogue.yaml", "seed.yaml", "x/catalogue.yaml")
        put(root, ".hidden.yaml", ".git/x.yaml", "notes.md", "b/img.png")
        expected = ["a.yaml", "b/c.yml", "b/suite.yaml", "x/catalogue.yaml"]
        assert names_of(root, skip={"seed.yaml"}) == expected

    def test_order_is_that_of_segments(self, root: Path) -> None:
        put(root, "a-b/x.yaml", "a/z.yaml", "a.yaml", "B/x.yaml", "ä/x.yaml", "a/b/x.yaml")
        assert names_of(root) == ["B/x.yaml", "a/b/x.yaml", "a/z.yaml", "a-b/x.yaml", "a.yaml", "ä/x.yaml"]

    def test_exclude_and_content(self, root: Path) -> None:
        put(root, "drafts/a.yaml", "b/drafts/a.yaml", "b/c.yaml", "d.yaml")
        assert names_of(root, exclude=("drafts/**",)) == ["b/c.yaml", "b/drafts/a.yaml", "d.yaml"]
        assert names_of(root, exclude=("drafts",)) == ["b/c.yaml", "d.yaml"]
        assert names_of(root, content=("b",)) == ["b/c.yaml", "b/drafts/a.yaml"]
        assert names_of(root, content=("*/*.yaml", "d.yaml")) == ["b/c.yaml", "d.yaml", "drafts/a.yaml"]

    def test_an_excluded_folder_is_not_entered(self, root: Path) -> None:
        put(root, "examples/qase.yaml", "examples/x/a.yaml")
        assert names_of(root, exclude=("examples/**",)) == []

    @pytest.mark.parametrize("name", ["qase.yml", "below/qase.yaml", "below/qase.yml"])
    def test_a_second_project(self, root: Path, name: str) -> None:
        put(root, name)
        assert codes_of(root) == {name: "second-project"}

    @pytest.mark.parametrize("stem", ["suite", "x/suite", "pay.case"])
    def test_two_spellings(self, root: Path, stem: str) -> None:
        put(root, f"{stem}.yaml", f"{stem}.yml")
        assert codes_of(root) == {f"{stem}.yml": "two-spellings"}

    def test_other_files_may_differ_by_ending(self, root: Path) -> None:
        put(root, "cases.yaml", "cases.yml")
        assert names_of(root) == ["cases.yaml", "cases.yml"]

    def test_capital_endings_are_told(self, root: Path) -> None:
        put(root, "a.YAML")
        found = discover(root, ["**"], [])[1]
        assert [(each.code, each.is_error) for each in found] == [("not-loaded", False)]

    def test_no_regular_files(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        os.mkfifo(root / "pipe.yaml")
        os.mkfifo(root / "pipe")
        (root / "folder.yaml").mkdir()
        monkeypatch.chdir(root)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("sock.yml")
            assert codes_of(root) == dict.fromkeys(("pipe.yaml", "folder.yaml", "sock.yml"), "not-a-file")

    def test_odd_names(self, root: Path) -> None:
        put(root, "a\nb.yaml", "tab\t/x.yaml", "\u202egpj.yaml", "fine \U0001f600.yaml")
        with open(os.fsencode(root) + b"/\xff.yaml", "wb"):
            pass
        found, diagnostics = discover(root, ["**"], [])
        assert [file.name for file in found] == ["fine \U0001f600.yaml"]
        assert [each.code for each in diagnostics] == ["file-name"] * 4
        assert all(each.source.file.isprintable() for each in diagnostics)

    def test_large_files_are_not_read(self, root: Path) -> None:
        with open(root / "big.yaml", "wb") as stream:
            stream.truncate(50 * 1024 * 1024)
        found, diagnostics = discover(root, ["**"], [])
        assert found == []
        assert [each.code for each in diagnostics] == ["file-too-large"]
        assert "50.0 MiB" in diagnostics[0].summary

    def test_unreadable_folder(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(root, "shut/a.yaml")
        real = os.scandir

        def scandir(path: os.PathLike[str]) -> os._ScandirIterator[str]:
            if Path(path).name == "shut":
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        assert codes_of(root) == {"shut": "unreadable"}

    def test_deep_folders(self, root: Path) -> None:
        put(root, "d/" * 300 + "a.yaml")
        assert len(names_of(root)) == 1


class TestLinks:
    def test_inside_they_are_followed(self, root: Path) -> None:
        put(root, ".shared/a.yaml", ".shared/deep/b.yaml")
        (root / "one.yaml").symlink_to(".shared/a.yaml")
        (root / "all").symlink_to(".shared/deep")
        assert names_of(root) == ["all/b.yaml", "one.yaml"]

    def test_outside_is_told(self, root: Path) -> None:
        put(root.parent, "else/a.yaml")
        (root / "out").symlink_to("../else")
        (root / "out.yaml").symlink_to("../else/a.yaml")
        (root / "notes.md").symlink_to("../else/a.yaml")
        assert codes_of(root) == {"out": "link-leaves-folder", "out.yaml": "link-leaves-folder"}
        assert codes_of(root, exclude=("out", "out.yaml")) == {}

    def test_a_sibling_whose_name_begins_alike_is_outside(self, root: Path) -> None:
        put(root.parent, "project-2/a.yaml")
        (root / "x").symlink_to("../project-2")
        assert codes_of(root) == {"x": "link-leaves-folder"}

    def test_loops(self, root: Path) -> None:
        put(root, "a/x.yaml")
        (root / "self.yaml").symlink_to("self.yaml")
        (root / "p").symlink_to("q")
        (root / "q").symlink_to("p")
        (root / "a/up").symlink_to("..")
        assert codes_of(root) == dict.fromkeys(("self.yaml", "p", "q", "a/up"), "link-loop")

    def test_broken(self, root: Path) -> None:
        (root / "gone.yaml").symlink_to("nowhere")
        (root / "gone").symlink_to("nowhere")
        (root / "v1.2").symlink_to("nowhere.yml")
        (root / "a.png").symlink_to("nowhere.png")
        _, diagnostics = discover(root, ["**"], [])
        assert {each.source.file: (each.code, each.is_error) for each in diagnostics} == {
            "gone.yaml": ("link-broken", True),
            "gone": ("link-broken", True),  # a folder, for all that is known: its cases would read as undeclared
            "v1.2": ("link-broken", True),
            "a.png": ("link-broken", False),
        }
        assert codes_of(root, exclude=("gone", "gone.yaml", "v1.2", "a.png")) == {}

    def test_the_same_file_twice_is_loaded_once_and_told(self, root: Path) -> None:
        put(root, "z/real.yaml", "img/a.png")
        (root / "a.yaml").symlink_to("z/real.yaml")
        (root / "b").symlink_to("z")
        (root / "pictures").symlink_to("img")
        found, diagnostics = discover(root, ["**"], [])
        assert [file.name for file in found] == ["z/real.yaml"]
        assert [(each.source.file, each.code) for each in diagnostics] == [
            ("a.yaml", "linked-twice"),
            ("b", "linked-twice"),
        ]
        assert not any(each.is_error for each in diagnostics)

    def test_doubling_links_do_not_explode(self, root: Path) -> None:
        for at in range(40):
            (root / f".d{at}").mkdir()
            if at < 39:
                (root / f".d{at}/l").symlink_to(f"../.d{at + 1}")
                (root / f".d{at}/r").symlink_to(f"../.d{at + 1}")
        put(root, ".d39/a.yaml")
        (root / "start").symlink_to(".d0")
        found, diagnostics = discover(root, ["**"], [])
        assert len(found) == 1
        assert {each.code for each in diagnostics} <= {"linked-twice"}

    def test_the_project_itself_may_be_a_link(self, root: Path) -> None:
        put(root, "a/b.yaml")
        link = root.parent / "link"
        link.symlink_to(root)
        found, diagnostics = discover(link, ["**"], [])
        assert ([file.path for file in found], diagnostics) == ([link / "a/b.yaml"], [])


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("**", "a/b.yaml", True),
        ("drafts/**", "drafts/a/b.yaml", True),
        ("drafts/**", "drafts", True),
        ("drafts/**", "x/drafts/a.yaml", False),
        ("drafts", "x/drafts/a.yaml", True),
        ("drafts/", "x/drafts/a.yaml", True),
        ("/drafts", "x/drafts/a.yaml", False),
        ("./a/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("a/**/c.yaml", "a/c.yaml", True),
        ("a/**/c.yaml", "a/x/y/c.yaml", True),
        ("a/**/c.yaml", "a/x/y/d.yaml", False),
        ("?.yaml", "x/a.yaml", True),
        ("?.yaml", "ab.yaml", False),
        ("*.draft.*", "x/a.draft.yaml", True),
        ("[a].yaml", "a.yaml", False),
        ("", "a", False),
        ("/", "a", False),
    ],
)
def test_globs(pattern: str, name: str, matches: bool) -> None:
    assert glob_match(pattern, name) is matches


def test_globs_cannot_be_made_slow() -> None:
    assert not glob_match("**/" * 200 + "x", "/".join(["a"] * 200))
    assert not glob_match("*a" * 100 + "b", "a" * 255)


class TestRead:
    def test_bytes(self, root: Path) -> None:
        put(root, "a.yaml", text="ä: 1")
        assert read(SourceFile(root / "a.yaml", "a.yaml", 5)) == "ä: 1".encode()

    def test_what_changed_since(self, root: Path) -> None:
        os.mkfifo(root / "pipe.yaml")
        with open(root / "big.yaml", "wb") as stream:
            stream.truncate(17 * 1024 * 1024)
        (root / "folder.yaml").mkdir()
        got = {}
        for name in ("pipe.yaml", "big.yaml", "folder.yaml", "gone.yaml"):
            found = read(SourceFile(root / name, name, 1))
            assert isinstance(found, Diagnostic)
            got[name] = found.code
        assert got == {
            "pipe.yaml": "not-a-file",
            "big.yaml": "file-too-large",
            "folder.yaml": "not-a-file",
            "gone.yaml": "unreadable",
        }


class TestInside:
    @pytest.fixture
    def content(self, root: Path) -> SourceFile:
        put(root, "a/cases.yaml", "a/img/card.png", "logo.png")
        put(root.parent, "secret.png")
        return SourceFile(root / "a/cases.yaml", "a/cases.yaml", 1)

    @pytest.mark.parametrize("path", ["img/card.png", "./img/card.png", "../logo.png", "img/../../logo.png"])
    def test_good(self, root: Path, content: SourceFile, path: str) -> None:
        found = inside(root, content, path)
        assert isinstance(found, Path)
        assert found == Path(os.path.normpath(root / "a" / path))

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("", "attachment-path"),
            (" ", "attachment-path"),
            ("/etc/passwd", "attachment-path"),
            ("C:img.png", "attachment-path"),
            ("img\\card.png", "attachment-path"),
            ("a\0b", "attachment-path"),
            ("https://x.io/a.png", "attachment-path"),
            ("../../secret.png", "attachment-outside"),
            ("../../project/../secret.png", "attachment-outside"),
            ("link.png", "attachment-outside"),
            ("up/secret.png", "attachment-outside"),
            ("img/cart.png", "attachment-missing"),
            ("loop.png", "attachment-missing"),
            ("x" * 5000, "attachment-missing"),
            ("cases.yaml/x", "attachment-missing"),
            ("img", "attachment-no-file"),
            ("pipe.png", "attachment-no-file"),
            ("big.png", "attachment-too-large"),
        ],
    )
    def test_bad(self, root: Path, content: SourceFile, path: str, code: str) -> None:
        (root / "a/link.png").symlink_to("../../secret.png")
        (root / "a/up").symlink_to("../..")
        (root / "a/loop.png").symlink_to("loop.png")
        os.mkfifo(root / "a/pipe.png")
        with open(root / "a/big.png", "wb") as stream:
            stream.truncate(32 * 1024 * 1024 + 1)
        found = inside(root, content, path)
        assert isinstance(found, Diagnostic)
        assert found.code == code
        assert found.source.file == "a/cases.yaml"

    def test_a_near_name_is_proposed(self, root: Path, content: SourceFile) -> None:
        found = inside(root, content, "img/cart.png")
        assert isinstance(found, Diagnostic)
        assert "card.png" in found.detail

    def test_unreadable(self, root: Path, content: SourceFile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        found = inside(root, content, "img/card.png")
        assert isinstance(found, Diagnostic)
        assert found.code == "attachment-unreadable"
