"""This machine as people and programs read it: identity, environment, state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bench import units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import RenderableType


def machine_table(facts: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """The facts of `bench machine` for a terminal; what can't be read is a dash."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("name", style="dim", no_wrap=True)
    table.add_column("value", overflow="fold")
    for section, values in facts.items():
        table.add_row(Text(section, style="bold"), "")
        for name, value in values.items():
            for label, text in _lines(name, value):
                table.add_row(f"  {label}", Text(text))
    return table


def _lines(name: str, value: Any) -> Iterator[tuple[str, str]]:
    plain = name.rpartition("_")[0] if name.endswith(("_bytes", "_hz", "_c", "_share")) else name
    label = plain.replace("_", " ")
    if isinstance(value, dict):
        shown = [f"{k}={units.size(v) if name.endswith('_bytes') else v}" for k, v in value.items()]
        yield label, ", ".join(shown) or "none"
    elif name == "gpus":
        shown = [f"{g['name']} ({units.size(g['memory_bytes'])}, {g['uuid']})" for g in value]
        yield label, "; ".join(shown) or "none"
    elif name == "cuda_devices":
        yield label, "; ".join(map(_cuda_device, value)) or "none"
    else:
        yield label, _text(name, value)


def _cuda_device(device: Mapping[str, Any]) -> str:
    memory, l2 = units.size(device["memory_bytes"]), device["l2_bytes"]
    parts = [memory, f"{device['multiprocessors']} SMs", *([f"L2 {units.size(l2)}"] if l2 else [])]
    return f"{device['name']} ({', '.join(parts)}, {device['capability']})"


def _text(name: str, value: Any) -> str:
    if value is None:
        return units.MISSING
    if name in _UNITS:
        return _UNITS[name](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


_UNITS: Mapping[str, Callable[[Any], str]] = {
    "memory_bytes": units.size,
    "free_memory_bytes": units.size,
    "cpu_busy_share": units.share,
    "frequency_hz": lambda hz: units.rate(hz, "Hz"),
}
