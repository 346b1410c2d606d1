"""Settings of pools: `fleet.toml`, which says where visits run and how they are started there."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from bench.errors import SettingsError, UnitError, hint
from bench.records.campaign import MOST_TIME_S, Pool, is_name
from bench.units import parse_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FILE = "fleet.toml"
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d)")
LOCAL = "local"
"""The pool that is always there: this machine."""
_LOCAL: Mapping[str, Any] = {"apart_s": 0.0, "allow": ("busy",), "at_most": 1}
"""Who tries a campaign on one machine does not want to wait an hour for its second visit, and works on it meanwhile."""


def pools(folder: Path) -> dict[str, Pool]:
    """The pools of `fleet.toml` in a folder, and this machine.

    Raises:
        SettingsError: the file says something impossible.
    """
    path = folder / FILE
    told = _read(path) if path.exists() else {}
    named = {name: _pool(path, name, table) for name, table in told.items()}
    here = Pool(name=LOCAL, engine="local", **_LOCAL)
    return {LOCAL: here, **named}


def choose(known: Mapping[str, Pool], names: Sequence[str]) -> tuple[Pool, ...]:
    """The pools of these names.

    Raises:
        SettingsError: there is none of a name.
    """
    for name in names:
        if name not in known:
            where = "" if len(known) > 1 else f"; pools are tables [pool.NAME] of {FILE}"
            message = f"there is no pool {name!r}; {hint(name, known)}{where}"
            raise SettingsError(message)
    return tuple(known[name] for name in dict.fromkeys(names))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # a UnicodeDecodeError is a ValueError, as TOML's is
        message = f"{path} can't be read: {str(error).partition(chr(10))[0]}"
        raise SettingsError(message) from error
    for name in told:
        if name != "pool":
            message = f"{path} has a table [{name}]; it may have tables [pool.NAME] alone"
            raise SettingsError(message)
    pools_of = told.get("pool", {})
    if not isinstance(pools_of, dict) or not all(isinstance(t, dict) for t in pools_of.values()):
        message = f"{path}: pools are tables [pool.NAME]"
        raise SettingsError(message)
    return pools_of


def _pool(path: Path, name: str, table: Mapping[str, Any]) -> Pool:
    where = f"{path} [pool.{name}]"
    if not is_name(name):
        message = f"{path} [pool.{name!r:.80}]: a name of a pool has letters, digits, dots, underscores and hyphens"
        raise SettingsError(message)
    values: dict[str, Any] = {"name": name}
    for key, value in table.items():
        field, read = _known(where, key)
        at = f"{where} {key}"
        values[field] = read(at, _hosts_of(path, at, value) if key == "hosts" else value)
    if values.get("engine") == "local":
        values = {**_LOCAL, **values, "at_most": 1}
    pool = Pool(**{"engine": "", **values})
    if fault := pool.fault():
        message = f"{where}: {fault}"
        raise SettingsError(message)
    return pool


def _known(where: str, key: str) -> tuple[str, Callable[[str, Any], Any]]:
    if key not in _READERS:
        message = f"{where} has {key!r}; {hint(key, _READERS)}"
        raise SettingsError(message)
    return _READERS[key]


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        message = f"{where} = {value!r:.60} is no text on one line"
        raise SettingsError(message)
    return value


def _texts(where: str, value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    return tuple(_text(where, one) for one in several)


def _whole(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        message = f"{where} = {value!r:.60} is no whole number from 0"
        raise SettingsError(message)
    return value


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        message = f"{where} = {value!r:.60} is neither true nor false"
        raise SettingsError(message)
    return value


def _seconds(where: str, value: Any) -> float:
    """A stretch of time: a number of seconds, a text like `40min`, or Slurm's `00:40:00`; 0 too."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_TIME_S:
        return float(value)
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return float(hours * 3600 + minutes * 60 + seconds)
    try:
        return 0.0 if value in {"0", "0s"} else parse_seconds(_text(where, value)[:60])
    except (UnitError, SettingsError, TypeError) as error:
        message = f"{where} = {value!r:.60} is no time; write seconds (90), a unit (40min, 1h) or 00:40:00"
        raise SettingsError(message) from error


def _hosts(where: str, value: Any) -> tuple[str, ...]:
    """Hosts in a list, each once."""
    return tuple(dict.fromkeys(host for host in _texts(where, value) if host))


def _hosts_of(path: Path, where: str, value: Any) -> Any:
    """The lines of a file of hosts that stands beside the settings; a list is as it is."""
    if not isinstance(value, str):
        return value
    file = path.parent / value
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        message = (
            f"{where}: {str(file)!r:.200} can't be read: {str(error).partition(chr(10))[0]:.100}"
        )
        raise SettingsError(message) from error
    return [line.partition("#")[0].strip() for line in lines]


_READERS: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    **{name: (name, _text) for name in ("engine", "python", "partition", "constraint", "account")},
    **{name: (name, _text) for name in ("qos", "reservation", "store", "spool")},
    **{name: (name, _texts) for name in ("setup", "options", "allow")},
    **{name: (name, _whole) for name in ("gpus", "at_most", "machines")},
    **{name: (f"{name}_s", _seconds) for name in ("time", "apart", "lease")},
    "cpu": ("cpu", _flag),
    "hosts": ("hosts", _hosts),
}
"""Key of `fleet.toml` → the field of a pool, and what reads its value."""
