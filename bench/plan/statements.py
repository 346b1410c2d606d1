"""Statements of a suite file: the canonical text of each at module level, what it binds, and what it uses.

The text is that of the syntax tree without comments, positions, docstrings and annotations that nothing reads, in a
form that is the same under all versions of Python. An `if` is taken apart, each statement with its condition, so
that one statement does not depend on its neighbours; so is an import of several names.
"""

from __future__ import annotations

import ast
import dis
import warnings
from collections import defaultdict
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_PASSED_OVER = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})
"""Fields that say nothing of what is executed."""
_LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
"""Instructions that look a name up at module level, or in a class and then there."""
_WITHOUT_EFFECT = frozenset({"print", "sys", "warnings", "logging"})
"""Names of what a file may call without moving a number."""


class Statement:
    """A statement at module level, under its conditions; its text and the names that it uses are found when asked for."""

    def __init__(self, place: int, whole: ast.stmt, binds: frozenset[str], *, acts: bool) -> None:
        self.place = place
        """How many come before it in the file."""
        self.binds = binds
        self.acts = acts
        """Whether it may change more than the names that it binds, as `torch.manual_seed(0)` does."""
        self.imports = isinstance(whole, _IMPORTS)
        self._whole = whole

    @cached_property
    def text(self) -> str:
        """Its canonical text."""
        return text(self._whole)

    @cached_property
    def uses_now(self) -> frozenset[str]:
        """The names of module level that it uses when it is executed."""
        return _loaded(self._code)

    @cached_property
    def uses(self) -> frozenset[str]:
        """These, and those that the functions and classes use which it defines."""
        return names_in(self._code)

    @cached_property
    def _code(self) -> CodeType:
        with warnings.catch_warnings(action="ignore"):  # they were given when the file was loaded
            return compile(ast.Module([self._whole], []), "<statement>", "exec", dont_inherit=True)


class Statements:
    """The statements of a file.

    Args:
        source: the file's text.
        declares: whether a decorator only tells about an op, as `@suite.op` and `@op.work` do; it does not count.

    Raises:
        SyntaxError: it is not Python.
    """

    def __init__(self, source: str | bytes, declares: Callable[[ast.expr], bool]) -> None:
        bare = _Bare(declares)
        tree = bare.visit(ast.parse(source))
        self._functions = bare.functions
        self._by_function: dict[Function, Statement] = {}
        found = list(_taken_apart(tree.body))
        imported = {
            name for node, _ in found if isinstance(node, _IMPORTS) for name in _names(node)
        }
        self._any_global = "global" in str(source)
        own = {name for node, _ in found for name in self._bound(node)} - imported
        self.all = tuple(self._statement(n, *one, own) for n, one in enumerate(found))
        self.binders = self._binders()
        """Name → the statements that bind or change it, in their order; equal imports of it once."""

    def functions(self, code: CodeType) -> list[Function]:
        """The definitions that code may come from: one, or several where lambdas share a line and nothing tells which."""
        found = [
            n for n in self._functions.get(code.co_firstlineno, ()) if _name(n) == code.co_name
        ]
        if len(found) > 1:
            around = [one for one in found if _holds(one, code)]
            return sorted(around, key=_length)[:1] or found
        return found

    def of_function(self, function: Function) -> Statement | None:
        """The statement that is the definition of this function; None for one inside another."""
        return self._by_function.get(function)

    def text(self, one: Statement) -> str:
        """Its text, and for each name that is bound several times how many of them it comes after."""
        several = sorted(n for n in one.uses_now if len(self.binders.get(n, ())) > 1)
        seen = [f"{n}#{sum(b.place < one.place for b in self.binders[n])}" for n in several]
        return " ".join([one.text, *seen])

    def _statement(self, place: int, node: ast.stmt, whole: ast.stmt, own: set[str]) -> Statement:
        changed = set(_changed(node)) - _WITHOUT_EFFECT
        binds = frozenset(self._bound(node)) | (changed & own)
        made = Statement(place, whole, binds, acts=not changed <= own)
        if isinstance(node, Function):
            self._by_function[node] = made
        return made

    def _bound(self, node: ast.stmt) -> Iterator[str]:
        """The names that it binds at module level; few files need a look into every function for that."""
        if isinstance(node, _DEFINITIONS) and not self._any_global:
            return iter([node.name])
        return _bound(node)

    def _binders(self) -> dict[str, tuple[Statement, ...]]:
        found: dict[str, list[Statement]] = defaultdict(list)
        for one in self.all:
            for name in one.binds:
                found[name].append(one)
        return {name: tuple(_once(of)) for name, of in found.items()}


def _once(binders: Sequence[Statement]) -> Iterator[Statement]:
    """Each of them, but an import only once: `import torch` and `import torch.nn` both bind `torch` to the same."""
    seen: set[str] = set()
    for one in binders:
        if not (one.imports and one.text in seen):
            yield one
        seen.add(one.text if one.imports else "")


def text(node: object) -> str:
    """The canonical text of a syntax tree: fields by name, without the empty ones, which versions of Python differ in."""
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr[{','.join(_joined(node.values))}]"
    if isinstance(node, ast.AST):
        fields = (
            (name, value) for name, value in ast.iter_fields(node) if name not in _PASSED_OVER
        )
        inside = ",".join(f"{name}={text(value)}" for name, value in fields if not _is_empty(value))
        return f"{type(node).__name__}({inside})"
    if isinstance(node, list):
        return f"[{','.join(text(one) for one in node if not _is_idle(one))}]"
    return ascii(node)


def _joined(parts: Sequence[ast.expr]) -> Iterator[str]:
    """The parts of an f-string; versions of Python differ in where they part its texts."""
    plain = ""
    for part in parts:
        if isinstance(part, ast.Constant):
            plain += str(part.value)
            continue
        yield from [ascii(plain)] if plain else []
        yield text(part)
        plain = ""
    yield from [ascii(plain)] if plain else []


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, ast.JoinedStr) and not value.values)


def names_in(code: CodeType) -> frozenset[str]:
    """The names of module level that code uses, in the functions and classes inside it too."""
    found = _loaded(code)
    for one in code.co_consts:
        if isinstance(one, CodeType):
            found |= names_in(one) - _stored(one)  # what a class binds is its own
    return found


class _Bare(ast.NodeTransformer):
    """Takes away what is not executed, or only tells about an op."""

    def __init__(self, declares: Callable[[ast.expr], bool]) -> None:
        self._declares = declares
        self.functions: dict[int, list[Function]] = defaultdict(list)
        """Line that its code begins with → the functions."""

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Nothing to take away."""
        self.functions[node.lineno].append(node)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Annotations stay where a decorator can read them: `triton.jit` and `custom_op` do."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """As for other functions."""
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Annotations of a class are its fields."""
        body = [one if isinstance(one, ast.AnnAssign) else self.visit(one) for one in node.body]
        node.body = _filled(body)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """`x: int = 3` is `x = 3`."""
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        first = min((one.lineno for one in node.decorator_list), default=node.lineno)
        self.functions[first].append(node)
        self.generic_visit(node)
        node.decorator_list = [one for one in node.decorator_list if not self._declares(one)]
        node.body = _filled(node.body)
        if not node.decorator_list:
            node.returns = None
            of = node.args
            for one in (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg):
                if one:
                    one.annotation = None
        return node


def _filled(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without docstrings, which must not be empty."""
    return [one for one in body if not _is_idle(one)] or [ast.copy_location(ast.Pass(), body[0])]


def _is_idle(node: object) -> bool:
    """Whether it is a statement that does nothing: a docstring, `...`, `pass`."""
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _taken_apart(
    body: Sequence[ast.stmt], conditions: tuple[ast.expr, ...] = ()
) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """Each statement, alone and under its conditions."""
    for node in body:
        if isinstance(node, ast.If):
            if not _is_main(node.test):
                yield from _taken_apart(node.body, (*conditions, node.test))
                otherwise = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node)
                yield from _taken_apart(node.orelse, (*conditions, otherwise))
            continue
        for one in _imports(node):
            whole = one
            for test in reversed(conditions):
                whole = ast.fix_missing_locations(
                    ast.copy_location(ast.If(test, [whole], []), node)
                )
            if not _is_idle(one):
                yield one, whole


def _is_main(test: ast.expr) -> bool:
    """Whether it asks if the file was started as a program, which a suite never is."""
    return any(isinstance(one, ast.Name) and one.id == "__name__" for one in ast.walk(test))


def _imports(node: ast.stmt) -> list[ast.stmt]:
    """An import of several names as one of each; `import a.b` binds `a`, whatever else it loads."""
    made: list[ast.stmt]
    if isinstance(node, ast.Import):
        made = [ast.Import([one if one.asname else _alias(one)]) for one in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
        made = [ast.ImportFrom(node.module, [one], node.level) for one in node.names]
    else:
        return [] if isinstance(node, ast.ImportFrom) else [node]
    return [ast.fix_missing_locations(ast.copy_location(one, node)) for one in made]


def _alias(one: ast.alias) -> ast.alias:
    return ast.copy_location(ast.alias(one.name.partition(".")[0]), one)


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [one.asname or one.name for one in node.names]


def _bound(node: ast.AST, where: str = "module") -> Iterator[str]:
    """The names that a statement binds at module level, those that a function declares global among them."""
    if isinstance(node, ast.Global):
        yield from node.names
    elif where == "module":
        yield from _bound_by(node)
    elif where == "comprehension" and isinstance(node, ast.NamedExpr):
        yield node.target.id
    if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
        where = "function"
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        where = "comprehension" if where == "module" else where
    for one in ast.iter_child_nodes(node):
        yield from _bound(one, where)


def _bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a part of a statement binds by itself."""
    if isinstance(node, _IMPORTS):
        yield from (name for name in _names(node) if name != "*")
    elif isinstance(node, ast.Name):
        yield from [] if isinstance(node.ctx, ast.Load) else [node.id]
    elif isinstance(node, (*_DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        yield from [node.name] if node.name else []
    elif isinstance(node, ast.MatchMapping):
        yield from [node.rest] if node.rest else []


def _loaded(code: CodeType) -> frozenset[str]:
    return frozenset(i.argval for i in dis.get_instructions(code) if i.opname in _LOADS)


def _stored(code: CodeType) -> frozenset[str]:
    return frozenset(i.argval for i in dis.get_instructions(code) if i.opname == "STORE_NAME")


def _changed(node: ast.stmt) -> Iterator[str]:
    """The names at the root of what a statement changes without binding them; what it calls, for a call that stands alone."""
    if isinstance(node, _DEFINITIONS):
        return
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (*_DEFINITIONS, ast.Lambda)):
            continue
        waiting += ast.iter_child_nodes(one)
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            function = one.value.func
            direct = isinstance(function, ast.Name) and function.id not in _WITHOUT_EFFECT
            yield "" if direct else root(function)  # what a function does is not its name's change
        elif isinstance(one, ast.Assign) and _is_dropped(one):
            yield ""
        elif isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Load):
            yield root(one)


def _is_dropped(node: ast.Assign) -> bool:
    """Whether it is `_ = …`, a call whose result nobody wants."""
    return [one.id for one in node.targets if isinstance(one, ast.Name)] == ["_"]


def root(node: ast.expr) -> str:
    """`a` of `a.b[c](d).e`; empty where there is no name at its beginning."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _holds(node: Function, code: CodeType) -> bool:
    """Whether all of the code lies within the definition."""
    first, last = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    known = [(a, c, b, d) for a, b, c, d in code.co_positions() if a and b and c is not None and d]
    return bool(known) and all(first <= (a, c) and (b, d) <= last for a, c, b, d in known)


def _length(node: Function) -> tuple[int, int]:
    """How far it reaches, to find the innermost of several that begin in one line."""
    return (node.end_lineno or 0) - node.lineno, (node.end_col_offset or 0) - node.col_offset


def _name(node: Function) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name
