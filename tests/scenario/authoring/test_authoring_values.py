"""authoring.md, "Omitted, null, empty, equal" and "Attributes"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from authoring_kit import Project, place

from qase_iac.emulator import Settings

Make = Callable[..., Project]
FULL = """\
milestones: {m: {title: M}}
suites: {s: {title: S}}
cases:
  c:
    title: C
    description: D
    preconditions: P
    postconditions: Q
    suite: s
    severity: major
    priority: high
    type: smoke
    layer: e2e
    behavior: negative
    status: draft
    automation: automated
    flaky: true
    milestone: m
    tags: [a, b]
    steps: [one]
    parameters: {x: ["1", "2"]}
    custom_fields: {Text: hello, Pick: One}
"""
FIELDS = [
    {"title": "Text", "type": "string"},
    {"title": "Long", "type": "text"},
    {"title": "Number", "type": "number"},
    {"title": "Check", "type": "checkbox"},
    {"title": "Pick", "type": "selectbox", "options": ["One", "Two"]},
    {"title": "Many", "type": "multiselect", "options": ["iOS", "Android"]},
    {"title": "When", "type": "datetime"},
    {"title": "Who", "type": "user"},
    {"title": "Link", "type": "url"},
]


@pytest.fixture
def full(project: Make) -> Project:
    return project(FULL).seed(custom_fields=FIELDS, users=[{"id": 7, "name": "Ann", "email": "ann@x.example"}])


def case(text: str) -> str:
    return f"cases:\n  c:\n    title: C\n    {text}\n"


class TestOmitted:
    def test_is_not_managed(self, full: Project) -> None:
        full.settled()
        full.write(case("suite: s") + "milestones: {m: {title: M}}\nsuites: {s: {title: S}}\n")
        assert full.actions() == {}

    def test_on_create_the_servers_default_applies(self, project: Make) -> None:
        made = project(case("severity: major"))
        assert made.sent("case.c") == {"title": "C", "suite": None, "severity": "major"}

    def test_later_edits_in_qase_are_left_alone(self, project: Make) -> None:
        made = project(case("severity: major")).settled()
        made.folder.app.ui.edit("SHOP", "case", made.folder.id_of("case.c"), priority=1, description="theirs")
        assert made.actions() == {}

    def test_but_a_cases_suite_and_a_suites_parent_always_are(self, project: Make) -> None:
        made = project("suites: {a: {title: A}, b: {title: B}}\ncases: {c: {title: C}}\n").settled()
        ui, id_of = made.folder.app.ui, made.folder.id_of
        ui.move("SHOP", "case", id_of("case.c"), id_of("suite.a"))
        ui.move("SHOP", "suite", id_of("suite.b"), id_of("suite.a"))
        assert made.actions() == {"case.c": "move", "suite.b": "move"}


class TestIgnoreChanges:
    def test_sent_on_create_then_left_to_someone_else(self, full: Project) -> None:
        full.write(FULL + "    ignore_changes: [automation, custom_fields.Text]\n")
        assert full.sent("case.c")["automation"] == "automated"
        full.settled()
        edit = full.folder.app.ui.edit
        edit("SHOP", "case", full.folder.id_of("case.c"), isManual=True, severity=6)
        change = full.changes()["case.c"]
        assert set(change["attributes"]) == {"severity"}

    def test_a_change_in_the_yaml_is_not_sent_either(self, full: Project) -> None:
        full.write(FULL + "    ignore_changes: [automation]\n").settled()
        full.write(FULL.replace("automated", "manual") + "    ignore_changes: [automation]\n")
        assert full.actions() == {}

    @pytest.mark.parametrize("word", ["automaton", "suite.x", "custom_fields.", "[a]", "''", "protect"])
    def test_takes_names_of_attributes(self, project: Make, word: str) -> None:
        assert project(case(f"ignore_changes: [{word}]")).codes() == ["unknown-attribute"]


class TestNullClears:
    @pytest.mark.parametrize(
        ("name", "cleared"),
        [
            ("description", ["null", "~", "", '""', "''"]),
            ("preconditions", ["null", '""']),
            ("postconditions", ["null", '""']),
            ("tags", ["null", "[]"]),
            ("steps", ["null", "[]"]),
            ("parameters", ["null", "[]", "{}"]),
            ("attachments", ["null", "[]"]),
        ],
    )
    def test_texts_and_lists(self, full: Project, name: str, cleared: list[str]) -> None:
        files: dict[str, str | bytes] = {"x.png": b"png"}
        full.write(files).write(FULL + "    attachments: [x.png]\n").settled()
        for value in cleared:
            lines = (FULL + "    attachments: [x.png]\n").split("\n")
            at = next(at for at, line in enumerate(lines) if line.startswith(f"    {name}:"))
            full.write("\n".join([*lines[:at], f"    {name}: {value}", *lines[at + 1 :]])).valid()
            change = full.changes()["case.c"]
            assert list(change["attributes"]) == [name], value
            assert change["attributes"][name]["after"] in (None, "", []), value
        full.settled()

    @pytest.mark.parametrize(
        ("name", "default"),
        [("severity", "normal"), ("priority", "undefined"), ("type", "other"), ("status", "actual"), ("automation", "manual"),
         ("behavior", "undefined"), ("layer", "unknown"), ("flaky", False)],
    )  # fmt: skip
    def test_on_an_enum_it_means_the_workspaces_default(self, full: Project, name: str, default: Any) -> None:
        full.settled()
        lines = [f"    {name}: null" if line.startswith(f"    {name}:") else line for line in FULL.split("\n")]
        full.write("\n".join(lines))
        (attributes,) = [each["attributes"] for each in full.changes().values()]
        assert list(attributes) == [name]
        assert attributes[name]["after"] is not None
        full.settled()

    @pytest.mark.parametrize("value", ["null", "~", "", '""', "' '"])
    def test_on_title_it_is_an_error(self, project: Make, value: str) -> None:
        assert place(project(f"cases:\n  c:\n    title: {value}\n").problem())[:3] == ("empty-title", "cases.yaml", 3)

    def test_a_custom_field_is_cleared_and_those_not_named_are_not_managed(self, full: Project) -> None:
        full.settled()
        full.write(FULL.replace("{Text: hello, Pick: One}", "{Text: null}"))
        assert list(full.changes()["case.c"]["attributes"]) == ["custom_fields.Text"]
        full.settled()

    def test_a_milestone_and_a_suite_to_none(self, full: Project) -> None:
        full.settled()
        full.write(FULL.replace("milestone: m\n", "milestone: null\n").replace("suite: s\n", "suite: null\n"))
        assert set(full.changes()["case.c"]["attributes"]) == {"milestone", "suite"}


class TestNotSupportedByServer:
    @pytest.mark.parametrize(
        ("switch", "old", "new", "address"),
        [
            ("case_milestone_null", "milestone: m\n", "milestone: null\n", "case.c"),
            ("case_suite_null", "suite: s\n", "suite: null\n", "case.c"),
            ("milestone_due_date_patch", "2026-12-01", "2027-01-01", "milestone.m"),
        ],
    )
    def test_it_is_read_back_fails_and_is_remembered(
        self, full: Project, switch: str, old: str, new: str, address: str
    ) -> None:
        before = FULL.replace("{title: M}", "{title: M, due_date: 2026-12-01}")
        full.write(before).settled()
        full.folder.app.settings = Settings({switch: "ignore"})
        full.write(before.replace(old, new))
        id = full.folder.id_of(address)
        assert full.apply(code=6).folder.id_of(address) == id  # nothing was deleted and made again
        assert full.actions()[address].endswith("!not_supported_by_server")
        assert full.plan()["requests"] == 0


class TestEqualTexts:
    @pytest.mark.parametrize("served", ["D", "  D \n", "\r\nD\r\n"])
    def test_but_for_line_ends_and_outer_space(self, full: Project, served: str) -> None:
        full.settled()
        full.folder.app.ui.edit("SHOP", "case", full.folder.id_of("case.c"), description=served)
        assert full.actions() == {}

    def test_inner_space_counts(self, full: Project) -> None:
        full.write(FULL.replace("description: D", "description: D  E")).settled()
        full.folder.app.ui.edit("SHOP", "case", full.folder.id_of("case.c"), description="D E")
        assert list(full.changes()["case.c"]["attributes"]) == ["description"]

    def test_they_are_sent_as_written(self, project: Make) -> None:
        made = project(case('description: "  two\\r\\n lines \\n"')).settled()
        assert made.live("case.c")["description"] == "  two\r\n lines \n"

    def test_null_is_the_empty_text(self, project: Make) -> None:
        made = project(case('description: ""')).settled()
        made.write(case("description: null"))
        assert made.actions() == {}


class TestSteps:
    def test_inside_omitted_is_empty(self, project: Make) -> None:
        made = project(case("steps: [{action: a, data: d, expected: e, steps: [n]}]")).settled()
        made.write(case("steps: [a]"))
        assert list(made.changes()["case.c"]["attributes"]) == ["steps"]
        made.settled()
        (step,) = made.live("case.c")["steps"]
        assert not step.get("data") and not step.get("expected_result") and not step.get("steps")

    def test_omitted_attachments_are_carried_over(self, project: Make) -> None:
        made = project({"x.png": b"png", "cases.yaml": case("steps: [{action: a, attachments: [x.png]}, b]")}).settled()
        made.write(case("steps: [{action: a}, b]"))
        assert made.actions() == {}
        made.write(case("steps: [{action: a, expected: new}, b]")).settled()
        assert len(made.live("case.c")["steps"][0]["attachments"]) == 1

    def test_dropping_live_attachments_is_said(self, project: Make) -> None:
        made = project({"x.png": b"png", "cases.yaml": case("steps: [{action: a, attachments: [x.png]}, b]")}).settled()
        made.write(case("steps: [{action: a, attachments: []}, b]"))
        assert list(made.changes()["case.c"]["attributes"]) == ["steps"]
        assert "attachment" in made.run("plan", "--full").out
        made.write(case("steps: [b]"))
        assert "attachment" in made.run("plan").all

    @pytest.mark.parametrize(
        "step",
        ["''", "null", "~", "", "' '", "{}", "{action: }", "{action: ''}", "{expected: x}", "{data: x, steps: [a]}",
         "{shared: }", "{steps: ['']}"],
    )  # fmt: skip
    def test_an_empty_step_is_an_error(self, project: Make, step: str) -> None:
        found = project(f"cases:\n  c:\n    title: C\n    steps:\n      - good\n      - {step}\n").problems()
        assert {(each["code"], each["line"]) for each in found} == {("empty-step", 6)}

    @pytest.mark.parametrize(
        ("step", "code"),
        [
            ("{action: a, acton: b}", "unknown-attribute"),
            ("{action: a, title: b}", "unknown-attribute"),
            ("{action: [a]}", "text-starts-with-bracket"),
            ("{action: a, steps: b}", "wrong-type"),
            ("{action: a, attachments: x.png}", "wrong-type"),
            ("{shared: s, action: a}", "shared-and-more"),
            ("{action: true}", "boolean-in-text"),
            ("true", "boolean-in-text"),
            ("[a]", "text-starts-with-bracket"),
        ],
    )
    def test_what_is_no_step_is_an_error(self, project: Make, step: str, code: str) -> None:
        text = f"shared_steps: {{s: {{title: S, steps: [a]}}}}\n{case(f'steps: [{step}]')}"
        assert project(text).codes() == [code]

    @pytest.mark.parametrize(
        ("steps", "codes"),
        [
            ("", ["no-steps"]), ("[]", ["no-steps"]), ("[{shared: s}]", ["shared-in-shared"]),
            ("[{action: a, steps: [{shared: s}]}]", ["nested-shared-step", "shared-in-shared"]),
            ("[{action: a, steps: [b]}]", ["nested-shared-step"]),
        ],
    )  # fmt: skip
    def test_of_a_shared_step(self, project: Make, steps: str, codes: list[str]) -> None:
        found = project(f"{case('steps: [a]')}shared_steps: {{s: {{title: S, steps: {steps}}}}}\n").problems()
        assert sorted(each["code"] for each in found) == codes
        assert [each["severity"] for each in found if each["code"] == "nested-shared-step"] in ([], ["warning"])

    def test_steps_of_a_shared_step_are_required(self, project: Make) -> None:
        assert project(case("steps: [a]") + "shared_steps: {s: {title: S}}\n").codes() == ["missing-attribute"]

    def test_gherkin_beside_steps_is_an_error(self, project: Make) -> None:
        found = project(case("steps: [a]\n    gherkin: Given")).problem()
        assert place(found) == ("exclusive-attributes", "cases.yaml", 5, 5)

    @pytest.mark.parametrize("text", ["- action:click", "- shared:sign-in"])
    def test_a_missing_space_is_warned_of(self, project: Make, text: str) -> None:
        found = project(f"cases:\n  c:\n    title: C\n    steps:\n      {text}\n").problem()
        assert (found["code"], found["severity"], found["line"]) == ("missing-space", "warning", 5)


class TestOrder:
    def test_creation_follows_file_path_then_position(self, project: Make) -> None:
        made = project({
            "b.yaml": "cases: {z: {title: Z}, y: {title: Y}}\n",
            "a/x.yaml": "cases: {x: {title: X}}\n",
            "a.case.yaml": "title: A\n",
        }).settled()  # fmt: skip
        cases = sorted(made.folder.app.dump("SHOP")["cases"], key=lambda each: each["id"])
        assert [each["title"] for each in cases] == ["X", "A", "Z", "Y"]

    def test_position_is_never_compared(self, project: Make) -> None:
        made = project("cases: {a: {title: A}, b: {title: B}}\n").settled()
        made.write("cases: {b: {title: B}, a: {title: A}}\n")
        assert made.actions() == {}


class TestWords:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("severity", "undefined blocker critical major normal minor trivial"),
            ("priority", "undefined high medium low"),
            ("type", "other smoke regression security usability performance acceptance functional compatibility integration "
             "exploratory"),
            ("layer", "unknown e2e api unit"),
            ("behavior", "undefined positive negative destructive"),
            ("status", "actual draft deprecated"),
            ("automation", "manual to-be-automated automated"),
        ],
    )  # fmt: skip
    def test_the_words_of_the_table(self, project: Make, name: str, words: str) -> None:
        text = "".join(f"  c{at}: {{title: C{at}, {name}: {word}}}\n" for at, word in enumerate(words.split()))
        made = project(f"cases:\n{text}").valid()
        assert [
            made.changes()[f"case.c{at}"]["attributes"][name]["after"] for at in range(len(words.split()))
        ] == words.split()
        made.settled()

    @pytest.mark.parametrize("name", ["severity", "priority", "type", "layer", "behavior", "status", "automation"])
    @pytest.mark.parametrize("value", ["1", "0", "nope", "''", "[high]", "true", "' high'", "{a: b}"])
    def test_words_never_numbers(self, project: Make, name: str, value: str) -> None:
        found = project(case(f"{name}: {value}")).problem()
        assert found["code"] in ("unknown-word", "wrong-type") and found["line"] == 4

    def test_the_nearest_word_is_proposed(self, project: Make) -> None:
        assert "Did you mean `critical`?" in project(case("severity: critcal")).problem()["summary"]

    def test_a_workspaces_own_words_are_known_after_remember(self, project: Make) -> None:
        layer = [
            {"id": 1, "slug": "unknown", "title": "Unknown", "default": True},
            {"id": 9, "slug": "contract", "title": "Contract"},
        ]
        made = project(case("layer: contract")).seed(system_fields={"layer": layer})
        assert made.codes() == ["unknown-word"]
        assert made.sent("case.c")["layer"] == "contract"  # the live catalogue decides
        assert made.apply().run("validate", "--online", "--remember").code == 0
        assert (made.folder.root / "catalogue.yaml").is_file()
        made.valid()
        assert made.write(case("layer: nope")).codes() == ["unknown-word"]

    def test_an_option_may_be_named_by_its_title(self, project: Make) -> None:
        layer = [
            {"id": 1, "slug": "unknown", "title": "Unknown", "default": True},
            {"id": 9, "slug": "x9", "title": "Contract"},
        ]
        made = project(case("layer: Contract")).seed(system_fields={"layer": layer})
        assert made.sent("case.c")["layer"] == "x9"

    @pytest.mark.parametrize("value", ["yes", "no", "on", "1", "'true'", "True", "[true]", "''"])
    def test_flaky_takes_true_and_false(self, project: Make, value: str) -> None:
        assert project(case(f"flaky: {value}")).codes() == ["wrong-type"]


class TestTitle:
    @pytest.mark.parametrize("title", ["x" * 255, "é" * 255, "🙂" * 255])
    def test_of_255_characters(self, project: Make, title: str) -> None:
        assert project(f"cases: {{c: {{title: '{title}'}}}}\n").valid().settled().live("case.c")["title"] == title

    @pytest.mark.parametrize(
        ("title", "code"),
        [("x" * 256, "title-too-long"), ('"a\\nb"', "title-lines"), ("|\n      a\n      b", "title-lines"), ("true", "boolean-in-text"),
         ("[a]", "text-starts-with-bracket"), ("{a: b}", "text-starts-with-brace")],
    )  # fmt: skip
    @pytest.mark.parametrize("section", ["milestones", "suites", "cases", "plans", "shared_steps"])
    def test_is_one_line_of_text(self, project: Make, section: str, title: str, code: str) -> None:
        rest = {"plans": "cases: [ok]", "shared_steps": "steps: [a]"}.get(section, "description: d")
        text = f"{section}:\n  k:\n    title: {title}\n    {rest}\n"
        found = project({"ok.yaml": "cases: {ok: {title: Ok}}\n", "x.yaml": text}).problem()
        assert (found["code"], found["file"], found["line"]) == (code, "x.yaml", 3)

    @pytest.mark.parametrize("section", ["milestones", "suites", "cases", "plans", "shared_steps"])
    def test_is_required(self, project: Make, section: str) -> None:
        rest = {"plans": "cases: [ok]", "shared_steps": "steps: [a]"}.get(section, "description: d")
        made = project({"ok.yaml": "cases: {ok: {title: Ok}}\n", "x.yaml": f"{section}:\n  k:\n    {rest}\n"})
        wanted = "unknown-attribute" if (section, rest) == ("shared_steps", "description: d") else "missing-attribute"
        assert place(made.problem()) == (wanted, "x.yaml", 2, 3)


class TestDates:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [("2026-12-01", "2026-12-01"), ("'2026-12-01'", "2026-12-01"), ("2026-12-01T18:00:00+02:00", "2026-12-01T16:00:00Z"),
         ("2026-12-01 18:00", "2026-12-01T18:00:00Z"), ("2026-12-01T00:00:00Z", "2026-12-01"), ("null", None)],
    )  # fmt: skip
    def test_due_date(self, project: Make, written: str, canonical: str | None) -> None:
        made = project(f"milestones: {{m: {{title: M, due_date: {written}}}}}\n").valid()
        assert made.sent("milestone.m")["due_date"] == canonical
        made.settled()

    @pytest.mark.parametrize(
        "written", ["tomorrow", "2026-13-01", "2026-02-30", "01.12.2026", "20261201", "1700000000", "true", "[a]"]
    )
    def test_what_is_no_date_is_an_error(self, project: Make, written: str) -> None:
        found = project(f"milestones:\n  m:\n    title: M\n    due_date: {written}\n").problem()
        assert found["code"] in ("bad-date", "wrong-type") and found["line"] == 4

    @pytest.mark.parametrize("status", ["active", "completed"])
    def test_status_of_a_milestone(self, project: Make, status: str) -> None:
        project(f"milestones: {{m: {{title: M, status: {status}}}}}\n").valid().settled()


class TestParameters:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("{currency: [EUR, USD]}", [{"currency": ["EUR", "USD"]}]),
            ("{b: [1, 0x1F], a: [no]}", [{"b": ["1", "0x1F"]}, {"a": ["no"]}]),
            (
                "[{currency: [EUR]}, {user: [ann, bob], role: [admin, guest]}]",
                [{"currency": ["EUR"]}, {"user": ["ann", "bob"], "role": ["admin", "guest"]}],
            ),
            ("[{user: [ann, ann], role: [admin, guest]}]", [{"user": ["ann", "ann"], "role": ["admin", "guest"]}]),
        ],
    )
    def test_names_and_groups(self, project: Make, text: str, canonical: Any) -> None:
        made = project(case(f"parameters: {text}")).valid()
        assert sorted(made.sent("case.c")["parameters"], key=str) == sorted(canonical, key=str)
        made.settled()

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("EUR", "wrong-type"), ("[EUR]", "wrong-type"), ("{currency: EUR}", "wrong-type"), ("{currency: []}", "wrong-type"),
            ("{currency: [EUR, EUR]}", "repeated-item"), ("[{user: [a, b], role: [c]}]", "uneven-group"),
            ("[{a: [b]}, {a: [c]}]", "repeated-item"), ("{a: [null]}", "empty-item"), ("{a: ['']}", "empty-item"),
            ("{a: [true]}", "boolean-in-text"), ("[{}]", "wrong-type"), ("[[a]]", "wrong-type"),
        ],
    )  # fmt: skip
    def test_what_is_none_is_an_error(self, project: Make, text: str, code: str) -> None:
        found = project(case(f"parameters: {text}")).problem()
        assert (found["code"], found["line"]) == (code, 4)

    def test_a_shared_parameter_by_its_title(self, project: Make) -> None:
        made = project(case("parameters: [{shared: Browsers}, {a: [b]}]"))
        made.seed(
            shared_parameters=[{"title": "Browsers", "parameters": [{"title": "Browser", "values": ["Firefox"]}]}]
        )
        made.valid().settled()
        made.write(case("parameters: [{shared: Nope}]"))
        assert made.refused_online("plan").code == 3


class TestCustomFields:
    @pytest.mark.parametrize(
        ("value", "canonical"),
        [
            ("Text: 010", "010"), ("Text: no", "no"), ("Text: true", "true"), ("Text: 1.10", "1.10"), ("Number: 3", 3),
            ("Number: '3.50'", 3.5), ("Check: true", True), ("Check: false", False), ("Pick: One", "One"), ("Pick: one", "One"),
            ("Many: [iOS, Android]", ["Android", "iOS"]), ("Many: iOS", ["iOS"]), ("When: 2026-12-01", "2026-12-01"),
            ("Who: ann@x.example", "ann@x.example"), ("Link: https://x.example/#a", "https://x.example/#a"),
        ],
    )  # fmt: skip
    def test_take_what_their_type_takes(self, full: Project, value: str, canonical: Any) -> None:
        full.write(case(f"custom_fields: {{{value}}}")).valid()
        assert full.sent("case.c")[f"custom_fields.{value.split(':')[0]}"] == canonical
        full.settled()

    @pytest.mark.parametrize(
        "value",
        ["Number: many", "Check: yes", "Pick: Three", "Many: [iOS, Nope]", "When: soon", "Who: bob@x.example", "Nope: 1",
         "Pick: [One, Two]", "Text: [a, b]"],
    )  # fmt: skip
    def test_what_does_not_fit_is_an_error_online(self, full: Project, value: str) -> None:
        full.write(case(f"custom_fields: {{{value}}}")).valid()
        ran = full.refused_online("plan")
        assert ran.code == 3 and "cases.yaml:" in ran.all
        assert full.run("validate", "--online").code == 3

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("Many: [iOS, ~]", "empty-item"),
            ("Many: ['']", "empty-item"),
            ("Many: [[a]]", "wrong-type"),
            ("Text: {a: b}", "text-starts-with-brace"),
        ],
    )
    def test_what_can_never_fit_is_an_error_offline(self, project: Make, value: str, code: str) -> None:
        assert project(case(f"custom_fields: {{{value}}}")).codes() == [code]

    @pytest.mark.parametrize("value", ["[a]", "Component", "3"])
    def test_are_a_mapping(self, project: Make, value: str) -> None:
        assert project(case(f"custom_fields: {value}")).codes() == ["wrong-type"]


class TestAttachments:
    FILES: dict[str, str | bytes] = {
        "a/img/card.png": b"png",
        "a/x.yaml": case("attachments: [img/card.png, ../top.png]"),
        "top.png": b"top",
    }

    def test_are_relative_to_the_content_file(self, project: Make) -> None:
        made = project(self.FILES).valid()
        assert made.plan()["requests"] == 4  # the project, two uploads, one bulk create
        made.settled()
        assert len(made.live("case.c")["attachments"]) == 2

    def test_are_identified_by_content(self, project: Make) -> None:
        made = project(self.FILES).settled()
        made.write({"b/other.png": b"png", "a/x.yaml": case("attachments: [../b/other.png, ../top.png]")})
        assert made.actions() == {}
        made.write({"b/other.png": b"new"})
        assert list(made.changes()["case.c"]["attributes"]) == ["attachments"]

    def test_one_content_is_uploaded_once(self, project: Make) -> None:
        made = project({**self.FILES, "top.png": b"png"})
        assert made.plan()["requests"] == 3

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("nope.png", "attachment-missing"), ("../outside.png", "attachment-outside"), ("/etc/passwd", "attachment-path"),
            ("https://x.example/a.png", "attachment-path"), ("C:\\a.png", "attachment-path"), (".", "attachment-no-file"),
            ("link.png", "attachment-outside"), ("''", "empty-item"),
            ("dir/../../outside.png", "attachment-outside"), ('"a\\0b"', "attachment-path"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("where", ["attachments: [{}]", "steps: [{{action: a, attachments: [{}]}}]"])
    def test_what_cannot_be_uploaded_is_an_error(
        self, project: Make, outside: Any, where: str, path: str, code: str
    ) -> None:
        made = project(case(where.format(path)))
        (outside / "secret.png").write_bytes(b"secret")
        (made.folder.root / "link.png").symlink_to(outside / "secret.png")
        found = made.problem()
        assert (found["code"], found["line"]) == (code, 4)
