"""Discovery and loading of suites: shipped ones by name, a user's file by its path.

`bench` never imports a suite; a suite's module is not importable by name and leaves `sys.path` alone. What it may
import is in `suite_imports.py`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import SuiteError, hint, shown
from bench.plan.label import UNSAFE
from bench.plan.suite import Suite
from bench.plan.suite_imports import imports_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.case_id import CaseName

_PACKAGE = Path(__file__).resolve().parents[1]
_LONGEST_ERROR = 500
_IMPORTABLE = (
    "; a suite can import what is installed, what lies beside its file and what is in the current folder: "
    "install the rest (pip install -e .) or name its folder in PYTHONPATH"
)
_NOT_SUITES = ("test_", "conftest", "_")
_OPTIONAL = "optional"
"""The folder of shipped suites that are measured only where they are named."""


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite and the file that declares it (workers load the same file)."""

    suite: Suite
    path: Path
    source: bytes = b""
    """The text that was executed."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """The values of the file's names."""

    @property
    def hash(self) -> str:
        """SHA-256 of the file as it was executed."""
        return _sha256(self.source)


@cache
def _sha256(source: bytes) -> str:
    """Hashed once: a worker compares it whenever it builds a call."""
    return hashlib.sha256(source).hexdigest()


def shipped_folder() -> Path:
    """The folder of shipped suites: inside the installed package, beside it in a checkout."""
    inside = _PACKAGE / "shipped_suites"
    return inside if inside.is_dir() else _PACKAGE.parent / "suites"


def shipped_suites() -> dict[str, tuple[Path, ...]]:
    """Name → files of every shipped suite, in alphabetical order: one, or all in a folder of its name."""
    found: dict[str, tuple[Path, ...]] = {}
    for place in sorted(shipped_folder().iterdir()):
        files = _files(place)
        if files and place.name != _OPTIONAL:
            found[place.stem] = files
    return found


def optional_suites() -> dict[str, tuple[Path, ...]]:
    """Name → file of the suites that are shipped and measured only where they are named."""
    return {file.stem: (file,) for file in _files(shipped_folder() / _OPTIONAL)}


def _files(place: Path) -> tuple[Path, ...]:
    """The suite files that a file or folder is; of a folder first that of its own name."""
    inside = sorted(place.glob("*.py"), key=lambda f: (f.stem != place.name, f.name))
    files = inside if place.is_dir() else [place]
    return tuple(f for f in files if f.suffix == ".py" and not f.name.startswith(_NOT_SUITES))


def find(name_or_path: str) -> tuple[Path, ...]:
    """The files that a word on the command line stands for.

    Raises:
        SuiteError: there is no such suite or file.
    """
    shipped = shipped_suites() | optional_suites()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if os.path.isfile(path):  # noqa: PTH113 - `Path` raises at a long name
        return (path.resolve(),)
    if os.path.isdir(path):  # noqa: PTH112
        message = f"{name_or_path} is a folder; name its suite files, such as {path / '*.py'}"
        raise SuiteError(message)
    if path.suffix == ".py" or len(path.parts) > 1:
        message = f"there is no file {name_or_path[:_LONGEST_ERROR]}"
        raise SuiteError(message)
    message = f"there is no suite {shown(name_or_path)}; {hint(name_or_path, shipped)}"
    raise SuiteError(message)


def load(path: Path) -> LoadedSuite:
    """Execute a suite file and return the one `Suite` it declares.

    Raises:
        SuiteError: it is not Python, fails when it is executed, or declares no suite or several.
    """
    name = f"bench_suite_{path.stem}_{hashlib.blake2s(bytes(path)).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        message = f"{path} is not a Python file; a suite is a .py file that declares a Suite"
        raise SuiteError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a function's module up here
    try:
        # not by `exec_module`, which may take a cache for a file that was just changed
        source = path.read_bytes()
        code = compile(source, path, "exec", dont_inherit=True)
        with imports_of(path):
            exec(code, vars(module))  # noqa: S102 - it is what a suite is for
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a suite must not end the program
        del sys.modules[name]
        message = f"{path} can't be loaded{_line_in(path, error)}: {_what(error)}"
        raise SuiteError(message) from error
    found = {id(v): v for v in vars(module).values() if isinstance(v, Suite)}
    if len(found) != 1:
        message = (
            f"{path} declares {'no suite' if not found else f'{len(found)} suites'}; "
            'write exactly one: suite = Suite("name", axes=[…])'
        )
        raise SuiteError(message)
    (suite,) = found.values()
    if not suite.ops:
        message = f"{path}: suite {suite.name!r} has no op; add a function under @suite.op"
        raise SuiteError(message)
    return LoadedSuite(suite, path, source, vars(module))


def _what(error: BaseException) -> str:
    """The error in one line, and what to do about an import that fails."""
    kind = type(error).__name__
    try:
        said = f"{kind}: {error}".partition("\n")[0]
    except BaseException:  # noqa: BLE001 - its text may raise anything too
        return kind
    said = UNSAFE.sub(lambda found: repr(found[0])[1:-1], said)
    said = said if len(said) <= _LONGEST_ERROR else f"{said[:_LONGEST_ERROR]}…"
    return said + (_IMPORTABLE if isinstance(error, ImportError) else "")


def _shipped(name: CaseName) -> tuple[Path, ...]:
    """The files of the shipped suite that an op or a case is of.

    Raises:
        SuiteError: there is none.
    """
    shipped = shipped_suites() | optional_suites()
    if name.suite not in shipped:
        how = f"of a suite of your own name the file too: FILE.py {name.op_id}"
        near = hint(name.suite, shipped, how)
        message = f"there is no file {name.op_id} and no suite {name.suite!r}; {near}"
        raise SuiteError(message if near == how else f"{message} Else, {how}")
    return shipped[name.suite]


def _line_in(path: Path, error: BaseException) -> str:
    """` (line 12)`, if the error passed through the file."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""


def load_all(words: Sequence[str], of_names: Sequence[CaseName] = ()) -> tuple[LoadedSuite, ...]:
    """The suites named on the command line, in that order; all shipped ones if none is named.

    Args:
        words: suites by name or file.
        of_names: ops and cases, whose suites are wanted too: they are in one of the files, or shipped.

    Raises:
        SuiteError: one can't be found or read, or two have the same name.
    """
    paths = [path for word in words for path in find(word)]
    if not words and not of_names:
        paths = [path for files in shipped_suites().values() for path in files]
    loaded = tuple(map(load, dict.fromkeys(paths)))
    lacking = {name.suite: name for name in of_names}
    for one in loaded:
        lacking.pop(one.suite.name, None)
    loaded += tuple(load(path) for name in lacking.values() for path in _shipped(name))
    _check_names(loaded)
    return loaded


def _check_names(loaded: Sequence[LoadedSuite]) -> None:
    """See that each suite is of one file, or of one shipped folder.

    Raises:
        SuiteError: two files elsewhere declare a suite of the same name, or two of a folder the same op.
    """
    by_name: dict[str, LoadedSuite] = {}
    ops: dict[str, LoadedSuite] = {}
    for one in loaded:
        name = one.suite.name
        other = by_name.setdefault(name, one)
        is_folder = one.path.parent == shipped_folder() / name == other.path.parent
        if other is not one and not is_folder:
            message = f"{other.path} and {one.path} both declare a suite {name!r}; rename one"
            raise SuiteError(message)
        for op in one.suite.ops:
            other = ops.setdefault(f"{name}/{op}", one)
            if other is not one:
                message = f"{other.path} and {one.path} both declare the op {name}/{op}; rename one"
                raise SuiteError(message)
