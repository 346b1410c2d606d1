"""Hazards of the machine's load, which changes by the second: other programs, short memory, heat, power.

Read from the state that a run, or a checkup, has noted; what it did not note is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.doctor.hazard import Topic, flag_in, number_in
from bench.units import counted, number, share, size

if TYPE_CHECKING:
    from bench.doctor.hazard import Hazard, Rule
    from bench.store.runs import RunInfo

BUSY_SHARE = 0.1
"""Busy share of all cores from which numbers suffer: a fifth of one core of two. Idle desktops take less."""
PROGRAM_CORES = 0.1
"""Cores that a program must take to be named: one that takes less is gone again before a round is over."""
_DISTURBING_CORES = 0.5
"""Cores from which a program surely disturbs: with half a core it meets every second sample of the threads it
shares that core with."""
_STOLEN_SHARE = 0.01
"""Stolen share of the cores' time that matters: effects of interest are a few per cent, and stolen time comes
in lumps."""
_LEAST_FREE_SHARE = 0.1
"""Below a tenth of free memory the kernel begins to look for pages to push out."""
_SWAP_BYTES = 64 * 2**20
"""Idle services are swapped out for good; a machine with more than that in swap has been short of memory."""
_STALLED_SHARE = 0.001
"""Share of ten seconds spent waiting for memory; the kernel rounds its averages to a tenth of that."""
_HOT_C = 90.0
"""Most processors lower their clocks from 95 °C on."""

_BUSY = Topic(
    code="busy",
    subject="how busy the CPU is",
    effect="other programs take turns, caches and bandwidth",
    remedy="close them and run again",
)
_PROGRAMS = Topic(
    code="programs",
    subject="which other programs are at work",
    effect="they take turns, caches and bandwidth, and not the same in every round",
    remedy="end them, or wait until they are done",
)
_LOAD = Topic(
    code="load",
    subject="the load of the last minute",
    effect="if these were not this program's own, the machine was shared, and may be warm",
    remedy="let the machine rest before a run that matters",
)
_STOLEN = Topic(
    code="stolen-time",
    subject="the time that a host took away",
    effect="other guests of the host run on these cores, for as long as it likes",
    remedy="run at another hour, or on a host with cores of your own",
)
_MEMORY = Topic(
    code="memory",
    subject="free memory and swap",
    effect="pages of tensors may be pushed out, and come back from disk within a sample",
    remedy="close what holds memory, then: sudo swapoff -a && sudo swapon -a",
)
_HEAT = Topic(
    code="hot",
    subject="the temperature of the CPU",
    effect="processors lower their clocks when they are hot",
    remedy="let it cool; clean its fans",
)
_SLOWDOWNS = Topic(
    code="slowed-down",
    subject="how often the CPU slowed itself down",
    effect="a clock that was lowered for heat once will be again, under the same load",
    remedy="clean its fans, raise its power limit, or use fewer threads (--threads)",
)
_POWER = Topic(
    code="battery",
    subject="where the power comes from",
    effect="on battery, clocks are kept low or change with its charge",
    remedy="plug it in",
)


def busy(info: RunInfo) -> Hazard:
    """Other programs at work before anything was measured."""
    part = number_in(info.state, "cpu_busy_share")
    if part is None:
        return _BUSY.unknown()
    seen = f"{share(part)} of the CPU was busy before anything was measured"
    return _BUSY.fine(seen) if part < BUSY_SHARE else _BUSY.will(seen)


def programs(info: RunInfo) -> Hazard:
    """Which they are, the busiest first."""
    known = info.state.get("programs")
    if not isinstance(known, list | tuple):
        return _PROGRAMS.unknown()
    loud = [one for one in known if one["cores"] >= PROGRAM_CORES]
    if not loud:
        return _PROGRAMS.fine(f"no other program took {number(PROGRAM_CORES, 1)} of a core")
    seen = "at work: " + ", ".join(map(_program, loud))
    pids = ",".join(str(one["pid"]) for one in loud)
    remedy = f"end them, or wait until they are done; who they are: ps -fp {pids}"
    serious = any(one["cores"] >= _DISTURBING_CORES for one in loud)
    return _PROGRAMS.will(seen, remedy) if serious else _PROGRAMS.may(seen, remedy)


def _program(one: Any) -> str:
    return f"{one['name']} ({one['pid']}) takes {number(one['cores'], 2)} cores"


def loaded(info: RunInfo) -> Hazard:
    """As many processes as cores in the minute before, if only by what ran there last."""
    load = number_in(info.state, "load_1min")
    cores = len(info.environment.get("usable_cores") or ())
    if load is None or not cores:
        return _LOAD.unknown()
    seen = f"{number(load, 2)} processes ran or waited in the minute before, on {counted(cores, 'core')}"
    return _LOAD.fine(seen) if load < cores else _LOAD.may(seen)


def stolen(info: RunInfo) -> Hazard:
    """Time that this machine's cores were wanted, and a host gave them to others."""
    part = number_in(info.state, "stolen_share")
    if part is None:
        return _STOLEN.unknown()
    seen = f"the host took {share(part)} of the cores' time away"
    return _STOLEN.fine(seen) if part < _STOLEN_SHARE else _STOLEN.will(seen)


def memory(info: RunInfo) -> Hazard:
    """Too little of it, and pages that lie on disk."""
    names = "free_memory_bytes", "swap_used_bytes", "memory_stall_share"
    free, swap, stalled = (number_in(info.state, name) for name in names)
    total = number_in(info.machine, "memory_bytes")
    if free is None or not total:
        return _MEMORY.unknown()
    seen = f"{size(free)} of {size(total)} are free"
    seen += "" if swap is None else f", {size(swap)} are swapped out"
    if stalled is not None and stalled >= _STALLED_SHARE:
        return _MEMORY.will(f"{seen}, and programs waited for memory {share(stalled)} of the time")
    short = free < _LEAST_FREE_SHARE * total or (swap or 0) >= _SWAP_BYTES
    return _MEMORY.may(seen) if short else _MEMORY.fine(seen)


def hot(info: RunInfo) -> Hazard:
    """Near where processors slow themselves down."""
    degrees = number_in(info.state, "temperature_c")
    if degrees is None:
        return _HEAT.unknown()
    seen = f"a sensor read {number(degrees)} °C before anything was measured"
    return _HEAT.fine(seen) if degrees < _HOT_C else _HEAT.will(seen)


def slowed_down(info: RunInfo) -> Hazard:
    """Cores that have lowered their clocks for heat since the machine was started."""
    count = number_in(info.state, "slowdowns")
    if count is None:
        return _SLOWDOWNS.unknown()
    seen = (
        f"the CPU lowered its clock for heat {counted(round(count), 'time')} since it was started"
    )
    return _SLOWDOWNS.may(seen) if count else _SLOWDOWNS.fine(seen)


def power(info: RunInfo) -> Hazard:
    """A laptop that is not plugged in."""
    battery = flag_in(info.state, "on_battery")
    return _POWER.flag(
        "will", "it runs on battery", "it is plugged in, or has no battery", when=battery
    )


RULES: tuple[Rule, ...] = (busy, programs, stolen, loaded, memory, hot, slowed_down, power)
