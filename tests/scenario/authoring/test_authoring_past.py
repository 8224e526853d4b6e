"""authoring.md, "Selections, moves, removals"."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from authoring_kit import Project, place

Make = Callable[..., Project]
CASES = """\
suites: {s: {title: S, cases: {in-s: {title: In S}}, suites: {t: {title: T, cases: {in-t: {title: In T}}}}}}
milestones: {m: {title: M}}
cases:
  a: {title: A, tags: [smoke, x], priority: high, flaky: true}
  b: {title: B, tags: [smoke], priority: low, milestone: m, status: draft}
  c: {title: C, automation: automated}
"""


def members(project: Project, plan: str) -> list[str]:
    """The cases that the plan `p` would hold, by key and in order."""
    project.write({"plans.yaml": f"plans: {{p: {{title: P, {plan}}}}}\n"})
    project.valid()
    sent = project.sent("plan.p")["cases"]
    return [each["known_after_apply"].removeprefix("case.") for each in sent]


class TestMembership:
    @pytest.mark.parametrize(
        ("plan", "expected"),
        [
            ("cases: [b, a]", ["a", "b"]),  # one set, in the order of the files
            ("select: {tags: [smoke]}", ["a", "b"]),
            ("select: {tags: smoke}", ["a", "b"]),
            ("select: {tags: [smoke], priority: [high]}", ["a"]),  # every key must match
            ("select: {priority: [high, low]}", ["a", "b"]),  # one value is enough
            ("cases: [c], select: {tags: [x]}", ["a", "c"]),
            ("select: {suites: [s]}", ["in-s"]),
            ("select: {suites: ['s/**']}", ["in-s", "in-t"]),
            ("select: {suites: ['s/*']}", ["in-t"]),
            ("select: {suites: [.]}", ["a", "b", "c"]),
            ("select: {flaky: [true]}", ["a"]),
            ("select: {milestone: [m]}", ["b"]),
            ("select: {automation: [automated]}", ["c"]),
            ("select: {status: [draft]}", ["b"]),
            ("select: {tags: [smoke]}, exclude: {status: [draft]}", ["a"]),
            ("select: {tags: [smoke]}, exclude: {status: [deprecated, draft], priority: [high]}", ["a", "b"]),
            ("cases: [b], select: {tags: [smoke]}, exclude: {status: [draft]}", ["a", "b"]),  # never from `cases`
        ],
    )
    def test_cases_and_select(self, project: Make, plan: str, expected: list[str]) -> None:
        assert members(project(CASES), plan) == expected

    def test_compares_with_the_yaml_including_defaults(self, project: Make) -> None:
        made = project(CASES, defaults={"case": {"severity": "major"}})
        assert len(members(made, "select: {severity: [major]}")) == 5

    def test_an_attribute_that_is_not_managed_matches_nothing(self, project: Make) -> None:
        made = project(CASES).apply()
        made.write({"plans.yaml": "plans: {p: {title: P, select: {severity: [undefined]}}}\n"})
        assert made.actions() == {"plan.p": "create !empty_selection"}

    def test_a_selection_that_matches_nobody_is_a_warning_and_blocks_the_entry(self, project: Make) -> None:
        made = project({"a.yaml": CASES, "plans.yaml": "plans: {p: {title: P, select: {tags: [nope]}}}\n"})
        plan = made.plan()
        assert [(each["code"], each["severity"]) for each in plan["findings"]] == [("empty-selection", "warning")]
        assert made.actions()["plan.p"] == "create !empty_selection"
        assert made.apply(code=6).folder.app.dump("SHOP")["plans"] == []

    def test_a_change_where_qase_holds_assignees_is_blocked(self, project: Make) -> None:
        made = project({"a.yaml": CASES, "p.yaml": "plans: {p: {title: P, cases: [a, b]}}\n"})
        made.seed(users=[{"id": 3, "name": "Ann", "email": "ann@x.example"}]).settled()
        folder = made.folder
        folder.app.ui.assign("SHOP", folder.id_of("plan.p"), folder.id_of("case.a"), 3)
        made.write({"p.yaml": "plans: {p: {title: P, cases: [a]}}\n"})
        assert made.actions() == {"plan.p": "update !would_drop_assignees"}
        made.write({"p.yaml": "plans: {p: {title: P, cases: [a], assignees: may_be_lost}}\n"})
        assert made.actions() == {"plan.p": "update"}

    def test_losing_a_member_by_deletion_is_an_update_before_the_delete(self, project: Make) -> None:
        made = project({"a.yaml": CASES, "p.yaml": "plans: {p: {title: P, select: {tags: [smoke]}}}\n"}).settled()
        made.write(
            {
                "a.yaml": CASES.replace(
                    "  b: {title: B, tags: [smoke], priority: low, milestone: m, status: draft}\n", ""
                )
            }
        )
        assert list(made.actions().items()) == [("plan.p", "update"), ("case.b", "delete")]
        made.settled()

    @pytest.mark.parametrize(
        ("rule", "code"),
        [
            ("{}", "wrong-type"), ("[a]", "wrong-type"), ("smoke", "wrong-type"), ("{tag: [a]}", "unknown-attribute"),
            ("{tags: []}", "empty-rule"), ("{tags: ['']}", "empty-rule"), ("{priority: [hgih]}", "unknown-word"),
            ("{status: [hgih]}", "unknown-word"), ("{flaky: [maybe]}", "wrong-type"), ("{suites: ['A B']}", "bad-pattern"),
            ("{milestone: [zz]}", "unknown-reference"), ("{automation: [manually]}", "unknown-word"),
            ("{tags: [true]}", "boolean-in-text"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("key", ["select", "exclude"])
    def test_what_is_no_rule_is_an_error(self, project: Make, key: str, rule: str, code: str) -> None:
        made = project({"a.yaml": CASES, "p.yaml": f"plans:\n  p:\n    title: P\n    cases: [a]\n    {key}: {rule}\n"})
        found = made.problem()
        assert (found["code"], found["file"], found["line"]) == (code, "p.yaml", 5)


class TestMoved:
    TWO = "cases: {a: {title: A, steps: [one]}, b: {title: B, steps: [two]}}\n"

    def test_a_pure_rename_is_a_no_op_that_costs_nothing(self, project: Make) -> None:
        made = project(self.TWO).settled()
        made.write(
            "cases: {z: {title: A, steps: [one]}, b: {title: B, steps: [two]}}\nmoved: [{from: case.a, to: case.z}]\n"
        )
        plan = made.plan()
        (change,) = plan["changes"]
        assert (change["action"], change["address"], change["moved_from"]) == ("no_op", "case.z", "case.a")
        assert (plan["summary"]["rename"], plan["requests"]) == (1, 0)
        id = made.folder.id_of("case.a")
        made.settled()
        assert made.folder.id_of("case.z") == id

    def test_a_rename_with_an_edit_is_an_update(self, project: Make) -> None:
        made = project(self.TWO).settled()
        made.write(
            "cases: {z: {title: New, steps: [one]}, b: {title: B, steps: [two]}}\nmoved: [{from: case.a, to: case.z}]\n"
        )
        change = made.changes()["case.z"]
        assert (change["action"], change["moved_from"]) == ("update", "case.a")

    def test_swaps_work(self, project: Make) -> None:
        made = project(self.TWO).settled()
        a, b = made.folder.id_of("case.a"), made.folder.id_of("case.b")
        made.write("""\
cases: {b: {title: A, steps: [one]}, a: {title: B, steps: [two]}}
moved: [{from: case.a, to: case.b}, {from: case.b, to: case.a}]
""")  # fmt: skip
        assert made.actions() == {"case.a": "no_op", "case.b": "no_op"}
        made.settled()
        assert (made.folder.id_of("case.a"), made.folder.id_of("case.b")) == (b, a)

    def test_each_entry_is_applied_once_ever(self, project: Make) -> None:
        made = project(self.TWO).settled()
        log = "moved: [{from: case.a, to: case.z}]\n"
        made.write("cases: {z: {title: A, steps: [one]}, b: {title: B, steps: [two]}}\n" + log).settled()
        made.write("cases: {z: {title: A, steps: [one]}, b: {title: B, steps: [two]}, a: {title: N}}\n" + log)
        assert made.actions() == {"case.a": "create"}

    def test_in_order_a_chain_ends_at_its_last_key(self, project: Make) -> None:
        made = project(self.TWO).settled()
        id = made.folder.id_of("case.a")
        made.write("""\
cases: {z: {title: A, steps: [one]}, b: {title: B, steps: [two]}}
moved: [{from: case.a, to: case.y}, {from: case.y, to: case.z}]
""").settled()  # fmt: skip
        assert made.folder.id_of("case.z") == id

    def test_a_suites_entry_carries_everything_below_it(self, project: Make) -> None:
        made = project("suites: {a: {title: A, suites: {b: {title: B, cases: {c: {title: C}}}}}}\n").settled()
        made.write("""\
suites: {z: {title: A, suites: {b: {title: B, cases: {c: {title: C}}}}}}
moved: [{from: suite.a, to: suite.z}]
""")  # fmt: skip
        assert made.actions() == {"suite.z": "no_op", "suite.z/b": "no_op"}
        made.settled()

    @pytest.mark.parametrize(
        ("entry", "code"),
        [
            ("{from: case.a}", "bad-move"),
            ("{from: case.a, to: case.a}", "bad-move"),
            ("{from: case.a, to: suite.a}", "bad-move"),
            ("{from: case.a, to: b}", "bad-address"),
            ("{from: caze.a, to: caze.b}", "bad-address"),
            ("{from: case.A, to: case.b}", "bad-address"),
            ("{from: case.a, to: [b]}", "wrong-type"),
            ("case.a", "bad-move"),
            ("{from: case.x, to: case.b, why: y}", "bad-move"),
        ],
    )
    def test_what_is_no_entry_is_an_error(self, project: Make, entry: str, code: str) -> None:
        found = [each for each in project(f"{self.TWO}moved:\n  - {entry}\n").problems() if each["severity"] == "error"]
        assert {(each["code"], each["line"]) for each in found} == {(code, 3)}


class TestPossibleRename:
    OLD = "cases: {a: {title: A, steps: [one]}, b: {title: B}}\n"

    @pytest.mark.parametrize("new", ["{title: A}", "{title: Another, steps: [one]}", "{title: A, steps: [one]}"])
    def test_same_title_or_same_content_blocks_both(self, project: Make, new: str) -> None:
        made = project(self.OLD).settled()
        made.write(f"cases: {{z: {new}, b: {{title: B}}}}\n")
        assert made.actions() == {"case.a": "delete !possible_rename", "case.z": "create !possible_rename"}
        assert "moved: [{from: case.a, to: case.z}]" in made.changes()["case.z"]["blocked"]["reason"]

    def test_removed_says_that_it_is_meant(self, project: Make) -> None:
        made = project(self.OLD).settled()
        made.write("cases: {z: {title: A}, b: {title: B}}\nremoved: [case.a]\n")
        assert made.actions() == {"case.a": "forget", "case.z": "create"}

    @pytest.mark.parametrize("address", ["case.z", "case.a"])
    def test_allow_recreate_says_that_it_is_meant(self, project: Make, address: str) -> None:
        made = project(self.OLD).settled()
        made.write("cases: {z: {title: A}, b: {title: B}}\n")
        assert made.actions("--allow-recreate", address) == {"case.a": "delete", "case.z": "create"}

    def test_what_is_unlike_is_a_delete_and_a_create(self, project: Make) -> None:
        made = project(self.OLD).settled()
        made.write("cases: {z: {title: Quite different}, b: {title: B}}\n")
        assert made.actions() == {"case.a": "delete", "case.z": "create"}


class TestRemoved:
    def test_stops_managing_it_and_leaves_it_in_qase(self, project: Make) -> None:
        made = project("cases: {a: {title: A}, b: {title: B}}\n").settled()
        made.write("cases: {b: {title: B}}\nremoved: [case.a]\n")
        assert made.actions() == {"case.a": "forget"} and made.plan()["requests"] == 0
        made.settled()
        assert len(made.folder.app.dump("SHOP")["cases"]) == 2

    def test_beside_a_declaration_is_an_error_that_shows_both(self, project: Make) -> None:
        found = project("cases:\n  a: {title: A}\nremoved:\n  - case.a\n").problem()
        assert place(found) == ("removed-and-declared", "cases.yaml", 4, 5) and "cases.yaml:2:3" in found["summary"]

    def test_one_that_matches_nothing_in_the_state_is_no_error(self, project: Make) -> None:
        made = project("cases: {a: {title: A}}\nremoved: [case.never, suite.never/at-all]\n").valid()
        assert made.settled().actions() == {}


class TestAdopt:
    @pytest.fixture
    def made(self, project: Make) -> Project:
        made = project("cases: {a: {title: A}}\n").settled()
        made.theirs = made.folder.app.ui.create("SHOP", "case", title="Theirs")  # type: ignore[attr-defined]
        return made

    @pytest.mark.parametrize("form", ["{}", "'{}'"])
    def test_takes_digits_as_number_or_text(self, made: Project, form: str) -> None:
        id = form.format(made.theirs)  # type: ignore[attr-defined]
        made.write(f"cases: {{a: {{title: A}}, t: {{title: Ours}}}}\nadopt: {{case.t: {id}}}\n")
        change = made.changes()["case.t"]
        assert (change["action"], change["id"]) == ("adopt", made.theirs)  # type: ignore[attr-defined]
        assert change["attributes"]["title"]["origin"] == "ours"
        made.settled()

    def test_a_shared_step_is_adopted_by_its_hash(self, made: Project) -> None:
        hash = made.folder.app.ui.create("SHOP", "shared_step", title="S", steps=[{"action": "x"}])
        made.write({"s.yaml": f"shared_steps: {{s: {{title: S, steps: [x]}}}}\nadopt: {{shared_step.s: {hash}}}\n"})
        assert made.actions() == {"shared_step.s": "adopt"}
        made.settled()

    def test_an_id_that_is_bound_elsewhere_is_refused(self, made: Project) -> None:
        made.write(f"cases: {{a: {{title: A}}, t: {{title: T}}}}\nadopt: {{case.t: {made.folder.id_of('case.a')}}}\n")
        assert "!" in made.actions()["case.t"]
        made.apply(code=4)

    def test_another_id_than_the_state_has_is_refused(self, made: Project) -> None:
        made.write(f"cases: {{a: {{title: A}}}}\nadopt: {{case.a: {made.theirs}}}\n")  # type: ignore[attr-defined]
        assert "!" in made.actions().get("case.a", "")

    def test_an_id_that_is_not_there_is_refused(self, made: Project) -> None:
        made.write("cases: {a: {title: A}, t: {title: T}}\nadopt: {case.t: 9999}\n")
        assert "!" in made.actions()["case.t"]

    @pytest.mark.parametrize("id", ["abc", "0", "-1", "1.5", "[1]", "''", "true", "null", "0x10"])
    def test_what_is_no_id_is_an_error(self, project: Make, id: str) -> None:
        assert project(f"cases: {{a: {{title: A}}}}\nadopt: {{case.a: {id}}}\n").codes() == ["bad-id"]

    def test_of_what_is_not_declared_is_an_error(self, project: Make) -> None:
        assert project("cases: {a: {title: A}}\nadopt: {case.b: 3}\n").codes() == ["unknown-reference"]

    def test_one_id_for_two_addresses_is_an_error(self, project: Make) -> None:
        made = project("cases: {a: {title: A}, b: {title: B}}\nadopt: {case.a: 3, case.b: 3}\n")
        assert made.codes() == ["adopted-twice"]
