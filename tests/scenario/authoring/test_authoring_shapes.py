"""authoring.md, "Three shapes of content file" and "Keys, addresses, references"."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from authoring_kit import ONE, Project, place

Make = Callable[..., Project]


def tree(project: Project) -> dict[str, str | None]:
    """address -> the suite it lies in, as the plan would make it."""
    project.valid()
    found = {}
    for address, change in project.changes().items():
        sent = {name: each["after"] for name, each in change["attributes"].items()}
        above = sent.get("suite") or sent.get("parent")
        found[address] = above["known_after_apply"] if above else None
    found.pop("project.SHOP")
    return found


class TestSuiteFiles:
    def test_the_folder_is_the_suite(self, project: Make) -> None:
        files = {"checkout/suite.yaml": "title: Checkout\n", "checkout/x.yaml": ONE}
        assert tree(project(files)) == {"suite.checkout": None, "case.c": "suite.checkout"}

    def test_its_parent_is_the_nearest_folder_above_that_is_a_suite(self, project: Make) -> None:
        files = {"a/suite.yaml": "title: A\n", "a/between/b/suite.yaml": "title: B\n", "a/between/x.yaml": ONE}
        assert tree(project(files)) == {
            "suite.a": None, "suite.a/between/b": "suite.a", "case.c": "suite.a",
        }  # fmt: skip

    def test_a_top_suite_deep_down_has_its_path_as_key(self, project: Make) -> None:
        assert tree(project({"x/y/suite.yaml": "title: Y\n"})) == {"suite.x/y": None}

    def test_suite_yaml_of_the_project_folder_is_no_suite(self, project: Make) -> None:
        made = project({"suite.yaml": "title: All\n", "cases.yaml": ONE})
        found = made.problem()
        assert place(found)[:2] == ("bad-key", "suite.yaml") and "key:" in found["detail"]

    def test_suite_yaml_of_the_project_folder_with_a_key_holds_everything(self, project: Make) -> None:
        files = {"suite.yaml": "title: All\nkey: all\n", "cases.yaml": ONE, "a/suite.yaml": "title: A\n"}
        assert tree(project(files)) == {"suite.all": None, "case.c": "suite.all", "suite.all/a": "suite.all"}

    def test_suite_yml_and_case_yml_count_as_well(self, project: Make) -> None:
        files = {"a/suite.yml": "title: A\n", "a/c.case.yml": "title: C\n"}
        assert tree(project(files)) == {"suite.a": None, "case.c": "suite.a"}

    @pytest.mark.parametrize("stem", ["a/suite", "a/c.case"])
    def test_both_spellings_in_one_folder_are_a_duplicate(self, project: Make, stem: str) -> None:
        made = project({f"{stem}.yaml": "title: A\n", f"{stem}.yml": "title: A\n"})
        assert made.codes() == ["two-spellings"]

    @pytest.mark.parametrize(
        ("text", "code"), [("", "wrong-type"), ("- a\n", "wrong-type"), ("description: x\n", "missing-attribute")]
    )
    def test_one_that_says_nothing_useful(self, project: Make, text: str, code: str) -> None:
        assert project({"cases.yaml": ONE, "a/suite.yaml": text}).problem()["code"] == code

    def test_nested_sections_in_it(self, project: Make) -> None:
        text = "title: A\ncases: {c: {title: C}}\nsuites: {b: {title: B, cases: {d: {title: D}}}}\n"
        assert tree(project({"a/suite.yaml": text})) == {
            "suite.a": None, "case.c": "suite.a", "suite.a/b": "suite.a", "case.d": "suite.a/b",
        }  # fmt: skip


class TestDefaults:
    FILES = {
        "a/suite.yaml": "title: A\ndefaults: {case: {severity: major, tags: [a, b], custom_fields: {X: '1', Y: '2'}}}\n",
        "a/one.yaml": "cases: {one: {title: One}}\n",
        "a/b/suite.yaml": "title: B\ndefaults: {case: {priority: low, tags: [c], custom_fields: {Y: '3'}}}\n",
        "a/b/two.yaml": "cases: {two: {title: Two, severity: minor}}\n",
        "top.yaml": "cases: {top: {title: Top}}\n",
    }

    @pytest.fixture
    def made(self, project: Make) -> Project:
        made = project(
            self.FILES,
            defaults={"case": {"severity": "trivial", "layer": "api"}},
        )
        fields = [{"title": title, "type": "string"} for title in "XY"]
        return made.valid().seed(custom_fields=fields)

    def test_apply_to_the_cases_whose_files_lie_below(self, made: Project) -> None:
        sent = made.sent("case.one")
        assert (sent["severity"], sent["tags"], sent["custom_fields.X"]) == ("major", ["a", "b"], "1")

    def test_attribute_by_attribute_the_nearest_folder_wins(self, made: Project) -> None:
        sent = made.sent("case.two")
        assert (sent["severity"], sent["priority"], sent["layer"]) == ("minor", "low", "api")

    def test_lists_are_replaced_and_custom_fields_merge_by_title(self, made: Project) -> None:
        sent = made.sent("case.two")
        assert (sent["tags"], sent["custom_fields.X"], sent["custom_fields.Y"]) == (["c"], "1", "3")

    def test_of_qase_yaml_apply_everywhere(self, made: Project) -> None:
        assert made.sent("case.top")["severity"] == "trivial"

    def test_go_by_the_file_wherever_the_suite_is(self, project: Make) -> None:
        made = project({
            "a/suite.yaml": "title: A\ndefaults: {case: {severity: major}}\n",
            "a/x.yaml": "cases: {x: {title: X, suite: b}}\n",
            "b/suite.yaml": "title: B\n",
            "y.yaml": "cases: {y: {title: Y, suite: a}}\n",
        }).valid()  # fmt: skip
        assert made.sent("case.x")["severity"] == "major"
        assert "severity" not in made.sent("case.y")

    def test_apply_to_cases_of_the_suite_file_and_of_case_files(self, project: Make) -> None:
        files = {
            "a/suite.yaml": "title: A\ndefaults: {case: {severity: major}}\ncases: {x: {title: X}}\n",
            "a/y.case.yaml": "title: Y\n",
        }
        made = project(files)
        assert {made.sent(f"case.{key}")["severity"] for key in "xy"} == {"major"}

    @pytest.mark.parametrize("name", ["title: x", "suite: a", "steps: [a]", "gherkin: Given", "attachments: [a]"])
    def test_not_for_what_each_case_says_itself(self, project: Make, name: str) -> None:
        made = project({"a/suite.yaml": f"title: A\ndefaults: {{case: {{{name}}}}}\n", "x.yaml": ONE})
        assert made.codes() == ["no-default"]

    def test_a_wrong_word_is_reported_once_where_it_stands(self, project: Make) -> None:
        made = project("cases: {a: {title: A}, b: {title: B}}\n", defaults={"case": {"severity": "hgih"}})
        assert place(made.problem())[:2] == ("unknown-word", "qase.yaml")


class TestCaseFiles:
    def test_key_is_the_name_unless_key_says_otherwise(self, project: Make) -> None:
        files = {
            "pay.case.yaml": "title: Pay\n",
            "x y.case.yaml": "title: X\nkey: other\n",
            "a.b.case.yaml": "title: D\n",
        }
        assert tree(project(files)) == {"case.pay": None, "case.other": None, "case.a.b": None}

    def test_attributes_stand_at_the_top_level(self, project: Make) -> None:
        made = project({"pay.case.yaml": "title: Pay\nseverity: major\nsteps: [a]\nprotect: true\n"}).valid()
        assert made.sent("case.pay") == {
            "title": "Pay", "suite": None, "severity": "major", "steps": [{"action": "a"}],
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "proposal"),
        [("Pay Card.case.yaml", "pay-card"), ("ÄÖ.case.yaml", "ao"), ("-x.case.yaml", "x"), (".case.yaml", None)],
    )
    def test_a_name_that_is_no_key_proposes_one(self, project: Make, name: str, proposal: str | None) -> None:
        made = project({name: "title: Pay\n", "x.yaml": ONE})
        if proposal is None:  # a hidden file
            made.valid()
            return
        found = made.problem()
        assert found["code"] == "bad-key" and f"key: {proposal}" in found["detail"]

    def test_the_proposal_is_accepted(self, project: Make) -> None:
        project({"Pay Card.case.yaml": "title: Pay\nkey: pay-card\n"}).valid()


class TestSections:
    def test_all_sections_in_one_file(self, project: Make) -> None:
        made = project("""\
milestones: {m: {title: M}}
shared_steps: {s: {title: S, steps: [a]}}
suites: {u: {title: U}}
cases: {c: {title: C}}
plans: {p: {title: P, cases: [c]}}
moved: [{from: case.x, to: case.c}]
removed: [case.y]
adopt: {case.c: 12}
""")  # fmt: skip
        assert made.codes() == []

    @pytest.mark.parametrize("word", ["case", "caes", "milestone", "folders"])
    def test_an_unknown_section_is_an_error(self, project: Make, word: str) -> None:
        assert project(f"{ONE}{word}: {{}}\n").problem()["code"] == "unknown-section"

    @pytest.mark.parametrize("section", ["milestones", "shared_steps", "suites", "cases", "plans"])
    @pytest.mark.parametrize("value", ["[a]", "a", "3", "true"])
    def test_each_is_a_mapping_from_key_to_attributes(self, project: Make, section: str, value: str) -> None:
        found = project({"x.yaml": ONE, "y.yaml": f"{section}: {value}\n"}).problem()
        assert found["code"] == "section-not-mapping" and "title: …" in found["detail"]

    @pytest.mark.parametrize("value", ["", "Pay", "[a]", "true"])
    def test_an_object_is_a_mapping(self, project: Make, value: str) -> None:
        found = project(f"cases:\n  pay: {value}\n").problem()
        assert found["line"] == 2


class TestPlace:
    """A case belongs to the suite it is nested in, else `suite:`, else the nearest folder, else none."""

    def test_in_this_order(self, project: Make) -> None:
        made = project({
            "a/suite.yaml": "title: A\n",
            "b/suite.yaml": "title: B\n",
            "a/x.yaml": """\
suites: {n: {title: N, cases: {nested: {title: 1}}}}
cases:
  named: {title: 2, suite: b}
  near: {title: 3}
  root: {title: 4, suite: null}
""",
            "y.yaml": "cases: {none: {title: 5}, deep: {title: 6, suite: a/n}}\n",
        })  # fmt: skip
        assert tree(made) == {
            "suite.a": None, "suite.b": None, "suite.a/n": "suite.a", "case.nested": "suite.a/n",
            "case.named": "suite.b", "case.near": "suite.a", "case.root": None, "case.none": None,
            "case.deep": "suite.a/n",
        }  # fmt: skip

    @pytest.mark.parametrize("suite", ["other", "null", "{external: A}", "{external_id: 3}"])
    def test_a_suite_that_contradicts_the_nesting_is_an_error(self, project: Make, suite: str) -> None:
        made = project(
            f"suites: {{n: {{title: N, cases: {{c: {{title: C, suite: {suite}}}}}}}, other: {{title: O}}}}\n"
        )
        assert made.codes() == ["suite-contradiction"]

    def test_a_suite_that_repeats_the_nesting_is_none(self, project: Make) -> None:
        project("suites: {n: {title: N, cases: {c: {title: C, suite: n}}}}\n").valid()


class TestKeys:
    @pytest.mark.parametrize("key", ["a", "0", "a_b.c-d", "1.10", "no", "a" * 128, "2026-01-01", "0x1f", "null-x"])
    def test_legal_keys(self, project: Make, key: str) -> None:
        assert f"case.{key}" in project(f"cases:\n  {key}: {{title: T}}\n").changes()

    @pytest.mark.parametrize("key", ["A", "Pay Card", "é", "-a", ".a", "_a", "a" * 129, "a/b", "a:b", '""', "a!"])
    def test_illegal_keys(self, project: Make, key: str) -> None:
        found = project(f"cases:\n  {key}: {{title: T}}\n").problem()
        assert place(found) == ("bad-key", "cases.yaml", 2, 3) and "Write `" in found["detail"]

    @pytest.mark.parametrize("key", ["null", "~", "[a]", "{a: b}", "? a"])
    def test_keys_that_are_no_text(self, project: Make, key: str) -> None:
        (code,) = set(project({"a.yaml": ONE, "b.yaml": f"cases: {{{key}: {{title: T}}}}\n"}).codes()) or {"valid"}
        assert code in ("null-key", "complex-key", "valid")

    def test_unique_per_kind_whatever_the_file(self, project: Make) -> None:
        made = project(
            {
                "a.yaml": "cases:\n  x: {title: T}\n",
                "b/b.yaml": "cases:\n\n  x: {title: U}\n",
                "x.case.yaml": "title: V\n",
            }
        )
        found = made.problems()
        assert [place(each) for each in found] == [
            ("duplicate-declaration", "b/b.yaml", 3, 3), ("duplicate-declaration", "x.case.yaml", 1, 1),
        ]  # fmt: skip
        assert "a.yaml:2:3" in found[0]["summary"]

    def test_the_same_key_of_two_kinds_is_no_duplicate(self, project: Make) -> None:
        project("cases: {x: {title: T}}\nsuites: {x: {title: T}}\nmilestones: {x: {title: T}}\n").valid()

    def test_twice_in_one_section_shows_both_places(self, project: Make) -> None:
        found = project("cases:\n  x: {title: T}\n  x: {title: U}\n").problem()
        assert place(found) == ("duplicate-key", "cases.yaml", 3, 3) and "line 2, column 3" in found["detail"]

    def test_a_folder_and_a_section_may_declare_the_same_suite_only_once(self, project: Make) -> None:
        made = project({"a/suite.yaml": "title: A\n", "x.yaml": "suites: {a: {title: A2}}\n"})
        assert made.codes() == ["duplicate-declaration"]


class TestSuiteKeys:
    def test_key_replaces_the_segment_and_children_follow(self, project: Make) -> None:
        made = project(
            {
                "a/suite.yaml": "title: A\nkey: z\n",
                "a/b/suite.yaml": "title: B\n",
                "a/x.yaml": "suites: {c: {title: C}}\n",
            }
        )
        assert tree(made) == {"suite.z": None, "suite.z/b": "suite.z", "suite.z/c": "suite.z"}

    def test_with_a_leading_slash_it_sets_the_whole_key(self, project: Make) -> None:
        made = project(
            {"a/suite.yaml": "title: A\n", "a/b/suite.yaml": "title: B\nkey: /q/w\n", "a/b/d/suite.yaml": "title: D\n"}
        )
        assert tree(made) == {"suite.a": None, "suite.q/w": "suite.a", "suite.q/w/d": "suite.q/w"}

    def test_a_suites_section_below_a_folder_suite_nests_under_it(self, project: Make) -> None:
        made = project(
            {"a/suite.yaml": "title: A\n", "a/deep/x.yaml": "suites: {b: {title: B, suites: {c: {title: C}}}}\n"}
        )
        assert tree(made) == {"suite.a": None, "suite.a/b": "suite.a", "suite.a/b/c": "suite.a/b"}

    def test_a_key_with_a_slash_in_a_section_is_an_error(self, project: Make) -> None:
        found = project("suites: {checkout/vouchers: {title: V}}\n").problem()
        assert found["code"] == "nested-key" and "suites:\n      vouchers:" in found["detail"]

    def test_a_folder_that_is_no_key_proposes_one(self, project: Make) -> None:
        found = project({"My Folder/suite.yaml": "title: X\n"}).problem()
        assert "key: my-folder" in found["detail"]

    def test_a_folder_between_that_is_no_key_proposes_one_that_works(self, project: Make) -> None:
        made = project({"A B/c/suite.yaml": "title: X\n"})
        line = next(line for line in made.problem()["detail"].split("\n") if line.startswith("key:"))
        made.write({"A B/c/suite.yaml": f"title: X\n{line}\n"}).valid()

    def test_a_key_that_gets_too_long_by_nesting_is_an_error(self, project: Make) -> None:
        made = project({f"{'a' * 70}/suite.yaml": "title: A\n", f"{'a' * 70}/{'b' * 70}/suite.yaml": "title: B\n"})
        assert made.codes() == ["bad-key"]

    def test_a_moved_folder_gets_its_moved_line_proposed(self, project: Make) -> None:
        made = project({"old/suite.yaml": "title: S\n", "old/x.yaml": ONE}).settled()
        made.folder.remove("old/suite.yaml", "old/x.yaml")
        made.write({"new/suite.yaml": "title: S\n", "new/x.yaml": ONE})
        ran = made.run("plan")
        assert "{from: suite.old, to: suite.new}" in ran.out
        made.write({"moved.yaml": "moved: [{from: suite.old, to: suite.new}]\n"})
        assert made.actions() == {"suite.new": "no_op"}


class TestIdentity:
    def test_title_file_and_suite_may_change_freely(self, project: Make) -> None:
        made = project({"a.yaml": ONE, "s/suite.yaml": "title: S\n"}).settled()
        id = made.folder.id_of("case.c")
        made.folder.remove("a.yaml")
        made.write({"s/b.yaml": "cases: {c: {title: Another}}\n"})
        change = made.changes()["case.c"]
        assert (change["action"], change["id"]) == ("move", id)
        made.apply()
        assert made.folder.id_of("case.c") == id
        assert made.live("case.c")["title"] == "Another"


class TestReferences:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("cases:\n  c:\n    title: C\n    suite: nope\n", 4),
            ("cases:\n  c:\n    title: C\n    milestone: nope\n", 4),
            ("cases:\n  c:\n    title: C\n    steps:\n      - a\n      - shared: nope\n", 6),
            (
                "cases:\n  c:\n    title: C\n    steps:\n      - action: a\n        steps:\n          - shared: nope\n",
                7,
            ),
            ("cases: {c: {title: C}}\nplans:\n  p:\n    title: P\n    cases:\n      - c\n      - nope\n", 7),
            ("cases: {c: {title: C}}\nplans:\n  p:\n    title: P\n    cases: [c]\n    select: {milestone: nope}\n", 6),
        ],
    )
    def test_a_key_that_does_not_exist_is_an_error(self, project: Make, text: str, line: int) -> None:
        found = project(text).problem()
        assert (found["code"], found["line"]) == ("unknown-reference", line)

    def test_the_nearest_key_is_proposed(self, project: Make) -> None:
        found = project("cases: {c: {title: C, milestone: relese-1}}\nmilestones: {release-1: {title: R}}\n").problem()
        assert "Did you mean `release-1`?" in found["summary"]

    @pytest.mark.parametrize("reference", ["{external: Not There}", "{external_id: 99}"])
    def test_an_external_that_does_not_exist_is_an_error_online(self, project: Make, reference: str) -> None:
        made = project(f"cases: {{c: {{title: C, milestone: {reference}}}}}\n").valid()
        ran = made.refused_online("plan")
        assert ran.code == 3 and "cases.yaml:1" in ran.all

    def test_external_by_title_and_by_id(self, project: Make) -> None:
        made = project("cases: {z: {title: Z}}\n").settled()
        ui = made.folder.app.ui
        top = ui.create("SHOP", "suite", title="A")
        suite = ui.create("SHOP", "suite", title="B", parent_id=top)
        milestone = ui.create("SHOP", "milestone", title="M")
        hash = ui.create("SHOP", "shared_step", title="S", steps=[{"action": "x"}])
        case = ui.create("SHOP", "case", title="Theirs")
        made.write(f"""\
cases:
  z: {{title: Z}}
  a: {{title: 1, suite: {{external: A / B}}, milestone: {{external: M}}, steps: [{{shared: {{external: S}}}}]}}
  b: {{title: 2, suite: {{external_id: {suite}}}, milestone: {{external_id: '{milestone}'}},
       steps: [{{shared: {{external_id: {hash}}}}}]}}
plans: {{p: {{title: P, cases: [a, {{external: Theirs}}]}}}}
""").valid().settled()  # fmt: skip
        a, b = made.live("case.a"), made.live("case.b")
        assert (a["suite_id"], a["milestone_id"]) == (b["suite_id"], b["milestone_id"]) == (suite, milestone)
        assert a["steps"] == b["steps"]
        assert {each["case_id"] for each in made.live("plan.p")["cases"]} == {a["id"], case}

    def test_several_matches_list_the_ids(self, project: Make) -> None:
        made = project(ONE).settled()
        ids = [made.folder.app.ui.create("SHOP", "milestone", title="M") for _ in range(2)]
        made.write("cases: {c: {title: C, milestone: {external: M}}}\n")
        ran = made.refused_online("plan")
        assert ran.code == 3 and all(str(id) in ran.all for id in ids)

    def test_a_managed_object_is_named_by_key(self, project: Make) -> None:
        made = project("milestones: {m: {title: M}}\ncases: {c: {title: C, milestone: m}}\n").settled()
        made.write("milestones: {m: {title: M}}\ncases: {c: {title: C, milestone: {external: M}}}\n")
        ran = made.refused_online("plan")
        assert ran.code == 3 and "by its key" in ran.all

    @pytest.mark.parametrize(
        "reference",
        ["{external: true}", "{external: }", "{external: ''}", "{external_id: abc}", "{external_id: 0}", "{}", "{a: b}",
         "{external: a, external_id: 3}", "[a]", "Release One", "''"],
    )  # fmt: skip
    def test_what_is_no_reference_is_an_error(self, project: Make, reference: str) -> None:
        made = project(f"cases:\n  c:\n    title: C\n    milestone: {reference}\n")
        assert made.problem()["line"] == 4

    def test_dangling_references_are_held_back_while_a_file_is_unreadable(self, project: Make) -> None:
        made = project({"a.yaml": "cases: {c: {title: C, milestone: m}}\n", "b.yaml": "milestones: {m: [}\n"})
        assert {each["file"] for each in made.problems()} == {"b.yaml"}


class TestScope:
    FILES = {"cases.yaml": "suites: {a: {title: A, suites: {b: {title: B, cases: {c: {title: C}}}}}, z: {title: Z}}\n"}

    @pytest.mark.parametrize(
        ("suites", "outside"),
        [
            (["a/**", "z"], set()),
            (["**"], set()),
            (["a", "z"], {"suite.a/b", "case.c"}),
            (["a", "a/b", "z"], set()),
            (["?", "?/?"], set()),
            (["*"], {"suite.a/b", "case.c"}),
            (["a/*", "z"], {"suite.a"}),
            (["z"], {"suite.a", "suite.a/b", "case.c"}),
        ],
    )
    def test_declaring_something_outside_is_an_error(self, project: Make, suites: list[str], outside: set[str]) -> None:
        found = project(self.FILES, scope={"suites": suites}).problems()
        assert {each["code"] for each in found} <= {"out-of-scope"}
        assert {each["summary"].split()[0] for each in found} == outside

    @pytest.mark.parametrize(("suites", "codes"), [(["."], []), (["x"], ["out-of-scope"]), (["**"], [])])
    def test_a_dot_is_the_root(self, project: Make, suites: list[str], codes: list[str]) -> None:
        assert project(ONE, scope={"suites": suites}).codes() == codes

    def test_what_lies_outside_is_not_touched(self, project: Make) -> None:
        made = project(self.FILES, scope={"suites": ["a/**", "z"]}).settled()
        suite = made.folder.app.ui.create("SHOP", "suite", title="Foreign")
        made.folder.app.ui.create("SHOP", "case", title="F", suite_id=suite)
        made.folder.app.ui.create("SHOP", "case", title="In z", suite_id=made.folder.id_of("suite.z"))
        plan = made.plan()
        assert plan["changes"] == [] and plan["summary"]["unmanaged"] == 1

    def test_milestones_shared_steps_and_plans_count_only_when_bound(self, project: Make) -> None:
        made = project(self.FILES, scope={"suites": ["a/**", "z"]}).settled()
        made.folder.app.ui.create("SHOP", "milestone", title="M")
        assert made.plan()["summary"]["unmanaged"] == 0

    def test_a_bound_object_found_outside_is_blocked(self, project: Make) -> None:
        made = project(self.FILES, scope={"suites": ["a/**", "z"]}).settled()
        suite = made.folder.app.ui.create("SHOP", "suite", title="Foreign")
        made.folder.app.ui.move("SHOP", "case", made.folder.id_of("case.c"), suite)
        assert made.actions() == {"case.c": "move !out_of_scope"}
