"""Settings of pools: `fleet.toml`, which says where visits run and how they are started there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import SettingsError, UnitError, hint
from bench.records.campaign import Pool
from bench.store.campaigns import is_name
from bench.units import parse_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FILE = "fleet.toml"
ENGINES = ("local", "slurm", "ssh", "elsewhere")
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
        message = f"{where}: a name of a pool has letters, digits, dots, underscores and hyphens"
        raise SettingsError(message)
    values: dict[str, Any] = {"name": name}
    for key, value in table.items():
        field, read = _known(where, key)
        values[field] = read(f"{where} {key}", value)
    if values.get("engine") not in ENGINES:
        engine = str(values.get("engine", ""))
        message = f"{where}: engine = {engine!r} is none of {', '.join(ENGINES)}"
        raise SettingsError(message)
    if values["engine"] == "local":
        values = {**_LOCAL, **values, "at_most": 1}
    pool = Pool(**values)
    if pool.engine == "ssh" and not pool.hosts:
        message = (
            f'{where}: an ssh pool has hosts = ["a", "b"], or the name of a file with one a line'
        )
        raise SettingsError(message)
    if pool.engine == "elsewhere" and not pool.machines:
        message = f"{where}: a pool elsewhere has machines = 8: how many are to be visited"
        raise SettingsError(message)
    return pool


def _known(where: str, key: str) -> tuple[str, Callable[[str, Any], Any]]:
    if key not in _READERS:
        message = f"{where} has {key!r}; {hint(key, _READERS)}"
        raise SettingsError(message)
    return _READERS[key]


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or "\n" in value or "\0" in value:
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
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    parts = str(value).split(":")
    if len(parts) in {2, 3} and all(part.isdecimal() for part in parts):
        numbers = [int(part) for part in parts]
        hours, minutes, seconds = [*([0] * (3 - len(parts))), *numbers]
        return float(hours * 3600 + minutes * 60 + seconds)
    try:
        return parse_seconds(str(value))
    except UnitError as error:
        message = f"{where} {error}"
        raise SettingsError(message) from error


def _hosts(where: str, value: Any) -> tuple[str, ...]:
    """Hosts in a list, or in a file with one a line."""
    if isinstance(value, str):
        path = Path(where.partition(" [")[0]).parent / value
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            message = f"{where}: {path} can't be read: {error}"
            raise SettingsError(message) from error
        value = [line.partition("#")[0].strip() for line in lines]
    found = tuple(host for host in _texts(where, value) if host)
    for host in found:
        if host.startswith("-") or not is_name(host.rpartition("@")[2]):
            message = f"{where}: {host!r:.60} is no host; write it as for ssh, without options"
            raise SettingsError(message)
    return found


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
