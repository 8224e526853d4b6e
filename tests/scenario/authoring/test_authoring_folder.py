"""authoring.md, "A project folder": which files count, and which are refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from authoring_kit import ONE, Project, place

Make = Callable[..., Project]


def addresses(project: Project) -> set[str]:
    project.valid()
    return {address for address in project.changes() if not address.startswith("project.")}


def a_case(key: str) -> str:
    return f"cases: {{{key}: {{title: {key}}}}}\n"


class TestContentFiles:
    def test_are_the_yaml_and_yml_files_under_the_folder(self, project: Make) -> None:
        files = {name: a_case(f"k{at}") for at, name in enumerate(["a.yaml", "b.yml", "d/e/f/c.yaml", "x y.yml"])}
        assert addresses(project({**files, "README.md": "cases: nothing", "data.json": "{"})) == {
            "case.k0", "case.k1", "case.k2", "case.k3",
        }  # fmt: skip

    def test_files_and_folders_that_start_with_a_dot_are_none(self, project: Make) -> None:
        files = {"a.yaml": ONE, ".b.yaml": a_case("b"), ".git/c.yaml": "[", "d/.e/f.yaml": a_case("f"), ".g.yml": "{"}
        assert addresses(project(files)) == {"case.c"}

    @pytest.mark.parametrize(
        ("exclude", "left"),
        [
            (["drafts/**"], {"case.a", "case.d"}),
            (["drafts"], {"case.a", "case.d"}),
            (["*.draft.yaml"], {"case.a", "case.b", "case.c"}),
            (["drafts/b.yaml", "d.draft.yaml"], {"case.a", "case.c"}),
            (["**/c.yaml"], {"case.a", "case.b", "case.d"}),
        ],
    )
    def test_what_exclude_names_is_none(self, project: Make, exclude: list[str], left: set[str]) -> None:
        files = {"a.yaml": a_case("a"), "drafts/b.yaml": a_case("b"), "drafts/deep/c.yaml": a_case("c")}
        assert addresses(project({**files, "d.draft.yaml": a_case("d")}, exclude=exclude)) == left

    def test_excluded_files_are_not_even_looked_at(self, project: Make) -> None:
        project({"a.yaml": ONE, "drafts/b.yaml": b"\xff[\t"}, exclude=["drafts/**"]).valid()

    @pytest.mark.parametrize(
        ("content", "left"),
        [
            (["**"], {"case.a", "case.b", "case.c"}),
            (["tests/**"], {"case.b", "case.c"}),
            (["tests/*.yaml"], {"case.b"}),
            (["*.yaml"], {"case.a", "case.b", "case.c"}),
            (["a.yaml", "tests/deep/**"], {"case.a", "case.c"}),
        ],
    )
    def test_what_content_does_not_name_is_none(self, project: Make, content: list[str], left: set[str]) -> None:
        files = {"a.yaml": a_case("a"), "tests/b.yaml": a_case("b"), "tests/deep/c.yaml": a_case("c")}
        assert addresses(project(files, content=content)) == left

    def test_a_bad_pattern_does_not_hide_the_content(self, project: Make) -> None:
        assert project(ONE, content=["../x"]).codes() == ["bad-pattern"]

    def test_the_seed_of_the_emulator_is_none(self, project: Make) -> None:
        files = {"a.yaml": ONE, "emulator-seed.yaml": "custom_fields: []\n"}
        project(files, api={"url": "emulator", "seed": "emulator-seed.yaml"}).valid()

    @pytest.mark.parametrize(
        "text", ["services: {}\n", "- a\n- b\n", "just words\n", "1\n", "", "# nothing\n", "---\n"]
    )
    def test_a_file_with_no_section_gets_one_diagnostic_that_proposes_exclude(self, project: Make, text: str) -> None:
        found = project({"a.yaml": ONE, "ci/docker.yaml": text}).problem()
        assert (found["code"], found["severity"], found["file"]) == ("no-section", "error", "ci/docker.yaml")
        assert 'exclude: ["ci/docker.yaml"]' in found["detail"]

    def test_a_second_qase_yaml_below_is_an_error(self, project: Make) -> None:
        found = project({"a.yaml": ONE, "b/qase.yaml": "project: B\n"}).problem()
        assert (found["code"], found["file"]) == ("second-project", "b/qase.yaml")

    @pytest.mark.parametrize("name", ["qase.yml", "b/qase.yml"])
    def test_a_qase_yml_is_an_error(self, project: Make, name: str) -> None:
        found = project({"a.yaml": ONE, name: "project: B\n"}).problem()
        assert (found["code"], found["file"]) == ("second-project", name)

    def test_without_any_content_it_is_invalid(self, project: Make) -> None:
        found = project({"README.md": "hello"}).problem()
        assert found["code"] == "no-content"

    @pytest.mark.parametrize("text", ["cases: {}\n", "cases:\n", "moved: []\n"])
    def test_files_that_declare_nothing_are_no_content(self, project: Make, text: str) -> None:
        assert project({"a.yaml": text}).codes() == ["no-content"]

    def test_an_empty_folder_refuses_every_command(self, project: Make) -> None:
        empty = project({})
        for command in (["plan"], ["apply", "--auto-approve"], ["validate"]):
            assert empty.refused(*command).code == 3


class TestSymbolicLinks:
    def test_inside_the_folder_they_are_followed(self, project: Make) -> None:
        made = project({"a.yaml": ONE, ".hidden/b.yaml": a_case("b"), ".hidden/d/c.yaml": a_case("c2")})
        root = made.folder.root
        (root / "b.yaml").symlink_to(".hidden/b.yaml")
        (root / "linked").symlink_to(".hidden/d")
        assert addresses(made) == {"case.c", "case.b", "case.c2"}

    def test_out_of_the_folder_they_are_an_error(self, project: Make, outside: Path) -> None:
        (outside / "x.yaml").write_text(a_case("x"))
        made = project(ONE)
        (made.folder.root / "x.yaml").symlink_to(outside / "x.yaml")
        (made.folder.root / "more").symlink_to(outside)
        assert made.codes() == ["link-leaves-folder", "link-leaves-folder"]

    @pytest.mark.parametrize("target", ["loop", ".", "..", "../../shop/sub"])
    def test_a_loop_is_an_error_and_ends(self, project: Make, target: str) -> None:
        made = project({"a.yaml": ONE, "sub/b.yaml": a_case("b")})
        (made.folder.root / "sub" / "loop").symlink_to(target)
        (found,) = made.codes()
        assert found.startswith("link-")

    def test_a_broken_link_is_an_error(self, project: Make) -> None:
        made = project(ONE)
        (made.folder.root / "x.yaml").symlink_to("nowhere.yaml")
        assert made.codes() == ["link-broken"]


class TestSize:
    @pytest.mark.parametrize("size", [16 * 1024 * 1024 + 1, 50 * 1000 * 1000])
    def test_a_file_over_16_mib_is_refused(self, project: Make, size: int) -> None:
        made = project(ONE)
        with open(made.folder.root / "big.yaml", "wb") as stream:
            stream.truncate(size)
        assert made.problem()["code"] == "file-too-large"

    def test_a_file_of_16_mib_is_read(self, project: Make) -> None:
        body = b"cases: {c: {title: C}}\n#"
        project({"a.yaml": body + b"x" * (16 * 1024 * 1024 - len(body))}).valid()

    def test_a_million_nodes_by_aliases_is_refused(self, project: Make) -> None:
        lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"] + [
            f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)
        ]
        found = project({"a.yaml": ONE, "b.yaml": "\n".join(lines)}).problem()
        assert (found["code"], found["file"]) == ("too-many-nodes", "b.yaml")

    @pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 50_000, "a: &a [*a]", "? " * 50_000])
    def test_depth_and_rings_are_refused(self, project: Make, text: str) -> None:
        assert project({"a.yaml": ONE, "b.yaml": text}).codes()[0] in ("nested-too-deep", "recursive-alias")

    def test_anchors_and_merges_are_allowed(self, project: Make) -> None:
        made = project(
            "cases:\n"
            "  a: &base {title: A, severity: major, tags: [x]}\n"
            "  b: {<<: *base, title: B}\n"
            "  c:\n    <<: [*base, {priority: low}]\n    title: C\n    steps: &steps [one, two]\n"
            "  d: {title: D, steps: *steps}\n"
        ).valid()  # fmt: skip
        sent = made.sent("case.c")
        assert (sent["title"], sent["severity"], sent["priority"], sent["tags"]) == ("C", "major", "low", ["x"])
        assert made.sent("case.d")["steps"] == made.sent("case.c")["steps"]


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"cases: {c: {title: caf\xe9}}\n", "not-utf8"),
            ("cases: {c: {title: C}}\n".encode("utf-16"), "not-utf8"),
            (b"cases: {c: {title: 'a\x1b[31m'}}\n", "control-character"),
            (b"cases: {c: {title: 'a\x00b'}}\n", "control-character"),
            (b"\x00" * 1000, "control-character"),
        ],
    )
    def test_bytes_that_are_no_text(self, project: Make, data: bytes, code: str) -> None:
        assert project({"a.yaml": data, "b.yaml": a_case("b")}).codes() == [code]

    def test_a_byte_order_mark_is_no_harm(self, project: Make) -> None:
        project({"a.yaml": b"\xef\xbb\xbf" + ONE.encode()}).valid()

    def test_a_pipe_is_not_waited_for(self, project: Make) -> None:
        made = project(ONE)
        os.mkfifo(made.folder.root / "pipe.yaml")
        assert made.codes() == ["not-a-file"]

    def test_all_problems_of_all_files_in_one_run(self, project: Make) -> None:
        made = project({
            "a.yaml": "cases:\n\ta: {title: A}\n",
            "b.yaml": "cases:\n  b: {titel: B, severity: hgih}\n",
            "c.yaml": b"\xff\xfe",
            "d/qase.yaml": "",
            "e.yaml": "cases:\n  e: {title: E, steps: [''], gherkin: Given}\n",
        }, exclude="x", foo=1)  # fmt: skip
        found = {(each["file"], each["code"]) for each in made.problems()}
        assert found >= {
            ("a.yaml", "tab-indentation"), ("b.yaml", "missing-attribute"), ("b.yaml", "unknown-attribute"),
            ("c.yaml", "not-utf8"), ("d/qase.yaml", "second-project"),
            ("e.yaml", "empty-step"), ("e.yaml", "exclusive-attributes"),
            ("qase.yaml", "wrong-type"), ("qase.yaml", "unknown-setting"),
        }  # fmt: skip

    @pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"], ["plan", "--format", "json"]])
    def test_nothing_is_half_done(self, project: Make, command: list[str]) -> None:
        made = project({"a.yaml": ONE, "b.yaml": "cases: {b: {title: [}}"})
        assert made.refused(*command).code == 3
        assert not list(made.folder.root.glob(".qase-iac/*.json"))


def test_a_title_with_an_escape_is_shown_escaped(project: Make) -> None:
    made = project('cases: {c: {title: "a\\e[31mRED\\u202eX"}}\n').valid()
    for arguments in (["plan"], ["plan", "--full"], ["plan", "--format", "markdown"], ["apply", "--auto-approve"]):
        ran = made.run(*arguments)
        assert ran.code == 0, ran.all
        assert "\x1b" not in ran.all and "\u202e" not in ran.all


def test_a_name_with_an_escape_is_shown_escaped(project: Make) -> None:
    made = project(ONE)
    (made.folder.root / "a\x1b[31m.yaml").write_text("x: [")
    ran = made.run("validate")
    assert ran.code == 3 and "\x1b" not in ran.all
    assert place(made.problem())[0] == "file-name"


def test_places_are_relative_to_the_folder_and_count_from_one(project: Make) -> None:
    made = project({"a/b/c.yaml": "cases:\n  é:\n    title: T\n  d:\n    title: T\n    x: 1\n"})
    places = [place(each) for each in made.problems()]
    assert places == [("bad-key", "a/b/c.yaml", 2, 3), ("unknown-attribute", "a/b/c.yaml", 6, 5)]
