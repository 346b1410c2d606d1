"""The user's own packages that suites import, each told by its commit and a hash of its files.

Own is what lies neither in the standard library nor where packages are installed: what is being worked on, as a
rule. Its files count as they are on disk: a comment in them is a difference, if only one to be taken with care.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import sysconfig
import types
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BENCH = Path(__file__).parents[1]
_INSTALLED = {"site-packages", "dist-packages"}
_CODE = {".py", ".so", ".pyd", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp"}
"""Ends of the names of files that can change what a package does, built or not."""
_DIGITS = 16


def imported(suites: Iterable[Path]) -> dict[str, dict[str, str | None]]:
    """Own package → the hash of its files, and the commit that they are of where nothing was changed since.

    Args:
        suites: the files that import them, themselves or through one another; they don't count.
    """
    paths = {path.resolve() for path in suites}
    waiting = [name for path in paths for name in _imports(path)]
    found: dict[str, dict[str, str | None]] = {}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        place = None if name in seen else _place(name)
        seen.add(name)
        if place and place.resolve() not in paths:
            found[name] = {"files": _hash(place, paths), "commit": _commit(place)}
            waiting += _imported_by(name)
    return dict(sorted(found.items()))


def _imports(path: Path) -> set[str]:
    """The packages that a file imports anywhere in it, in functions too."""
    with suppress(OSError, SyntaxError, ValueError):
        found = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
        return found
    return set()


def _imported_by(name: str) -> set[str]:
    """The packages from which the loaded modules of a package have something."""
    inside = [m for n, m in list(sys.modules.items()) if n == name or n.startswith(f"{name}.")]
    values = [value for module in inside for value in list(vars(module).values())]
    homes = (
        value.__name__ if isinstance(value, types.ModuleType) else value.__module__
        for value in values
        if isinstance(value, types.ModuleType | types.FunctionType | type)
    )
    return {str(home).partition(".")[0] for home in homes if home}


def _place(name: str) -> Path | None:
    """The folder or file of a package of the user's own; None for any other."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    with suppress(ImportError, ValueError, AttributeError):
        spec = spec or importlib.util.find_spec(name)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    place = folders[0] if folders else spec.origin if spec.has_location else None
    return Path(place) if place and _is_own(Path(place)) else None


def _is_own(place: Path) -> bool:
    known = [Path(sysconfig.get_path(one)).resolve() for one in ("stdlib", "platstdlib")]
    resolved = place.resolve()
    elsewhere = any(resolved.is_relative_to(one) for one in (*known, _BENCH))
    return resolved.exists() and not elsewhere and not _INSTALLED & set(resolved.parts)


def _hash(place: Path, suites: set[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(_files(place)) if place.is_dir() else [place]:
        if file.resolve() not in suites:
            digest.update(f"{file.relative_to(place)}\n".encode())
            with suppress(OSError):
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def _files(folder: Path) -> Iterator[Path]:
    """The files of code in a folder, but for hidden folders and environments in it."""
    for one in folder.iterdir():
        if one.is_dir():
            if not one.name.startswith((".", "__pycache__")) and one.name not in _INSTALLED:
                yield from _files(one)
        elif one.suffix in _CODE:
            yield one


def _commit(place: Path) -> str | None:
    """The latest commit of these files; None where they differ from it or are in none."""
    folder = place if place.is_dir() else place.parent
    changes = git.ask("status", "--porcelain", "--", str(place), folder=folder)
    return (
        git.ask("log", "-1", "--format=%H", "--", str(place), folder=folder) or None
        if changes == ""
        else None
    )
