"""The language of the attribute tables: rows, and the types that parse, check, send, read and compare values."""

from qase_iac.attributes.base import (
    INVALID,
    UNSET,
    Attribute,
    Decoding,
    RefVisitor,
    Reporter,
    ResolveError,
    Type,
)
from qase_iac.attributes.custom_fields import PREFIX as CUSTOM_FIELD_PREFIX
from qase_iac.attributes.custom_fields import CustomFields, CustomFieldValue, decode_custom_fields
from qase_iac.attributes.parameters import Parameters
from qase_iac.attributes.refs import Files, RefSet, RefTo
from qase_iac.attributes.rules import RULE_KEYS, Rules
from qase_iac.attributes.step_rows import canonical_step
from qase_iac.attributes.steps import Gherkin, Steps, step_definitions
from qase_iac.attributes.text import MAX_TITLE, Date, Flag, Text, TextSet, normal_text
from qase_iac.attributes.words import Automation, Options, Words

__all__ = [
    "CUSTOM_FIELD_PREFIX",
    "INVALID",
    "MAX_TITLE",
    "RULE_KEYS",
    "UNSET",
    "Attribute",
    "Automation",
    "CustomFieldValue",
    "CustomFields",
    "Date",
    "Decoding",
    "Files",
    "Flag",
    "Gherkin",
    "Options",
    "Parameters",
    "RefSet",
    "RefTo",
    "RefVisitor",
    "Reporter",
    "ResolveError",
    "Rules",
    "Steps",
    "Text",
    "TextSet",
    "Type",
    "Words",
    "canonical_step",
    "decode_custom_fields",
    "normal_text",
    "step_definitions",
]
