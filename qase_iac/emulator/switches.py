"""Every habit of the service that nobody has documented, as a switch (section 14 of the reference).

A test that runs over the values of this table, pairwise, runs over the ways in which the live
service may turn out to behave. ``question`` is the number of the open question in section 14,
or None where the switch comes from elsewhere in the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Value = str | int


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question: its default answer comes first in ``values`` unless ``default`` says otherwise."""

    name: str
    default: Value
    values: tuple[Value, ...]
    doc: str
    question: int | None = None
    open_ended: bool = False  # any integer >= 0 is allowed, ``values`` are samples


def _switch(name: str, values: str, doc: str, question: int | None = None) -> Switch:
    words = tuple(values.split("|"))
    return Switch(name, words[0], words, doc, question)


SWITCHES: tuple[Switch, ...] = (
    _switch("case_suite_null", "clear|ignore|reject", "PATCH case with suite_id: null", 1),
    _switch("case_milestone_null", "clear|ignore|reject", "PATCH case with milestone_id: null", 1),
    _switch("milestone_due_date_patch", "apply|ignore|reject", "PATCH milestone with due_date", 2),
    _switch("suite_destination_descendants", "delete|move",
            "suite delete with destination_id: cases of the sub-suites die, or move too", 3),
    _switch("bulk_id_in_use", "reject|overwrite", "bulk create with an id that a case (or a trashed one) has", 4),
    Switch("bulk_max", 0, (0, 100, 20, 1), "most cases in one bulk call; 0 is no limit", 5, True),
    _switch("bulk_partial", "off|on", "a bad bulk batch answers 422, yet keeps the cases before the bad one", 5),
    _switch("bulk_attachments_need_type", "on|off",
            "bulk create drops attachments of a case sent without steps_type (section 7.5)"),
    _switch("text_trim", "off|on", "outer white space of texts is cut off", 6),
    _switch("text_empty", "keep|null", 'a text sent as "" is stored as null', 6),
    _switch("text_null", "keep|empty", 'a text sent as null is stored as ""', 6),
    _switch("text_crlf", "keep|lf", "CRLF and CR in texts become LF", 6),
    _switch("text_html", "keep|escape", "& < > in texts come back as HTML entities", 6),
    _switch("shared_rows", "n|one", "a shared step of n steps reads as n rows of a case, or as one", 7),
    _switch("shared_nested", "nested|flattened", "nested steps of a shared step in a case: children, or more rows", 7),
    _switch("multiselect_read", "repeated|comma", "multiselect values: one entry an option, or joined by commas", 7),
    _switch("empty_array_patch", "clear|ignore", "PATCH with [] for steps, tags, attachments, parameters, cases", 8),
    _switch("params_and_parameters", "parameters|params|reject", "which of the two wins when both are sent", 9),
    _switch("list_order", "id|reverse|random-but-stable", "order of list endpoints", 10),
    _switch("plan_case_order", "kept|id|reverse", "order of the cases of a plan on read", 10),
    _switch("plan_patch_assignees", "keep|drop", "assignees of a plan when its cases are patched", 11),
    _switch("tag_case", "sensitive|insensitive", 'whether "A" and "a" are one tag (the first spelling stays)', 12),
    _switch("foreign_id", "422|404|ignore", "a reference to a suite, milestone, case, ... that does not exist", 13),
    _switch("suite_filter_recurses", "off|on", "GET /case?suite_id= also returns cases of sub-suites", 14),
    _switch("code_case", "upper|keep", "case of the letters of a new project's code", 15),
    _switch("code_reuse", "on|off", "the code of a deleted project can be used again", 15),
    _switch("old_aliases", "off|on", "/projects, /shared_steps and filters[...] still work in today's dialect", 16),
    _switch("error_body", "full|bare|empty|laravel", "what the body of a 4xx answer holds", 17),
    _switch("review_mandatory", "off|reject|ignore", "direct writes of cases: work, answer 403, change nothing", 19),
    _switch("steps_type_only", "keep|convert", "PATCH with steps_type alone: rows stay, or are rewritten", 20),
    _switch("limit_out_of_range", "clamp|reject", "limit or offset outside their ranges (section 16.4)"),
    _switch("patch_bumps_updated", "always|on_change", "whether an idle PATCH moves updated_at (section 16.13)"),
    _switch("attachment_hash", "random|content", "whether the same bytes uploaded twice have one hash (12.1)"),
    _switch("enum_style", "int|slug|string_ids", "how option fields of a case are rendered (section 7.2)"),
    _switch("ids_as_strings", "off|on", "ids in answers are strings"),
    _switch("extra_fields", "off|on", "answers hold fields that nobody has heard of (section 16.14)"),
    _switch("due_date_offset", "+00:00|-03:00", "offset in which due_date is rendered (section 9)"),
    _switch("is_manual_type", "bool|int", "type of isManual and isToBeAutomated on read (section 7.2)"),
    _switch("suite_cases_count", "direct|recursive", "whether cases_count counts sub-suites (section 6)"),
)  # fmt: skip

_BY_NAME = {switch.name: switch for switch in SWITCHES}


class Settings(Mapping[str, Value]):
    """The value of every switch. Unknown names and values are refused: a typo must not test nothing."""

    def __init__(self, overrides: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, Value] = {switch.name: switch.default for switch in SWITCHES}
        for name, value in (overrides or {}).items():
            self._values[name] = _value(name, value)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def on(self, name: str) -> bool:
        return self._values[name] == "on"

    def number(self, name: str) -> int:
        return int(self._values[name])


def _value(name: str, value: object) -> Value:
    if name not in _BY_NAME:
        raise ValueError(f"unknown switch {name!r}; there are: {', '.join(sorted(_BY_NAME))}")
    switch = _BY_NAME[name]
    if switch.open_ended:
        text = str(value)
        if isinstance(value, bool) or not text.isdigit():
            raise ValueError(f"switch {name!r} takes a whole number, not {value!r}")
        return int(text)
    if isinstance(value, bool):
        value = "on" if value else "off"
    for allowed in switch.values:
        if str(value) == str(allowed):
            return allowed
    raise ValueError(f"switch {name!r} takes {', '.join(map(str, switch.values))}, not {value!r}")
