"""From bytes to YAML nodes, strictly: whatever the bytes, the answer is nodes and diagnostics, never an exception."""

from __future__ import annotations

import yaml

from qase_iac.config.yaml_composer import Refused, check_properties, composed, refuse
from qase_iac.config.yaml_cuts import cut_slips, hashes, is_cut
from qase_iac.config.yaml_document import MAX_PROBLEMS, Document, decoded
from qase_iac.config.yaml_slips import replaced
from qase_iac.config.yaml_syntax import syntax_slip
from qase_iac.diagnostics import Diagnostic
from qase_iac.values import printable

MAX_REPAIRS = 50
MAX_REPARSED = 24 * 1024 * 1024


def _broken_at(data: bytes) -> tuple[int, int] | None:
    """Line and column (from 0) of the first syntax error, None when there is none."""
    try:
        composed(data)
    except Refused:
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        return (mark.line, mark.column) if mark else (0, 0)
    return None


def compose(data: bytes, name: str) -> tuple[yaml.Node | None, list[Diagnostic]]:
    """The one document of a file as nodes, and every problem that reading alone can show."""
    document = read_yaml(data, name)
    return document.root, document.diagnostics


def read_yaml(data: bytes, name: str) -> Document:
    """Like `compose`, with the text that the marks of the nodes count in."""
    document = Document(printable(name))
    text = decoded(data, document)
    if text is None:
        return document
    document.text = text
    try:
        document.root = composed(text.encode())
    except Refused as error:
        refuse(document, str(error.problem), error.problem_mark)
    except yaml.YAMLError:
        _mend(document)
    else:
        ends = hashes(text)
        if document.root is not None and ends and is_cut(document.root, ends):
            _mend(document)
    check_properties(document)
    document.diagnostics.sort(key=Diagnostic.sort_key)
    return document


def _mend(document: Document) -> None:
    """Reports what is wrong, corrects what has one sure correction, and reads on: so later problems show as well.

    Corrections keep the number of lines, so that places of what is found later are those of the file.
    """
    document.root = None
    budget = MAX_REPARSED
    corrected: set[tuple[int, int]] = set()
    for turn in range(MAX_REPAIRS):
        _mend_cuts(document)
        data = document.text.encode()
        budget -= 4 * len(data)
        if turn and budget < 0:
            return
        fixed = _attempt(data, document, corrected, verify=budget >= 0)
        if fixed is None:
            return
        document.text = fixed


def _mend_cuts(document: Document) -> None:
    """Texts that are cut by a comment, as far as the file can be read at all."""
    ends = hashes(document.text)
    cuts = cut_slips(document.text, ends, MAX_PROBLEMS) if ends else []
    for slip in cuts:
        document.add_slip(slip)
    document.text = replaced(document.text, ((slip.first, slip.last, slip.fixed) for slip in cuts))


def _attempt(data: bytes, document: Document, corrected: set[tuple[int, int]], verify: bool) -> str | None:
    """Composes once. After a syntax error: reports it, and gives the corrected text if there is one.

    `corrected` are the places of earlier corrections: one that did not help is not made again on top of itself.
    """
    try:
        document.root = composed(data)
        return None
    except Refused as error:
        refuse(document, str(error.problem), error.problem_mark)
        return None
    except yaml.YAMLError as error:
        broken = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError(problem=str(error))
    mark = broken.problem_mark or broken.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)

    def progress(fixed: str, strict: bool) -> bool:
        after = _broken_at(fixed.encode())
        return after is None or after[0] > line or (not strict and after[0] == line and after[1] > column + 2)

    found = syntax_slip(document.text, broken, progress if verify else None, corrected)
    corrected.add((found.line, found.column))
    document.add_slip(found)
    return found.fixed_text
