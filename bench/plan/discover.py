"""Discovery and loading of suites: shipped ones by name, a user's file by its path.

`bench` never imports a suite; a suite's module is not importable by name and leaves `sys.path` alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import SuiteError, hint
from bench.plan.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGE = Path(__file__).resolve().parents[1]
_NOT_SUITES = ("test_", "conftest", "_")


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
        return hashlib.sha256(self.source).hexdigest()


def shipped_folder() -> Path:
    """The folder of shipped suites: inside the installed package, beside it in a checkout."""
    inside = _PACKAGE / "shipped_suites"
    return inside if inside.is_dir() else _PACKAGE.parent / "suites"


def shipped_suites() -> dict[str, Path]:
    """Name → file of every shipped suite, in alphabetical order."""
    files = sorted(shipped_folder().glob("*.py"))
    return {f.stem: f for f in files if not f.name.startswith(_NOT_SUITES)}


def find(name_or_path: str) -> Path:
    """The file that a word on the command line stands for.

    Raises:
        SuiteError: there is no such suite or file.
    """
    shipped = shipped_suites()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path.resolve()
    if path.is_dir():
        message = f"{name_or_path} is a folder; name its suite files, such as {path / '*.py'}"
        raise SuiteError(message)
    if path.suffix == ".py" or len(path.parts) > 1:
        message = f"there is no file {name_or_path}"
        raise SuiteError(message)
    message = f"there is no suite {name_or_path!r}; {hint(name_or_path, shipped)}"
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
        exec(code, vars(module))  # noqa: S102 - it is what a suite is for
    except (Exception, SystemExit) as error:  # a suite must not end the program
        del sys.modules[name]
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        message = f"{path} can't be loaded{_line_in(path, error)}: {what}"
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


def _line_in(path: Path, error: BaseException) -> str:
    """` (line 12)`, if the error passed through the file."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""


def load_all(words: Sequence[str]) -> tuple[LoadedSuite, ...]:
    """The suites named on the command line, in that order; all shipped ones if none is named.

    Raises:
        SuiteError: one can't be found or read, or two have the same name.
    """
    paths = dict.fromkeys(find(word) for word in words) or shipped_suites().values()
    loaded = tuple(load(path) for path in paths)
    by_name: dict[str, LoadedSuite] = {}
    for one in loaded:
        other = by_name.setdefault(one.suite.name, one)
        if other is not one:
            message = (
                f"{other.path} and {one.path} both declare a suite {one.suite.name!r}; rename one"
            )
            raise SuiteError(message)
    return loaded
