"""Whether two runs may be compared at all: what differs, how much that matters, what would mend it.

Told from what the runs say of themselves, before any number. Another machine or another torch is
what people compare; another number of threads, precision or cache is another question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from bench.analysis.rerun_command import quoted
from bench.analysis.same_code import same_code
from bench.machine.environment import Environment
from bench.records.memory_policy import meaning
from bench.units import MISSING, clipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Pair = tuple[Record, Record]
    """A case in the base run and in the new one."""

Matters = Literal["yes", "care", "no"]
Verdict = Literal["yes", "with-care", "no"]
_VERDICTS: Mapping[Matters, Verdict] = {"yes": "no", "care": "with-care", "no": "yes"}
"""How much the difference that matters most does matter → whether the runs may be compared; the worst first."""
_METHOD: Mapping[str, Any] = {"threads": None, "cache": "hot"}
"""Options without which a time means something else, and what runs did that don't name them."""
MEMORY = "memory"
"""The field of a difference that is the memory policy of the CPU; of another device it goes on ` of DEVICE`."""
_EFFORT = ("preset", "budget_s", "workers", "rounds", "confidence", "energy")
"""Options that change how sure a number is; intervals allow for that."""
_PRECISION = ("float32_matmul_precision", "deterministic", "deterministic_warn_only", "grad_mode")
_SETTINGS = "cuda_settings"
_TORCH = (
    "version",
    "git",
    "cuda",
    "hip",
    "cudnn",
    "blas",
    "build_type",
    "cpu_capability",
    "mkldnn",
)
_MACHINE = ("machine_id", "cpu_model", "physical_cores", "memory_bytes")
_OF_HARDWARE = {"smt_siblings", "numa_nodes", "cpu_caches_bytes"}
"""Facts of the environment that follow from the hardware, which is compared by itself."""
_OF_ACCESS = {"gpu_compute_modes"}
"""Facts of the environment that say who may use a device, and move no number on it."""
_ENVIRONMENT = tuple(f.name for f in fields(Environment) if f.name not in _OF_HARDWARE | _OF_ACCESS)
_STATE = ("governor", "turbo")
_LOAD = 0.5
"""A machine that is busier by half a core than before shares its cores and caches."""
_OP = "op "
"""How the field of a difference begins that is the code of an op."""
_LONGEST = 60
_DIGITS = 16
"""So much of a hash is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact in which two runs differ. `yes`: never mixed; `care`: it can move numbers; `no`: it can't."""

    field: str
    base: str
    new: str
    matters: Matters

    @property
    def of_memory(self) -> bool:
        """Whether it is a memory policy, which is a device's: rows are barred one by one."""
        return self.field == MEMORY or self.field.startswith(f"{MEMORY} of ")

    @property
    def meaning(self) -> str:
        """What the two values say, where they don't say it by themselves."""
        if not self.of_memory:
            return ""
        return f"in the base {meaning(self.base)}, in the new run {meaning(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparability:
    """Whether numbers of two runs can be compared, and the command that would mend it."""

    verdict: Verdict
    differences: tuple[Difference, ...]
    remedy: str = ""

    @property
    def changed_ops(self) -> tuple[str, ...]:
        """The ops whose code differs, as `suite/op`."""
        ops = (d.field for d in self.differences if d.field.startswith(_OP))
        return tuple(field.removeprefix(_OP) for field in ops)

    @property
    def barriers(self) -> tuple[Difference, ...]:
        """What must not be mixed."""
        return tuple(d for d in self.differences if d.matters == "yes")


def comparability(base: RunInfo, new: RunInfo, pairs: Sequence[Pair] = ()) -> Comparability:
    """What differs between two runs, what matters most first.

    Args:
        base: what the first run says of itself.
        new: what the second does.
        pairs: the rows of the cases that both have, which tell whose code differs.
    """
    found = [*_code(base, new, pairs), *_memory(base, new, pairs), *_differences(base, new)]
    found = sorted(found, key=lambda d: list(_VERDICTS).index(d.matters))
    worst = found[0].matters if found else "no"
    return Comparability(
        verdict=_VERDICTS[worst], differences=tuple(found), remedy=_remedy(base, found)
    )


def same_conditions(base: RunInfo, new: RunInfo) -> bool:
    """Whether the sentinels of both can be compared: one machine, torch, thread count."""
    one, other = (
        (run.machine.get("machine_id"), run.torch.get("version"), run.options.get("threads"))
        for run in (base, new)
    )
    return one == other and one[0] is not None


def _differences(base: RunInfo, new: RunInfo) -> Iterator[Difference]:
    for name, usual in _METHOD.items():
        before, after = (run.options.get(name, usual) for run in (base, new))
        yield from _one(name, before, after, "yes")
    yield from _fields("", base.torch, new.torch, _PRECISION, "yes")
    before, after = (run.torch.get(_SETTINGS) or {} for run in (base, new))
    yield from _fields("cuda ", before, after, tuple(before), "yes")
    yield from _fields("torch ", base.torch, new.torch, _TORCH, "care")
    yield from _fields("", base.machine, new.machine, _MACHINE, "care")
    before, after = ([g.get("name") for g in run.machine.get("gpus") or ()] for run in (base, new))
    yield from _one("gpus", before, after, "care")
    yield from _fields("", base.environment, new.environment, _ENVIRONMENT, "care")
    yield from _fields("", base.state, new.state, _STATE, "care")
    yield from _load(base, new)
    yield from _fields("", base.options, new.options, _EFFORT, "care")
    yield from _one("label", base.label, new.label, "no")
    yield from _one("started_at", base.started_at, new.started_at, "no")


def _code(base: RunInfo, new: RunInfo, pairs: Sequence[Pair]) -> Iterator[Difference]:
    """Ops whose code differs, suites of which only the files can be compared, and packages of the user's own."""
    told = [(before, after, same_code((before, base), (after, new))) for before, after in pairs]
    changed = {b.op_id: (b.fingerprint, a.fingerprint) for b, a, same in told if same is False}
    for op, codes in changed.items():
        yield from _one(f"{_OP}{op}", *codes, "care")
    for suite in dict.fromkeys(before.suite for before, _, same in told if same is None):
        before, after = (run.suites.get(suite, "")[:_DIGITS] for run in (base, new))
        if before and after:
            yield from _one(f"suite {suite}", before, after, "care")
    for name in sorted(base.imported.keys() & new.imported.keys()):
        own, other = base.imported[name], new.imported[name]
        if own.get("files") != other.get("files"):  # a commit of the same files is no difference
            yield from _one(f"package {name}", _version(own), _version(other), "care")


def _memory(base: RunInfo, new: RunInfo, pairs: Sequence[Pair]) -> Iterator[Difference]:
    """Devices on which rows got their memory in another way: barred, the run too if that is true of all rows.

    Without rows, the devices that both runs were planned for tell; early versions kept none, and had the CPU.
    """
    both = {
        (after.device, before.memory_policy, after.memory_policy)
        for before, after in pairs
        if "skipped" not in {before.status, after.status}
    }
    devices = set(base.devices or ("cpu",)) & set(new.devices or ("cpu",))
    both = both or {(device, base.memory_on(device), new.memory_on(device)) for device in devices}
    apart = sorted(one for one in both if one[1] != one[2])
    matters: Matters = "yes" if len(apart) == len(both) else "care"
    for device, before, after in apart:
        yield Difference(
            field=MEMORY if device == "cpu" else f"{MEMORY} of {device}",
            base=before,
            new=after,
            matters=matters,
        )


def _version(package: Mapping[str, Any]) -> str:
    """A package's files by their hash, and their commit where they are of one."""
    commit = package.get("commit")
    return f"{package.get('files')}{f' (commit {commit[:_DIGITS]})' if commit else ''}"


def _load(base: RunInfo, new: RunInfo) -> Iterator[Difference]:
    """How busy the machine was when the run began; a little more or less is nothing."""
    before, after = (run.state.get("load_1min") for run in (base, new))
    if before is not None and after is not None and abs(after - before) > _LOAD:
        yield Difference(field="load_1min", base=_text(before), new=_text(after), matters="care")


def _fields(
    prefix: str,
    base: Mapping[str, Any],
    new: Mapping[str, Any],
    names: tuple[str, ...],
    matters: Matters,
) -> Iterator[Difference]:
    """A fact that one of the runs doesn't know is no difference: older versions knew less."""
    for name in names:
        if name in base and name in new:
            yield from _one(prefix + name, base[name], new[name], matters)


def _one(field: str, before: Any, after: Any, matters: Matters) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _one(f"{field} {key}", before.get(key), after.get(key), matters)
    elif _text(before) != _text(after):
        base, new = _shown(before), _shown(after)
        yield Difference(field=field, base=base, new=new, matters=matters)


def _text(value: Any) -> str:
    """A value as a manifest has it, where tuples are lists."""
    if value is None:
        return MISSING
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _shown(value: Any) -> str:
    return clipped(_text(value), _LONGEST)


def _remedy(base: RunInfo, found: list[Difference]) -> str:
    """The run to make anew, as the base was made; nothing where that would not help."""
    barred = {d.field: d.base for d in found if d.matters == "yes" or d.field == MEMORY}
    if not barred:
        return ""
    named = (*_METHOD, MEMORY)
    words = [quoted(str(word)) for word in base.options.get("suites") or ()]
    options = [f"--{name} {barred[name]}" for name in named if barred.get(name, MISSING) != MISSING]
    again = " ".join(["bench run", *words, *options])
    others = [field for field in barred if field not in named]
    return f"{again} (with {', '.join(others)} as in the base)" if others else again
