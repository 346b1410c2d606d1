"""A request: what the user asked for, in the user's words, and the plan and options that follow from it.

A request is kept in the run's manifest, so the same words give the same run again (and resume it).
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import SelectionError, UnitError, hint
from bench.machine import hardware
from bench.machine.compute_mode import ContextLimits
from bench.plan import choose, discover, fingerprint, plan
from bench.plan.case_id import values_in
from bench.plan.mode import EAGER
from bench.plan.schedule import Schedule
from bench.plan.selection import Selection
from bench.pool.pool import no_collecting, start
from bench.records import codec
from bench.records.cache_state import COLD, HOT
from bench.records.memory_policy import POLICIES, REUSE, SYSTEM
from bench.run import manifest
from bench.units import parse_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.discover import LoadedSuite
    from bench.plan.plan import Plan, Preset
    from bench.pool.pool import Start
    from bench.run.manifest import Options
    from bench.store.runs import RunInfo

DEFAULT_PRESET = "quick"
DEFAULT_TIMEOUT_S = 60.0
START_S = 5.0
"""Seconds for starting workers and importing torch, for estimates."""
EXTRA_PER_WORKER_S = 0.03
"""Seconds for building, checking and warming up a case in a worker, and for the sentinels, for estimates."""
COMPILER_S, COMPILE_S = 25.0, 4.0
"""Seconds for starting the compiler in all workers, and for compiling a case in each of six, for estimates."""
COLD_VISIT_S = 0.02
"""Shortest time of a visit with cold caches, for estimates: three evictions of some 6 ms."""
_VISIT_S, _MOST_ROUNDS = 0.008, 20
"""Where the budget allows more than the preset's rounds, visits are no longer than 8 ms: cells differ by more than their
samples do, and shorter ones do not differ by more (decision 5). Beyond 20 rounds there are visits enough."""
_LEAST_BUDGET_S = 0.05
WORKERS_OF_SIDE, GPU_WORKERS_OF_SIDE = 10, 6
"""Workers of each side of an A/B measurement. Rounds don't narrow how far processes lie apart: with six workers,
of 18 ops slower by 5 % 14 to 16 were found, with ten 12 of 12. On a GPU each worker has a context of some
hundred MB of its memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The words of `bench run` and `bench list`, parsed but not yet looked up."""

    suites: tuple[str, ...] = ()
    keyword: str = ""
    devices: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modes: tuple[str, ...] = (EAGER,)
    preset: str = DEFAULT_PRESET
    budget_s: float | None = None
    workers: int | None = None
    rounds: int | None = None
    threads: int | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    patience_s: float | None = None
    seed: int | None = None
    cache: str = HOT
    memory: str = REUSE
    kernels: bool = True
    energy: bool = False
    roofs: bool = True
    few_ops: bool = True
    """Whether the quick preset has only the ops that are `quick`, where no suite and no keyword is named."""
    sides: int = 1
    """Sides that are measured at the same time, with so many workers each."""

    @property
    def chosen_preset(self) -> Preset:
        """The preset of that name.

        Raises:
            SelectionError: there is none.
        """
        if self.preset not in plan.PRESETS:
            message = f"there is no preset {self.preset!r}; {hint(self.preset, plan.PRESETS)}"
            raise SelectionError(message)
        return plan.PRESETS[self.preset]

    @property
    def cpu_only_by_default(self) -> bool:
        """Whether no device was asked for and the machine has only a CPU."""
        from bench.worker import devices  # noqa: PLC0415 - torch, after the workers are started

        return not self.devices and devices.present() == ("cpu",)

    def start(self) -> Start:
        """Start the workers, before the plan is made: they import torch while we do.

        Raises:
            SelectionError: there is no such preset, or the devices asked for do not let so many workers in.
        """
        self.check_access()
        workers = self.workers or self.chosen_preset.workers
        return start(workers, self.threads or threads_by_default(), memory=self.memory)

    def check_access(self) -> None:
        """See that some device which is asked for lets all workers in; where only some do not, their cases are skipped.

        Raises:
            SelectionError: none does, or the workers can't be told what they are to keep of memory.
        """
        self._check_states()
        refused = self._refused(self.devices)
        if self.devices and all(refused.values()):
            message = f"--device {','.join(self.devices)}: {next(iter(refused.values()))}"
            raise SelectionError(message)

    def _check_states(self) -> None:
        """See that the states of caches and memory are known ones.

        Raises:
            SelectionError: one is not.
        """
        if self.cache not in {HOT, COLD}:
            known = hint(self.cache, (HOT, COLD))
            message = f"--cache {self.cache!r} is neither hot nor cold; {known}"
            raise SelectionError(message)
        if self.memory not in POLICIES:
            known = hint(self.memory, POLICIES)
            message = f"--memory {self.memory!r} is none of {', '.join(POLICIES)}; {known}"
            raise SelectionError(message)

    def _refused(self, devices: Sequence[str]) -> dict[str, str]:
        """Device → why it does not let all workers in; empty where it does."""
        on_cuda = any(device.startswith("cuda") for device in devices)
        limits = ContextLimits.read() if on_cuda else ContextLimits()
        workers = self.sides * (self.workers or self.chosen_preset.workers)
        remedy = "write --workers 1 (no intervals then)" if self.sides == 1 else ""
        return {device: limits.why_refused(device, workers, remedy) for device in devices}

    def plan(self, *, fingerprints: bool = True, elsewhere: bool = False) -> Plan:
        """The cases and skips.

        Args:
            fingerprints: whether they have these, which what is only listed need not wait for.
            elsewhere: whether it is another machine's plan, whose devices are those that are named.

        Raises:
            BenchError: a word stands for nothing.
        """
        self._check_states()
        with no_collecting():
            from bench.worker import devices  # noqa: PLC0415 - torch, after the workers are started

        short = self.chosen_preset.short_axes
        wanted = devices.chosen(self.devices)
        _, named = choose.split_names(self.suites)
        selection = Selection(
            devices=wanted,
            keyword=self.keyword,
            settings=self.settings,
            short_axes=short,
            named=named,
            modes=self.modes,
            quick_ops=short and self.few_ops and not self.suites and not self.keyword.strip(),
        )
        refused = {} if elsewhere else self._refused(wanted)
        missing = {name: devices.why_missing(name) or why for name, why in refused.items()}
        loaded = self.loaded()
        found = plan.expand(loaded, selection, missing)
        return fingerprint.identified(found, loaded) if fingerprints else found

    def loaded(self) -> tuple[LoadedSuite, ...]:
        """The suites that are named, or all that are shipped.

        Raises:
            SuiteError: one can't be found or read.
        """
        return discover.load_all(*choose.split_names(self.suites))

    def case_budget_s(self, cases: int) -> float:
        """Sampling time of one case: as asked, else the preset's, cut to what its run may take."""
        preset = self.chosen_preset
        if self.budget_s is not None:
            return self.budget_s
        if preset.run_budget_s is None or not cases:
            return preset.case_budget_s
        return max(_LEAST_BUDGET_S, min(preset.case_budget_s, preset.run_budget_s / cases))

    def rounds_of(self, cases: int) -> int:
        """Planned rounds: as asked, else the preset's, or more where a case has the time for them."""
        preset = self.chosen_preset
        if self.rounds or self.cache == COLD:
            return self.rounds or preset.rounds
        workers = self.workers or preset.workers
        fitting = int(self.case_budget_s(cases) / (workers * _VISIT_S))
        return max(preset.rounds, min(fitting, _MOST_ROUNDS))

    def estimate_s(self, cases: int, compiled: int = 0) -> float:
        """About how long measuring takes, where so many of the cases are compiled."""
        workers = self.workers or self.chosen_preset.workers
        each_s = self.case_budget_s(cases)
        if self.cache == COLD:
            each_s = max(each_s, workers * self.rounds_of(cases) * COLD_VISIT_S)
        each_s += workers * EXTRA_PER_WORKER_S
        compiling_s = COMPILER_S + compiled * COMPILE_S if compiled else 0.0
        return START_S + cases * each_s + compiling_s if cases else 0.0

    def options(
        self, cases: int, *, label: str | None, tags: Mapping[str, str], argv: Sequence[str]
    ) -> Options:
        """How these words are measured."""
        preset = self.chosen_preset
        schedule = Schedule(
            case_budget_s=self.case_budget_s(cases),
            workers=self.workers or preset.workers,
            rounds=self.rounds_of(cases),
            timeout_s=self.timeout_s,
            patience_s=preset.patience_s if self.patience_s is None else self.patience_s,
            cache=self.cache,
            memory=self.memory,
            kernels=self.kernels,
            energy=self.energy,
            memory_bytes=manifest.usable_memory_bytes(),
        )
        return manifest.Options(
            schedule=schedule,
            threads=self.threads or threads_by_default(),
            seed=secrets.randbits(31) if self.seed is None else self.seed,
            preset=self.preset,
            selection={
                "suites": list(self.suites),
                "keyword": self.keyword,
                "devices": list(self.devices),
                "settings": {k: list(v) for k, v in self.settings.items()},
                "modes": list(self.modes),
            },
            label=label,
            tags=tags,
            argv=argv,
            roofs=self.roofs,
        )


def request_of(info: RunInfo) -> Request:
    """The request that a run began with, every choice as it was made then; its files are where they were."""
    asked = codec.decode(Request, info.options)
    folder = Path(info.folder or "")
    suites = [
        str(folder / w) if w.endswith(".py") and (folder / w).is_file() else w for w in asked.suites
    ]
    memory = info.options.get("memory", SYSTEM)  # older versions asked for none
    return dataclasses.replace(asked, suites=tuple(suites), memory=memory)


def parse_settings(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`["n=64,256", "dtype=float32"]` → axis → values.

    Raises:
        SelectionError: a word is not `axis=value,…`.
    """
    settings: dict[str, tuple[str, ...]] = {}
    for word in words:
        axis, _, values = word.partition("=")
        try:
            texts = values_in(values)
        except ValueError:
            texts = ()
        if not axis.strip() or not texts:
            message = f"--set {word!r} can't be read; write axis=value,value (n=64,256)"
            raise SelectionError(message)
        settings[axis.strip()] = settings.get(axis.strip(), ()) + texts
    return settings


def parse_tags(words: Sequence[str]) -> dict[str, str]:
    """`["branch=main"]` → key → value.

    Raises:
        SelectionError: a word is not `key=value`.
    """
    tags = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key.strip() or not equals:
            message = f"--tag {word!r} can't be read; write key=value"
            raise SelectionError(message)
        tags[key.strip()] = value.strip()
    return tags


def parse_budget(text: str | None, option: str) -> float | None:
    """Seconds of an option, or None where it was not given.

    Raises:
        UnitError: the text is no stretch of time.
    """
    try:
        return None if text is None else parse_seconds(text)
    except UnitError as error:
        message = f"{option} {error}"
        raise UnitError(message) from error


def parse_patience(text: str | None) -> float | None:
    """Seconds of --patience, which may be 0, or None where it was not given.

    Raises:
        UnitError: the text is no stretch of time.
    """
    if text is not None and text.strip() in {"0", "0s"}:
        return 0.0
    return parse_budget(text, "--patience")


def threads_by_default() -> int:
    """What the user's environment says, else one thread per physical core."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) > 0 else hardware.default_threads()


def workers_of_side(asked: int | None, devices: Sequence[str]) -> int:
    """How many processes a side has: as many as were asked for, else what fits what they measure on."""
    on_gpu = set(devices) != {"cpu"} if devices else bool(hardware.nvidia()[0])
    return asked or (GPU_WORKERS_OF_SIDE if on_gpu else WORKERS_OF_SIDE)
