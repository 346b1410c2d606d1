"""What `bench compare` says of unchanged code, and of the same made slower: every two runs of a store.

    python tests/lab/compare_aa.py STORE [STORE…] [--replay] [--threshold 0.05] [--confidence 0.99] [--inject 0.10]

The runs must be of unchanged code on one machine. `--replay` makes the rows anew from the stored
samples, as this version summarises them (what an empty call cost is not kept, so its uncertainty is 0).
In a store of runs of `tests/lab/twins.py`, ops are also held against their twins, which truly take longer.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.analysis.compare.comparison import compare
from bench.analysis.compare.repeatability import verdicts
from bench.analysis.history import History, Past
from bench.pool.protocol import Prepared
from bench.records import machine_state
from bench.records.machine_state import Conditions
from bench.records.record import Sample
from bench.run.cells import Cell, headline_cells, scaled_to_reference
from bench.run.summary import Measuring, Noise, pooled_spread, spread_of, summarised
from bench.stats.interval import CONFIDENCE as OF_ROWS
from bench.stats.ratio import CONFIDENCE, THRESHOLD
from bench.store import runs
from bench.store.load import load_records, load_samples
from bench.units import MISSING, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from bench.analysis.compare.verdict import CaseVerdict
    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Run = tuple[RunInfo, list[Record]]

_UNKNOWN = Prepared(
    first_call_s=0.0,
    call_s=0.0,
    loops=1,
    settled=True,
    clock_s=0.0,
    overhead_s=0.0,
    overhead_uncertainty_s=0.0,
)
TWIN = "_longer"
"""What tests/lab/twins.py puts at the end of an op's name for the one that waits after each call."""
_AT_REFERENCE = ("time_at_reference_s", "time_at_reference_lo_s", "time_at_reference_hi_s")


@dataclass(slots=True, kw_only=True)
class Rates:
    """How often which verdict was given: over all pairs, and where both were at reference."""

    everywhere: Counter[str] = field(default_factory=Counter)
    at_reference: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stores", nargs="+", type=Path, help="stores of unchanged runs")
    parser.add_argument("--replay", action="store_true", help="rows anew, from the samples")
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="as a share")
    parser.add_argument("--confidence", type=float, default=CONFIDENCE, help="of the intervals")
    parser.add_argument("--inject", type=float, default=0.10, help="slower by this share")
    asked = parser.parse_args(argv)
    for store in asked.stores:
        found = stored(store)
        found = replayed(found, store) if asked.replay else found
        print(f"{store.name}: {len(found)} runs{', replayed' if asked.replay else ''}")
        for name, by in (("unchanged", 0.0), (f"+{share(asked.inject)}", asked.inject)):
            print(text(name, rates(found, asked.threshold, asked.confidence, by)))
        longer = counted(twins(found, asked.threshold, asked.confidence))
        if longer.everywhere:
            print(text("twins that take longer", longer))
    return 0


def stored(store: Path) -> list[Run]:
    """The finished runs, oldest first, with their rows."""
    finished = [run for run in runs.list_runs(store) if run.finished]
    return [(run.info, load_records(run.folder)) for run in finished]


def rates(
    found: Sequence[Run], threshold: float, confidence: float, slower_by: float = 0.0
) -> Rates:
    """The verdicts on every pair of runs, the later of which was made slower."""
    return counted(verdicts(found, slower_by, threshold=threshold, confidence=confidence))


def twins(found: Sequence[Run], threshold: float, confidence: float) -> Iterator[CaseVerdict]:
    """The verdicts on ops in one run against their twins in another, of every two runs in both orders."""
    for (base, before), (new, after) in itertools.permutations(found, 2):
        one, other = _twins(before, longer=False), _twins(after, longer=True)
        yield from compare(one, other, base, new, threshold=threshold, confidence=confidence).cases


def _twins(rows: Sequence[Record], *, longer: bool) -> list[Record]:
    """The twins under the names of their ops, or the ops that have one."""
    names = {row.op for row in rows if row.op.endswith(TWIN)}
    ops = {name.removesuffix(TWIN) for name in names}
    return [
        dataclasses.replace(row, op=row.op.removesuffix(TWIN), case=row.case.replace(TWIN, ""))
        for row in rows
        if row.op in (names if longer else ops)
    ]


def counted(cases: Iterable[CaseVerdict]) -> Rates:
    """How often each verdict was given."""
    rates = Rates()
    for case in cases:
        rates.everywhere[case.verdict] += 1
        if case.at == "reference":
            rates.at_reference[case.verdict] += 1
        if case.verdict == "unsure":
            rates.reasons[_kind(case.reason)] += 1
    return rates


def text(name: str, found: Rates) -> str:
    """The shares of each verdict in two lines, and why what was left open was."""
    lines = []
    for where, counts in (
        ("all pairs", found.everywhere),
        ("both at reference", found.at_reference),
    ):
        total = counts.total()
        said = [
            f"{v} {share(counts[v] / total) if total else MISSING}"
            for v in ("slower", "faster", "same", "unsure")
        ]
        lines.append(f"  {name}, {where} ({total}): {', '.join(said)}")
    lines += [f"      unsure {n}: {why}" for why, n in found.reasons.most_common(8)]
    return "\n".join(lines)


def replayed(found: Sequence[Run], store: Path) -> list[Run]:
    """The rows as this version makes them, each run knowing those before it."""
    past: list[Past] = []
    anew = []
    for info, rows in found:
        taken = _cells(load_samples(store / info.run_id))
        reference = _reference(rows, taken)
        made = [
            _row(row, taken, _noises(taken, reference, History(past=tuple(past))), reference)
            for row in rows
        ]
        past += [_past(row, reference) for row in made if reference and _settled(row)]
        anew.append((info, made))
    return anew


def _cells(samples: pd.DataFrame) -> dict[tuple[str, str], list[Cell]]:
    found: dict[tuple[str, str], list[Cell]] = {}
    sensed = {"sentinel_compute_s", "sentinel_barrier_s"} <= {*samples.columns}
    for _, of in samples.groupby(["case", "device", "worker", "round"], sort=False):
        first = of.iloc[0]
        known = sensed and first["sentinel_compute_s"] > 0
        barrier = float(first["sentinel_barrier_s"]) if known else 0.0
        conditions = Conditions(
            compute_s=float(first["sentinel_compute_s"]),
            barrier_s=barrier if barrier > 0 else None,
        )
        cell = Cell(
            worker=int(first["worker"]),
            round=int(first["round"]),
            started_ns=round(float(first["at_s"]) * 1e9),
            time_s=float(of["time_s"].median()),
            conditions=conditions if known else None,
            **_process_use(of),
        )
        found.setdefault((str(first["case"]), str(first["device"])), []).append(cell)
    return found


def _process_use(of: pd.DataFrame) -> dict[str, Any]:
    """Faults, switches and CPU time of a cell, where its samples have them."""
    needed = ["minor_faults", "involuntary_switches", "cpu_s"]
    if not {*needed} <= {*of.columns} or of[needed].isna().to_numpy().any():
        return {}
    return {
        "faults": float((of["minor_faults"] / of["loops"]).median()),
        "switched_share": float((of["involuntary_switches"] > 0).mean()),
        "cpu_share": float(of["cpu_s"].sum() / of["elapsed_s"].sum()),
    }


def _reference(
    rows: Sequence[Record], taken: Mapping[tuple[str, str], list[Cell]]
) -> Conditions | None:
    """The one that the rows were scaled to, else the level of this run."""
    for row in rows:
        if row.reference_compute_s:
            return Conditions(compute_s=row.reference_compute_s, barrier_s=row.reference_barrier_s)
    seen = [t.conditions for of in taken.values() for t in of if t.conditions]
    return machine_state.level(seen) if seen else None


def _noises(
    taken: Mapping[tuple[str, str], list[Cell]], reference: Conditions | None, known: History
) -> tuple[Noise, Noise]:
    """What others say of headlines, and of times at reference."""
    chosen = [headline_cells(of, reference) for of in taken.values()]
    at_reference = [scaled_to_reference(of, reference) for of in taken.values()]
    asked = dict.fromkeys(taken)  # one code in all of these runs
    return (
        Noise(others=pooled_spread(map(spread_of, chosen)), floors=known.floors(reference, asked)),
        Noise(
            others=pooled_spread(map(spread_of, at_reference)),
            floors=known.floors(reference, asked, at_reference=True),
        ),
    )


def _row(
    row: Record,
    taken: Mapping[tuple[str, str], list[Cell]],
    noises: tuple[Noise, Noise],
    reference: Conditions | None,
) -> Record:
    key = (row.case, row.device)
    how = Measuring(
        confidence=OF_ROWS,
        cells=tuple(taken[key]),
        gauges=(),
        noise=noises[0].of(key),
        noise_at_reference=noises[1].of(key),
        reference=reference,
        prepared=(_UNKNOWN,),
    )
    nothing: dict[str, Any] = dict.fromkeys(_AT_REFERENCE)
    bare = dataclasses.replace(row, **nothing)
    return summarised(bare, tuple(_sample(row, cell) for cell in taken[key]), how)


def _sample(row: Record, cell: Cell) -> Sample:
    """A cell as one sample: what is told from single samples is not asked here."""
    return Sample(
        case=row.case,
        device=row.device,
        worker=cell.worker,
        round=cell.round,
        at_s=cell.started_ns * 1e-9,
        loops=1,
        elapsed_s=cell.time_s,
        time_s=cell.time_s,
    )


def _settled(row: Record) -> bool:
    return row.time_s is not None and "other-state" not in row.warnings


def _past(row: Record, reference: Conditions) -> Past:
    return Past(
        key=(row.case, row.device),
        time_s=row.time_s or 0.0,
        at_reference_s=row.time_at_reference_s,
        reference=reference,
    )


def _kind(reason: str) -> str:
    """The reason without its numbers."""
    plain = "".join("#" if c.isdigit() else c for c in reason)
    return plain.partition(" (")[0] if "sentinels" in plain else plain[:60]


if __name__ == "__main__":
    raise SystemExit(main())
