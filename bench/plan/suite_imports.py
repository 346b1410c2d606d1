"""Imports of a suite: what lies beside its file, and in the current folder, as for a script.

What is installed and Python's own modules come first, so that no file beside a suite takes their place, not even here
in the program. Two suites whose folders hold modules of one name each get their own: a module is in `sys.modules`
under its name only while the code of a suite of its folder runs, and under the folder and its name else.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


@contextmanager
def imports_of(suite_path: Path) -> Iterator[None]:
    """Let the code of a suite that runs inside import what lies beside its file, and in the current folder."""
    finder = _Finder(_folders(suite_path, os.getcwd()))  # noqa: PTH109 - a text costs less than a path
    if any(isinstance(one, _Finder) and one.path == finder.path for one in sys.meta_path):
        yield  # it runs inside already
        return
    brought = finder.bring_back()
    before = _imported()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        as_before = not finder.asked and _imported() == before
        finder.put_away(brought if as_before else list(sys.modules))


class _Folder:
    """A folder, and the names of those of its modules that were imported."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: set[str] = set()

    def find(self, name: str) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(self.path)])

    def key(self, name: str) -> str:
        """Under which a module is kept while no suite of this folder runs."""
        return f"{self.path}::{name}"


@cache
def _folder(path: Path) -> _Folder:
    """One object for each folder: suites of a folder share its modules, as all code of a program does."""
    return _Folder(path.resolve())


@cache
def _folders(suite_path: Path, current: str) -> tuple[_Folder, ...]:
    """The folder of a suite's file, and the current one, each once."""
    return tuple(dict.fromkeys((_folder(suite_path.parent), _folder(Path(current)))))


def _imported() -> tuple[int, str]:
    """How many modules there are, and the last: a new one comes last, also where it was put there by hand.

    Looking through their names would take a millisecond at each request of a worker.
    """
    return len(sys.modules), next(reversed(sys.modules))


class _Finder:
    """Finds modules in folders that are not on the search path, and nowhere else."""

    def __init__(self, folders: Sequence[_Folder]) -> None:
        self.folders = folders
        self.path = [folder.path for folder in folders]
        self.asked = False
        """Whether anything was imported that was not there."""
        self._found: dict[str, _Folder] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module in the first folder that has it, if it is not installed."""
        self.asked = True
        if path is not None or name in sys.stdlib_module_names or self._is_installed(name):
            return None
        for folder in self.folders:
            if spec := folder.find(name):
                self._found[name] = folder
                return spec
        return None

    def _is_installed(self, name: str) -> bool:
        """Whether it is found elsewhere than in these folders, which `python -m` puts on the search path too."""
        elsewhere = [entry for entry in sys.path if Path(entry).resolve() not in self.path]
        others = [one for one in sys.meta_path if one is not self and one is not PathFinder]
        found = [PathFinder.find_spec(name, elsewhere)]
        found += [one.find_spec(name, None) for one in others if hasattr(one, "find_spec")]
        return any(spec is not None and spec.loader is not None for spec in found)

    def bring_back(self) -> list[str]:
        """Put the modules of these folders where `import` looks, those of the first win; their names."""
        brought: list[str] = []
        for folder in self.folders:
            for name in sorted(folder.names):
                top = name.partition(".")[0]
                if self._owner(top) is folder and folder.key(name) in sys.modules:
                    sys.modules[name] = sys.modules.pop(folder.key(name))
                    self._found[top] = folder
                    brought.append(name)
        return brought

    def _owner(self, top: str) -> _Folder | None:
        return next((one for one in self.folders if top in one.names or one.find(top)), None)

    def put_away(self, names: Sequence[str]) -> None:
        """Take the modules of these folders from there, where they are among those of these names."""
        for name in [n for n in names if n.partition(".")[0] in self._found]:
            folder = self._found[name.partition(".")[0]]
            sys.modules[folder.key(name)] = sys.modules.pop(name)
            folder.names.add(name)
