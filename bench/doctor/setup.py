"""Hazards of how the machine is set up: its cores, clocks, pages, and environment variables.

Read from what a run, or a checkup, has noted; what it did not note is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.doctor.hazard import Topic, flag_in, number_in
from bench.units import counted, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.doctor.hazard import Hazard, Rule
    from bench.store.runs import RunInfo

_SLOW_CLOCKS = frozenset({"acpi_pm", "hpet", "jiffies", "pit", "refined-jiffies", "xen"})
"""Clock sources that Linux can't read without a system call, which takes a microsecond or so."""
_BINDING = ("OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
_UNBOUND = frozenset({"false", "0"})

_VIRTUAL = Topic(
    code="virtual-machine",
    subject="whether this is a virtual machine",
    effect="the host may move its cores, share them with others, and hide caches",
    remedy="bench selftest says how far unchanged runs lie apart here",
)
_QUOTA = Topic(
    code="cpu-quota",
    subject="the CPU quota",
    effect="whoever uses more is stopped for the rest of each period, a tenth of a second at most",
    remedy="raise the limit, or use fewer threads (--threads)",
)
_SIBLINGS = Topic(
    code="shared-cores",
    subject="which cores are physical ones",
    effect="two threads of one core take turns, as the scheduler has it",
    remedy="one thread per physical core (--threads)",
)
_NODES = Topic(
    code="numa",
    subject="the memory's nodes",
    effect="bandwidth depends on which node a tensor came to lie in",
    remedy="numactl --cpunodebind=0 --membind=0 bench run",
)
_GOVERNOR = Topic(
    code="governor",
    subject="the frequency governor",
    effect="the clock may follow the load, and short calls may run at a low one",
    remedy="sudo cpupower frequency-set -g performance",
)
_TURBO = Topic(
    code="turbo",
    subject="whether the CPU raises its clock by itself (turbo)",
    effect="the clock depends on heat and on how many cores are at work",
    remedy="turn it off where small differences matter; the compute sentinel follows the clock",
)
_PAGES = Topic(
    code="huge-pages",
    subject="transparent huge pages",
    effect="a large tensor costs 512 times fewer page faults if a huge page was free just then",
    remedy="echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
)
_CLOCK = Topic(
    code="slow-clock",
    subject="the kernel's clock source",
    effect="a reading of the clock is a system call, and its cost varies",
    remedy="echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource",
)
_BOUND = Topic(
    code="threads-unbound",
    subject="the variables that bind threads",
    effect="workers bind each thread to a core, unless a variable says otherwise",
    remedy="unset them",
)
_BLOCKING = Topic(
    code="launch-blocking",
    subject="CUDA_LAUNCH_BLOCKING",
    effect="every launch waits for its kernel, so that nothing is queued",
    remedy="unset CUDA_LAUNCH_BLOCKING",
)


def virtual(info: RunInfo) -> Hazard:
    """A host between us and the cores."""
    known = flag_in(info.environment, "hypervisor")
    return _VIRTUAL.flag("may", "this is a virtual machine", "no hypervisor", when=known)


def quota(info: RunInfo) -> Hazard:
    """A limit on the time of cores, met by stopping everything for a while."""
    if "cpu_quota_cores" not in info.environment:
        return _QUOTA.unknown()
    cores = number_in(info.environment, "cpu_quota_cores")
    threads = number_in(info.options, "threads")
    if cores is None:
        return _QUOTA.fine("no control group limits the cores' time")
    seen = f"a control group allows {number(cores)} cores' worth of time"
    over = threads is not None and threads > cores
    return _QUOTA.will(f"{seen}, to {number(threads or 0)} threads") if over else _QUOTA.may(seen)


def siblings(info: RunInfo) -> Hazard:
    """More threads than physical cores."""
    threads = number_in(info.options, "threads")
    cores = number_in(info.machine, "physical_cores")
    known = info.environment.get("smt_siblings")
    if known is None or threads is None or not cores:
        return _SIBLINGS.unknown()
    on = f"{counted(round(threads), 'thread')} on {counted(round(cores), 'physical core')}"
    if known and threads > cores:
        return _SIBLINGS.will(on, f"--threads {cores:.0f}")
    usable = len(info.environment.get("usable_cores") or ())
    logical = number_in(info.machine, "logical_cores")
    many = f"; {usable} of {logical:.0f} logical ones may be used" if usable and logical else ""
    return _SIBLINGS.fine(on + many)


def nodes(info: RunInfo) -> Hazard:
    """Memory that is nearer to some cores than to others."""
    known = info.environment.get("numa_nodes")
    if not known:
        return _NODES.unknown()
    count = len(known)
    if count < 2:  # noqa: PLR2004 - one node has no other
        return _NODES.fine("all memory is equally near")
    return _NODES.may(f"memory lies in {count} nodes")


def governor(info: RunInfo) -> Hazard:
    """A clock that follows the load."""
    name = info.state.get("governor")
    if not isinstance(name, str):
        return _GOVERNOR.unknown()
    seen = f"the frequency governor is {name}"
    return _GOVERNOR.fine(seen) if name == "performance" else _GOVERNOR.may(seen)


def turbo(info: RunInfo) -> Hazard:
    """A clock that depends on heat and neighbours."""
    known = flag_in(info.state, "turbo")
    raised = "the CPU may raise its clock by itself (turbo)"
    return _TURBO.flag("may", raised, "turbo is off", when=known)


def huge_pages(info: RunInfo) -> Hazard:
    """Pages whose size is luck."""
    mode = info.environment.get("transparent_huge_pages")
    if not isinstance(mode, str):
        return _PAGES.unknown()
    seen = f"transparent huge pages: {mode}"
    return _PAGES.may(seen) if mode == "always" else _PAGES.fine(seen)


def slow_clock(info: RunInfo) -> Hazard:
    """A clock whose reading takes longer than a short call."""
    source = info.environment.get("clock_source")
    if not isinstance(source, str):
        return _CLOCK.unknown()
    seen = f"the kernel's clock source is {source}"
    return _CLOCK.will(seen) if source in _SLOW_CLOCKS else _CLOCK.fine(seen)


def unbound(info: RunInfo) -> Hazard:
    """Variables that take the binding of threads out of the workers' hands."""
    variables = _variables(info)
    if variables is None:
        return _BOUND.unknown()
    free = str(variables.get("OMP_PROC_BIND", "")).lower() in _UNBOUND
    others = [name for name in _BINDING if name in variables]
    if free:
        return _BOUND.will("OMP_PROC_BIND keeps threads from being bound", "unset OMP_PROC_BIND")
    if others:
        return _BOUND.may(f"set: {', '.join(others)}", f"unset {' '.join(others)}")
    return _BOUND.fine("no variable keeps workers from binding their threads")


def blocking(info: RunInfo) -> Hazard:
    """A variable that makes every launch wait."""
    variables = _variables(info)
    if variables is None:
        return _BLOCKING.unknown()
    if str(variables.get("CUDA_LAUNCH_BLOCKING", "0")) in {"", "0"}:
        return _BLOCKING.fine("CUDA_LAUNCH_BLOCKING is not set")
    return _BLOCKING.will("CUDA_LAUNCH_BLOCKING is set")


def _variables(info: RunInfo) -> Mapping[str, Any] | None:
    known = info.environment.get("variables")
    return known if isinstance(known, dict) else None


RULES: tuple[Rule, ...] = (
    *(virtual, quota, siblings, nodes, governor, turbo),
    *(huge_pages, slow_clock, unbound, blocking),
)
