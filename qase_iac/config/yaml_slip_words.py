"""The words for slips: what is wrong, what YAML makes of it, what to do; and what libyaml's own words mean."""

from __future__ import annotations

_SIGN = "YAML keeps that sign for itself"
_BLOCK = "YAML takes it for the head of a block of text on the lines below"
_CLOSED = "the closing quote ends the value, and what follows has no place"
# The first character of a text -> code, what is wrong, what YAML makes of it without quotes.
STARTS = {
    '"': ("text-starts-with-quote", "A text goes on after a closing quote", _CLOSED),
    "'": ("text-starts-with-quote", "A text goes on after a closing quote", _CLOSED),
    "`": ("text-starts-with-backtick", "A text begins with a backtick", _SIGN),
    "@": ("text-starts-with-at", "A text begins with @", _SIGN),
    "%": ("text-starts-with-percent", "A text begins with %", _SIGN),
    "*": (
        "text-starts-with-asterisk",
        "A text begins with *",
        "YAML takes it for the name of something else",
    ),
    "&": (
        "text-starts-with-ampersand",
        "A text begins with &",
        "YAML takes the first word for a name and drops it",
    ),
    "!": (
        "text-starts-with-exclamation",
        "A text begins with !",
        "YAML takes the first word for a type and drops it",
    ),
    ">": ("text-starts-with-greater-than", "A text begins with >", _BLOCK),
    "|": ("text-starts-with-pipe", "A text begins with |", _BLOCK),
    "[": ("text-starts-with-bracket", "A text begins with [", "YAML takes it for a list"),
    "{": ("text-starts-with-brace", "A text begins with {", "YAML takes it for a mapping"),
    "-": ("text-starts-with-dash", "A text begins with `- `", "YAML takes it for a list"),
    "?": ("text-starts-with-question-mark", "A text begins with `? `", "YAML takes it for a key"),
}
COLON = ("colon-in-text", "A text holds a colon", "YAML takes what stands before it for a key")
# What else can be corrected -> code, what is wrong, why.
SPECIAL = {
    "tab": ("tab-indentation", "A tab stands in the indentation.", "YAML indents with spaces only."),
    "key:": (
        "missing-space",
        "A space is missing after the colon.",
        "Without it YAML takes all of it for one word.",
    ),
    "\\": (
        "bad-escape",
        "A backslash in double quotes begins no known escape.",
        "In single quotes it has no meaning.",
    ),
    "inner": (
        "quote-in-quotes",
        "The text ends at a quote inside it.",
        "The same quote that opens a text closes it.",
    ),
    "open": (
        "unterminated-quote",
        "A quote is opened here and never closed.",
        "Close it. If the sign belongs to the text, put the other kind of quotes around all of it.",
    ),
}
_UNCLOSED = (
    "unterminated-quote",
    "A quote is opened here and never closed.",
    "Close it, or quote the whole text.",
)
_ESCAPE = (*SPECIAL["\\"][:2], "In double quotes write it twice, or use single quotes.")
INDENT = (
    "bad-indentation",
    "The indentation fits nothing above.",
    "What belongs together stands in one column.",
)
OPEN_FLOW = (
    "flow-not-closed",
    "A [ or { is not closed, or a comma is missing.",
    "Close it with ] or }, or quote the text.",
)
# What libyaml says -> code, what is wrong, what to do.
GENERIC = (
    ("found unexpected end of stream", *_UNCLOSED),
    ("found unexpected document indicator", *_UNCLOSED),
    ("escape", *_ESCAPE),
    ("hexdecimal", *_ESCAPE),
    ("undefined alias", "undefined-alias", "An alias (*name) has no anchor.", "Write &name first, or quote it."),
    ("duplicate anchor", "duplicate-anchor", "The same &anchor is written twice.", "Rename one."),
    ("another document", "several-documents", "A second `---` begins another document.", "Drop it, or split the file."),
    ("<document start>", "several-documents", "The document has ended before this.", "Check its indentation."),
    ("node content", "missing-value", "A value is missing here.", "Write it, or remove the sign before it."),
    ("alphabetic or numeric", "undefined-alias", "A * or & without a name.", "If a text is meant, quote it."),
    ("tag handle", "foreign-tag", "A tag (!name) that is not allowed here.", "Remove it, or quote the text."),
    ("',' or ']'", *OPEN_FLOW),
    ("',' or '}'", *OPEN_FLOW),
    ("mapping values", "colon-in-text", "A colon stands where none can be.", "Quote the text."),
    ("expected ':'", "missing-colon", "This line is no `key: value`.", "Add the colon, or indent it deeper."),
    ("did not find expected key", *INDENT),
    ("'-' indicator", *INDENT),
    ("entries are not allowed", "text-starts-with-dash", "A `- ` where no list can be.", "Quote the text."),
)
