"""Fingerprint of a case: a hash of its op's code and of what that uses in its file, equal for the same code.

It changes with the function that builds the call, with the helpers, constants and classes of the file that this
uses, directly or through others, with statements that set something up for the whole file, and with what stands
for the case's own values on its axes. It does not with comments, docstrings, annotations, the order of functions,
other ops, other values of an axis, references, checks and work models. What is imported is known by its name. Where a
value can't be told from its code, as an object that a closure holds, the whole file counts.

After asv, which hashes the code of a benchmark and its setup, and lets `version` take the hash's place.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import functools
import hashlib
import re
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bench.plan import statements
from bench.plan.label import label
from bench.plan.statements import Statements, names_in
from bench.plan.suite import Op, Suite

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.plan.discover import LoadedSuite
    from bench.plan.plan import Plan, PlannedCase
    from bench.plan.statements import Function, Statement
    from bench.plan.suite import Axis

_DIGITS = 16
"""64 bits: of a million different codes, two are alike with a chance of 3 in 10⁸."""
_PLAIN = (bool, int, float, complex, str, bytes, range, slice, type(None), type(...))

_CONTENTS: Mapping[type, Callable[[Any], Iterable[object]]] = types.MappingProxyType(
    {
        dict: lambda value: (part for pair in value.items() for part in pair),
        types.MappingProxyType: lambda value: (part for pair in value.items() for part in pair),
        tuple: tuple,
        list: tuple,
        functools.partial: lambda value: (value.func, value.args, value.keywords),
        types.MethodType: lambda value: (value.__self__, value.__func__),
        types.ModuleType: lambda value: (value.__name__,),
        enum.Enum: lambda value: (value.name,),
        Op: lambda value: (value.build,),
    }
)
"""Kind of object → the parts that tell it."""


def identified(plan: Plan, loaded: Sequence[LoadedSuite]) -> Plan:
    """The plan with the fingerprint of each case; none where the file of its suite was not kept."""
    codes = {str(one.path): (_Code(one), one.hash) for one in loaded if one.source}

    def known(case: PlannedCase) -> PlannedCase:
        if case.suite_path not in codes:
            return case
        code, file_hash = codes[case.suite_path]
        found = code.fingerprint(case.op, case.labels)
        return dataclasses.replace(case, fingerprint=found, suite_hash=file_hash)

    return dataclasses.replace(
        plan,
        cases=tuple(known(case) for case in plan.cases),
        skips=tuple(dataclasses.replace(skip, case=known(skip.case)) for skip in plan.skips),
    )


def is_changed(loaded: LoadedSuite, case: PlannedCase) -> bool:
    """Whether the code of a planned case is another in this suite, which was loaded later."""
    if case.suite_hash in {None, loaded.hash}:
        return False
    op = loaded.suite.ops.get(case.op)
    if op is None or op.axes.keys() != case.labels.keys():
        return True
    return _Code(loaded).fingerprint(case.op, case.labels) != case.fingerprint


class _Code:
    """The code of one suite, each part of it hashed once."""

    def __init__(self, loaded: LoadedSuite) -> None:
        self._suite = loaded.suite
        self._file = _File(loaded)
        self._parts: dict[tuple[int, str], str] = {}

    def fingerprint(self, op_name: str, labels: Mapping[str, str]) -> str:
        """The fingerprint of a case of this op."""
        op = self._suite.ops[op_name]
        if op.version is not None:
            return f"version {op.version}"
        values = [f"{name}:{self._value(op.axes[name], text)}" for name, text in labels.items()]
        return _hashed([self._op(op), *(one for one in values if not one.endswith(":"))])

    def _op(self, op: Op) -> str:
        key = id(op), ""
        if key not in self._parts:
            walk = _Walk(self._file)
            told = walk.told(op.build)
            walk.setup()
            self._parts[key] = _hashed([told, *sorted(walk.found)])
        return self._parts[key]

    def _value(self, axis: Axis, text: str) -> str:
        """What a label of an axis stands for; nothing where the label says it."""
        key = id(axis), text
        if key not in self._parts:
            value, walk = axis.value(text), _Walk(self._file)
            told = "" if _is_data(value) and label(value) == text else walk.told(value)
            self._parts[key] = _hashed([told, *sorted(walk.found)]) if told else ""
        return self._parts[key]


class _File:
    """The file of a suite: its statements, and the values of its names once it was loaded."""

    def __init__(self, loaded: LoadedSuite) -> None:
        self.path = str(loaded.path)
        self._ops = loaded.suite.ops.values()
        self.values = loaded.values
        self.module = self.values.get("__name__")
        self.statements = Statements(loaded.source, self._declares)

    def _declares(self, decorator: ast.expr) -> bool:
        """Whether it is one of a suite or of an op, such as `@suite.op(…)` and `@op.work`, or made by one."""
        value = self.values.get(statements.root(decorator))
        return isinstance(value, Suite | Op) or getattr(value, "__module__", "") == Suite.__module__

    @functools.cached_property
    def setup(self) -> tuple[Statement, ...]:
        """The statements that may change anything, such as `torch.manual_seed(0)`, but those that only declare ops."""
        return tuple(s for s in self.statements.all if s.acts and not self._uses_ops(s))

    @functools.cached_property
    def whole(self) -> str:
        """All that is in the file but what only declares ops, in any order."""
        return _hashed(
            sorted(
                s.text
                for s in self.statements.all
                if not self._uses_ops(s) and not (s.binds and s.binds <= self._aside)
            )
        )

    @functools.cached_property
    def _aside(self) -> set[str]:
        """The names of references, checks and work models."""
        fields = ("work_of", "reference_of", "check_of")
        aside = [getattr(op, field, None) for op in self._ops for field in fields]
        return {n for n, v in self.values.items() if callable(v) and any(v is one for one in aside)}

    def _uses_ops(self, one: Statement) -> bool:
        """Whether a statement uses a suite or an op, itself or through what it uses."""
        seen: set[str] = set()
        waiting = list(one.uses)
        while waiting:
            name = waiting.pop()
            if isinstance(self.values.get(name), Suite | Op):
                return True
            if name not in seen:
                seen.add(name)
                waiting += [n for of in self.statements.binders.get(name, ()) for n in of.uses]
        return False


class _Walk:
    """All that a value depends on in its file, found by following names."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._names: set[str] = set()
        self._open: list[object] = []
        self.found: set[str] = set()
        """What was met, as texts; where it stands in the file does not matter."""

    def setup(self) -> None:
        """Follow what the file does for all of its ops."""
        self._use(self._file.setup, "")

    def told(self, value: object) -> str:
        """A value in words that are equal for equal code; what they name in the file is followed."""
        if isinstance(value, _PLAIN):
            return f"{type(value).__name__}:{value!a}"
        if any(value is one for one in self._open):
            return "itself"
        self._open.append(value)
        try:
            return f"{type(value).__name__}({self._parts(value)})"
        finally:
            self._open.pop()

    def _parts(self, value: Any) -> str:
        if isinstance(value, set | frozenset):
            return ",".join(sorted(self.told(one) for one in value))
        for kind, contents in _CONTENTS.items():
            if isinstance(value, kind):
                return self._all(contents(value))
        return self._function(value) if callable(value) else self._object(value)

    def _all(self, values: Iterable[object]) -> str:
        return ",".join(self.told(one) for one in values)

    def _function(self, value: Any) -> str:
        """A function or class: of the file by its code, of elsewhere by its name, and by what it wraps."""
        if isinstance(value, types.FunctionType) and value.__code__.co_filename == self._file.path:
            return self._own(value, self._file.statements.functions(value.__code__))
        if isinstance(value, type) and value.__module__ == self._file.module:
            self._name(value.__qualname__.partition(".")[0])
            return value.__qualname__
        if hasattr(value, "__wrapped__"):
            return f"{_package(type(value))} of {self.told(value.__wrapped__)}"
        name = getattr(value, "__name__", None)
        return f"{_package(value)}.{name}" if isinstance(name, str) else self._object(value)

    def _own(self, function: types.FunctionType, nodes: Sequence[Function]) -> str:
        """A function of the file: by its statement, or one inside another by its own code and what it encloses."""
        if not nodes:  # its code was made by other means
            return self._unknown()
        whole = self._file.statements.of_function(nodes[0])
        if whole:
            self._use([whole], "")
            return ""
        for name in sorted(names_in(function.__code__)):
            self._name(name)
        kept = function.__closure__ or ()
        cells = [cell.cell_contents for cell in kept if _filled(cell)]
        defaults = function.__defaults__ or (), function.__kwdefaults__ or {}
        return "|".join([*(statements.text(one) for one in nodes), self._all((*cells, *defaults))])

    def _object(self, value: Any) -> str:
        """An object of data: an array by its kind, a name by itself, one of the file's own by what it holds."""
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            return f"{value.dtype} {tuple(value.shape)}"
        made = _reduced(value)
        if isinstance(made, str):
            return made
        of = type(value)
        if of.__module__ == self._file.module and of.__mro__[1:] == (object,):
            self._name(of.__qualname__.partition(".")[0])
            return self._all((of.__qualname__, made))
        plain = made and not any(made[2:]) and all(isinstance(one, _PLAIN) for one in made[1])
        return self._all(made[1]) if made and plain else self._shown(value)

    def _shown(self, value: Any) -> str:
        """An object of a library, such as a layer: as it shows itself, with the file's own classes in it and their data."""
        shown, held = _representation(value, self._file.module)
        if shown is None or "0x" in shown:  # an address says nothing
            return self._unknown()
        for word in sorted(set(re.findall(r"\w+", shown)) & self._file.statements.binders.keys()):
            self._name(word)
        return f"{shown} {held}"

    def _unknown(self) -> str:
        """What can't be told: then all of the file counts."""
        self.found.add(self._file.whole)
        return "?"

    def _name(self, name: str) -> None:
        """Follow a name of the file; what is built in and what is imported say enough in the code that uses them."""
        if name in self._names:
            return
        self._names.add(name)
        value = self._file.values.get(name)
        if isinstance(value, Suite):  # its axes and name are in the case's id
            return
        if isinstance(value, Op):
            self.found.add(f"{name}: {self.told(value)}")
        elif binders := self._file.statements.binders.get(name):
            self._use(binders, name)
        elif (
            name in self._file.values and not name.startswith("__") and not hasattr(builtins, name)
        ):
            self.found.add(f"{name}: {self.told(value)}")  # by `import *`, say

    def _use(self, several: Sequence[Statement], name: str) -> None:
        """Note statements in their order, and follow the names that they use."""
        self.found.add(f"{name}: {[self._file.statements.text(one) for one in several]}")
        for used in sorted({used for one in several for used in one.uses}):
            self._name(used)


def _is_data(value: object) -> bool:
    """Whether it is a number or a text, or several."""
    if isinstance(value, tuple | list):
        return all(_is_data(one) for one in value)
    return isinstance(value, _PLAIN)


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _reduced(value: object) -> Any:
    """How `pickle` would take an object to pieces; None where it can't."""
    with suppress(Exception):  # an object may do anything here
        return value.__reduce_ex__(2)


def _representation(value: Any, module: str | None) -> tuple[str | None, list[tuple[str, object]]]:
    """How an object shows itself, and the numbers and texts of it, or of its layers, that are of a module's own classes."""
    with suppress(Exception):  # an object may do anything here
        parts = value.modules() if hasattr(value, "modules") else [value]
        own = [vars(one) for one in parts if type(one).__module__ == module]
        held = [
            (k, v) for one in own for k, v in sorted(one.items()) if k[0] != "_" and _is_data(v)
        ]
        return repr(value), held
    return None, []


def _package(value: Any) -> str:
    """The package that a function of elsewhere is from; which of its modules, versions differ in."""
    owner = getattr(value, "__objclass__", None) or getattr(value, "__self__", None)
    module = getattr(value, "__module__", None) or getattr(owner, "__module__", None) or ""
    return str(module).partition(".")[0]


def _hashed(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]
