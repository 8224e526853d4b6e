"""The bytes of a file -> its canonical bytes, proven to say the same; or why they are left as they are."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from qase_iac.config.edit.source import Source
from qase_iac.config.format import roles
from qase_iac.config.format.model import Document
from qase_iac.config.format.printer import Printer
from qase_iac.config.format.proof import prove
from qase_iac.config.format.refused import Refused
from qase_iac.config.format.tree import document
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import Diagnostic, SourceRange, has_errors
from qase_iac.values import printable


@dataclass(frozen=True)
class Formatted:
    """`after` is the canonical file, None when it is not to be written: `problems` say why.

    Of those with the code `not-formatted` the file is sound, but it could not be shown that it would say the same.
    """

    after: bytes | None
    problems: tuple[Diagnostic, ...] = ()


def canonical(data: bytes, name: str) -> Formatted:
    """The canonical layout of a file; `name` is its path below the project folder, which says what the keys mean.

    Line breaks are those of most lines (LF or CRLF); a byte order mark is taken off. Whatever the bytes: no exception.
    """
    read = read_yaml(data, name)
    if has_errors(read.diagnostics):
        return Formatted(None, tuple(each for each in read.diagnostics if each.is_error))
    source = Source(read.text)
    try:
        after = _laid_out(source, name)
    except Refused as error:
        return Formatted(None, (_refusal(source, name, error),))
    except RecursionError:
        return Formatted(None, (_refusal(source, name, Refused(-1, "it is nested too deep")),))
    return Formatted(after)


def _laid_out(source: Source, name: str) -> bytes:
    found = document(source)
    printer = Printer(found)
    lines = printer.run(roles.role_of_file(name))
    text = "\n".join([*lines, ""]) if lines else ""
    newline = "\r\n" if source.newline == "\r\n" else "\n"
    after = text.replace("\n", newline)
    if after != source.text:
        prove(found, _read_again(after), name, printer.moved)
    return after.encode()


def _read_again(text: str) -> Document:
    try:
        return document(Source(text))
    except (yaml.YAMLError, KeyError):
        raise Refused(-1, "it could not be read any more") from None


def _refusal(source: Source, name: str, error: Refused) -> Diagnostic:
    line, column = (source.line(error.at) + 1, source.column(error.at) + 1) if error.at >= 0 else (0, 0)
    return Diagnostic(
        "not-formatted",
        f"The file is left as it is: {error.why}.",
        "Only what is sure to keep every value and every comment is written. Lay this place out by hand.",
        SourceRange(printable(name), line, column),
    )
