"""What can be changed in a function: the mutations of one source file, each applied to its tree and taken back.

Left alone: annotations, docstrings, texts for people (a string with a space in it), and what stands outside functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef
Put = tuple[Any, str, int | None]
"""Where a node hangs: its parent, the field, and the place in it when that is a list."""

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_DELETED = (ast.AugAssign, ast.Raise, ast.Delete)
_UNSEEN = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass(frozen=True)
class Mutation:
    """One change of one function; `lines` are those whose tests may notice it."""

    file: str
    function: str
    first: int
    line: int
    lines: range
    kind: str
    put: Put
    new: ast.AST
    shown: ast.AST
    own: bool
    """Whether `shown` is what is changed, and not what stands around it."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The tree with this mutation, for as long as the block runs."""
        old = _swap(self.put, self.new)
        try:
            yield
        finally:
            _swap(self.put, old)

    def text(self) -> str:
        """`before → after`, of the smallest piece that can be understood."""
        before = _head(self.shown)
        with self.applied():
            return f"{before} → {_head(self.new if self.own else self.shown)}"

    def code(self, tree: ast.Module) -> CodeType:
        """The outermost function's code object with this mutation."""
        with self.applied():
            return find_code(compile(tree, self.file, "exec"), self.function, self.first)


def mutations(file: str, tree: ast.Module) -> Iterator[Mutation]:
    """All mutations of the functions and methods of one file."""
    for function, name in _functions(tree, ""):
        first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
        body = range(function.body[0].lineno, (function.end_lineno or 0) + 1)
        for put, node, lines, shown in _walk(function, body):
            for kind, new in _changes(node, put):
                ast.fix_missing_locations(ast.copy_location(new, node))
                line, seen = getattr(node, "lineno", lines.start), shown or node
                yield Mutation(file, name, first, line, lines, kind, put, new, seen, seen is node)


def keep_closures(tree: ast.Module) -> None:
    """Has inner functions name all they close over even when a mutation takes that away: else the code does not fit.

    To be called when all mutations are listed, since what it adds, behind the end of each, is nothing to mutate.
    """
    closures = {(code.co_name, code.co_firstlineno): code.co_freevars for code in codes(compile(tree, "", "exec"))}
    for node in ast.walk(tree):
        if isinstance(node, Function):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            names: list[ast.stmt] = [ast.Expr(ast.Name(name, ast.Load())) for name in closures[node.name, first]]
            if names:
                never = ast.If(ast.Constant(False), names, [])
                node.body.append(ast.fix_missing_locations(ast.copy_location(never, node.body[-1])))


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and all inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from codes(const)


def find_code(code: CodeType, name: str, first: int) -> CodeType:
    """A function's code object inside its module's."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if const.co_qualname == name and const.co_firstlineno == first:
                return const
            if not const.co_flags & 0x2:  # a class body
                try:
                    return find_code(const, name, first)
                except LookupError:
                    continue
    raise LookupError(name)


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[Function, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            if not all(_is_text(each, node) for each in node.body):  # a protocol's methods have nothing to do
                yield node, prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _walk(parent: ast.AST, lines: range) -> Iterator[tuple[Put, ast.AST, range, ast.AST | None]]:
    """Every node below, with where it hangs, the lines of its statement, and what to show instead of it."""
    for field, held in ast.iter_fields(parent):
        if field in _UNSEEN:
            continue
        for at, node in enumerate(held if isinstance(held, list) else [held]):
            if not isinstance(node, ast.AST) or _is_text(node, parent):
                continue
            own = _own_lines(node) if isinstance(node, ast.stmt) else lines
            shown = parent if isinstance(node, ast.Constant | ast.keyword) else None
            yield (parent, field, at if isinstance(held, list) else None), node, own, shown
            if not isinstance(node, ast.Constant):
                yield from _walk(node, own)


def _own_lines(node: ast.stmt) -> range:
    """A statement's lines; of a compound one, those of its head."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    last = (node.end_lineno or node.lineno) if not body else getattr(body[0], "lineno", node.lineno + 1) - 1
    return range(node.lineno, max(node.lineno, last) + 1)


def _is_text(node: ast.AST, parent: ast.AST) -> bool:
    """Whether it is a docstring, or words for people, or what stands in their place."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(each, ast.Constant) and _is_text(each, node) for each in node.values)
    if isinstance(node, ast.Constant) and node.value == "" and isinstance(parent, ast.IfExp):
        return _is_text(parent.body, node) or _is_text(parent.orelse, node)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and any(map(str.isspace, node.value))


def _changes(node: ast.AST, put: Put) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(left, [op], [right]):
            for other in _COMPARE.get(type(op), ()):
                yield "comparison", ast.Compare(left, [other()], [right])
        case ast.BoolOp(ast.And(), values):
            yield "boolean", ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(ast.Or(), values):
            yield "boolean", ast.BoolOp(ast.And(), values)
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            yield "arithmetic", ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield "boolean" if isinstance(node.op, ast.Not) else "arithmetic", operand
        case ast.Constant(value) if not isinstance(put[0], ast.JoinedStr | ast.FormattedValue | ast.MatchValue):
            yield from _constants(value, "default" if isinstance(put[0], ast.arguments) else "constant")
        case ast.Return(value) if value and not (
            isinstance(value, ast.Constant) and value.value in (None, True, False)
        ):
            yield "return", ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield "deletion", ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()], _):
            yield "deletion", ast.Pass()
        case ast.Continue():
            yield "deletion", ast.Break()
        case ast.Break():
            yield "deletion", ast.Pass()
        case ast.keyword(str(), _) if isinstance(put[0], ast.Call):
            yield "argument", ast.keyword(None, ast.Dict([], []))
        case _ if isinstance(node, _DELETED):
            yield "deletion", ast.Pass()
    if _is_condition(put) and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield "condition", ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]


def _constants(value: object, kind: str) -> Iterator[tuple[str, ast.AST]]:
    match value:
        case bool():
            yield kind, ast.Constant(not value)
        case int() | float():
            yield kind, ast.Constant(value + 1)
        case str():
            yield kind, ast.Constant(f"XX{value}")


def _is_condition(put: Put) -> bool:
    parent, field, _ = put
    return field == "test" or field == "ifs" or (field == "guard" and parent is not None)


def _swap(put: Put, new: ast.AST) -> ast.AST:
    parent, field, at = put
    if at is None:
        old: ast.AST = getattr(parent, field)
        setattr(parent, field, new)
    else:
        held = getattr(parent, field)
        old, held[at] = held[at], new
    return old


def _head(node: ast.AST) -> str:
    text = ast.unparse(node).replace("**{}", "…").replace("\n    ", " ").partition("\n")[0]
    return text if len(text) <= 90 else text[:87] + "…"
