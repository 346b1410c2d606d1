"""How much a case may change before that counts, as a project's own file says it; pure but for reading.

The file is `bench.toml` of the working folder, else `[tool.tensorbench]` of its `pyproject.toml`. Where
several patterns match a case, the one with the most literal characters counts, whatever their order: TOML
gives keys no order, and tools that sort them must not change a verdict.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bench.errors import SettingsError, UnitError, hint
from bench.units import parse_share

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

OWN_FILE, SHARED_FILE = "bench.toml", "pyproject.toml"
"""The first that has settings is read, and the other is not."""
_KEY = "thresholds"
_WILDCARDS = "*?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The ids that a pattern means (`*` any text, `?` one character), and their threshold as a share."""

    pattern: str
    share: float

    def matches(self, case: str) -> bool:
        """Whether this case's id is meant; brackets are themselves, as ids are full of them."""
        return fnmatchcase(case, self.pattern.replace("[", "[[]"))

    @property
    def rank(self) -> tuple[int, float]:
        """Larger is more specific; of equals the stricter counts."""
        return sum(c not in _WILDCARDS for c in self.pattern), -self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The thresholds of a project; none unless its file says so."""

    patterns: tuple[Threshold, ...] = ()

    def of(self, case: str, default: float) -> float:
        """The share below which a change of this case does not count; `default` where no pattern matches."""
        matching = [one for one in self.patterns if one.matches(case)]
        return max(matching, key=lambda one: one.rank).share if matching else default

    def idle(self, cases: Collection[str]) -> tuple[str, ...]:
        """The patterns that match none of these cases: most often typing errors."""
        return tuple(
            one.pattern for one in self.patterns if not any(one.matches(case) for case in cases)
        )


def read(folder: Path) -> Thresholds:
    """The thresholds that this folder's file declares; folders above it are not looked at.

    Raises:
        SettingsError: the file can't be read, or a key or value in it is none of ours.
    """
    own, shared = folder / OWN_FILE, folder / SHARED_FILE
    if own.is_file():
        return _thresholds(_table(own), where=OWN_FILE, prefix="")
    if not shared.is_file():
        return Thresholds()
    settings = _within(_table(shared), ("tool", "tensorbench"), SHARED_FILE)
    return _thresholds(settings, where=SHARED_FILE, prefix="tool.tensorbench.")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path.name}: it can't be read: {error.strerror}; make it readable or remove it"
    except UnicodeDecodeError:
        message = f"{path.name}: it is not UTF-8, as TOML must be; save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        message = f"{path.name}: it is not TOML: {_one_line(error)}; put that right"
    raise SettingsError(message)


def _within(table: Any, keys: Iterable[str], where: str) -> Any:
    """The table at this path; empty where there is none."""
    path = ""
    for key in keys:
        path = f"{path}.{key}".lstrip(".")
        table = table.get(key, {})
        _expect_table(table, where, path)
    return table


def _thresholds(settings: dict[str, Any], *, where: str, prefix: str) -> Thresholds:
    for key in settings:
        if key != _KEY:
            message = f"{where}: there is no setting {prefix + key!r}; {hint(key, [_KEY])}"
            raise SettingsError(message)
    declared = settings.get(_KEY, {})
    _expect_table(declared, where, prefix + _KEY)
    place = f"{where}: [{prefix}{_KEY}]"
    return Thresholds(patterns=tuple(_threshold(k, v, place) for k, v in declared.items()))


def _threshold(pattern: str, value: Any, place: str) -> Threshold:
    try:
        share = parse_share(value if isinstance(value, str) else _number(value))
    except UnitError as error:
        message = f"{place} {pattern!r}: {error}"
        raise SettingsError(message) from error
    return Threshold(pattern=pattern, share=share)


def _number(value: Any) -> str:
    """A TOML number as text in plain notation; whatever else it is, as it would be written."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:f}" if known else _one_line(value)


def _expect_table(value: Any, where: str, path: str) -> None:
    if not isinstance(value, dict):
        message = (
            f"{where}: {path} = {_one_line(value)} is not a table; "
            f'write [{path}] and below it "matmul/*" = "3%"'
        )
        raise SettingsError(message)


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
