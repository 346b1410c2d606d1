"""This machine as people and programs read it: identity, environment, state, roofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from bench import units
from bench.records import codec, roofs
from bench.report.text import wording
from bench.report.text.plain_table import PlainTable, folded, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import RenderableType

    from bench.records.roofs import Roof, Roofs

NO_ROOFS = "none measured yet; bench machine --measure does, and so does a run"


def machine_table(facts: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """The facts of `bench machine` for a terminal; what can't be read is a dash."""
    table = PlainTable(whole(), folded(), heads=False)
    for section, values in facts.items():
        if section == "roofs":
            _add_roofs(table, values)
            continue
        table.add(Text(section, style="bold"))
        for name, value in values.items():
            for label, text in _lines(name, value):
                table.add(Text(f"  {label}", style="dim"), text)
    return table


def _add_roofs(table: PlainTable, measured: Mapping[str, Any]) -> None:
    """Each device's by level, dtype and kind; where there are none, how to get them."""
    table.add(Text("roofs", style="bold"), "" if measured else NO_ROOFS)
    for device, facts in measured.items():
        found = codec.decode(roofs.Roofs, facts)
        when = wording.when(found.measured_at)
        table.add(
            Text(f"  {device}", style="dim"),
            f"{found.threads} threads, torch {found.torch}, {when}",
        )
        for name, text in roof_lines(found):
            table.add(Text(f"    {name}", style="dim"), text)


def roof_lines(found: Roofs) -> Iterator[tuple[str, str]]:
    """Each roof as its name and what was seen of it; all ways of moving bytes at a size in one."""
    by_level: dict[tuple[str, int], list[Roof]] = {}
    for roof in found.of_kind(roofs.BANDWIDTH):
        by_level.setdefault((roof.level, roof.bytes), []).append(roof)
    for (level, size), members in by_level.items():
        seen = [f"{one.how} {units.rate(one.value, 'B/s')}" for one in members]
        yield f"{level} from {units.size(size)}", ", ".join(seen)
    for roof in found.of_kind(roofs.FLOP):
        yield roof.name, f"{units.rate(roof.value, 'FLOP/s')} ({roof.how})"
    for kind in (roofs.TO_DEVICE, roofs.FROM_DEVICE):
        for roof in found.of_kind(kind):
            yield kind, f"{units.rate(roof.value, 'B/s')} ({roof.how})"
    for roof in found.of_kind(roofs.LAUNCH):
        yield "a call", f"{units.seconds(roof.value)} ({roof.how})"


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
        yield label, "; ".join(map(cuda_device, value)) or "none"
    else:
        yield label, _text(name, value)


def cuda_device(device: Mapping[str, Any]) -> str:
    """A GPU as torch sees it: `H100 (80.0 GiB, 132 SMs, L2 50.0 MiB, 9.0)`."""
    sms, l2 = device.get("multiprocessors"), device.get("l2_bytes")
    parts = [
        units.size(device.get("memory_bytes")),
        f"{sms} SMs" if sms else "",
        f"L2 {units.size(l2)}" if l2 else "",
        device.get("capability") or "",
    ]
    known = ", ".join(part for part in parts if part not in {"", units.MISSING})
    return f"{device.get('name')} ({known})" if known else str(device.get("name"))


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
