"""What rows of finished runs must say on a GPU: that our device times are what others see, and repeat.

Each check takes rows as `load_rows` gives them and is pure; which runs they come from is the caller's
business.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.compare import repeatability
from bench.units import counted, seconds, share, size
from tests.gpu.check import Check

TIME_TOLERANCE, SHORT_TOLERANCE_S = 0.03, 0.3e-6
"""How far two ways of timing the same kernel may be apart, and how far in any case: marks resolve 32 ns on an
H200, half a microsecond by CUDA's manual."""
GAP_S = 1e-6
"""Between two kernels of a stream, however full its queue, which neither a profiler's sum of kernels nor a
graph has in it: 0.65 to 0.9 µs a kernel on an H200 (`docs/gpu.md`)."""
SPREAD_MIDDLE, SPREAD_WORST = 0.02, 0.05
"""Of 144 device times in two runs of an H200 the middle one moved by 0.86 %, and none by 5 (`docs/gpu.md`)."""
CACHE_TOLERANCE = 0.05
"""Cold and hot differ if they are further apart than that, and agree if they are not: of 113 cases that fit into
a quarter of an H200's L2 each was 7 % slower or more (`docs/gpu.md`)."""
SMALL, LARGE = 0.25, 4
"""Of the L2: what is smaller fits beside what else is there, of what is larger little is left in it."""
SHOWN = 3
"""Cases that a note names."""
OURS = "device_time_s"
OTHERS = {"profiler": "profiled_time_s", "graph": "graph_time_s"}
"""Who else tells the device's own time → the column."""
COLD, KERNELS = "device_time_cold_s", "kernels_per_call"
_NUMBERS = (OURS, *OTHERS.values(), COLD, KERNELS, "input_bytes")
_KEY = ["case", "device"]


def other_agrees(rows: pd.DataFrame, other: str, l2_bytes: float | None = None) -> Check:
    """Whether our device time is what the profiler or a replayed graph says, in each hot case.

    Not where the data takes a quarter to four times the L2: how much of it is found there differs from one
    series of calls to another (50 MB of an H200's 63: 12.9 µs, and 11.4 by the profiler).
    """
    column = OTHERS[other]
    wanted = (
        f"device time within {share(TIME_TOLERANCE)} or {seconds(SHORT_TOLERANCE_S)} of the {other}'s, "
        f"and {seconds(GAP_S)} a kernel above it at most"
    )
    measured = _newest(_timed(rows, "hot"))
    own = _having(measured, [column])
    both = own[~_partly_cached(own, l2_bytes)]
    if both.empty:
        nothing = "no case was measured hot on the GPU: the step `quick` does that"
        note = f"no case has `{column}`" if len(measured) else nothing
        return Check(name=other, wanted=wanted, ok=None, note=note)
    above_s = both[OURS] - both[column]
    allowed_s = np.maximum(TIME_TOLERANCE * both[column], SHORT_TOLERANCE_S)
    gaps_s = GAP_S * both[KERNELS].fillna(1).clip(lower=1)
    apart_s = pd.concat([-above_s, above_s - gaps_s], axis=1).max(axis=1)
    off = _worst_first(both, apart_s / allowed_s, above=1)
    named = [_pair_of_times(r, r[column], other) for r in _records(off.head(SHOWN))]
    lacking, between = len(measured) - len(own), len(own) - len(both)
    without = f"{counted(lacking, 'case')} without `{column}`" if lacking else ""
    partly = f"{counted(between, 'case')} partly in the L2, not judged" if between else ""
    return Check(
        name=other,
        wanted=wanted,
        seen=f"{len(off)} of {counted(len(both), 'case')} off",
        ok=off.empty,
        note=_joined(*named, without, partly),
        cases=_numbers(off, [OURS, *OTHERS.values()]),
    )


def runs_agree(rows: pd.DataFrame) -> Check:
    """Whether the newest two runs, each of fresh processes, have the same device times.

    Of most quick cases a caller waits for the launch, so `time_s` is the host's, and says nothing of the GPU.
    """
    wanted = (
        f"device times of two runs at most {share(SPREAD_MIDDLE)} apart in the middle, "
        f"{share(SPREAD_WORST)} at worst"
    )
    runs = sorted(rows["run_id"].unique())[-2:]
    if len(runs) < 2:
        note = "there are no two finished runs: the steps `quick` and `again` make them"
        return Check(name="repeats", wanted=wanted, ok=None, note=note)
    own = _timed(rows[rows["run_id"].isin(runs)], "hot")
    found = repeatability.agreement(own, OURS)
    if found is None:
        note = "no case was measured on the GPU in both runs"
        return Check(name="repeats", wanted=wanted, ok=False, note=note)
    ok = found.spread_middle <= SPREAD_MIDDLE and found.spread_worst <= SPREAD_WORST
    wide = repeatability.spreads(own, OURS).rename("spread").reset_index()
    widest = [f"{one['case']} {share(one['spread'])}" for one in _records(wide.head(SHOWN))]
    return Check(
        name="repeats",
        wanted=wanted,
        seen=f"{share(found.spread_middle)}, {share(found.spread_worst)} ({found.cases} cases)",
        ok=ok,
        note=f"the widest: {_joined(*widest)}",
        cases=() if ok else _numbers(wide[wide["spread"] > SPREAD_MIDDLE], ["spread"]),
    )


def cold_is_slower(rows: pd.DataFrame, l2_bytes: float | None) -> Check:
    """Whether emptying the caches costs the cases that read what fits well into the L2.

    A case that moves no more than its inputs take only writes (`arange`), or looks at none of what it is
    given (`rand_like`): it has nothing to find in a cache.
    """
    wanted = (
        f"cold more than {share(CACHE_TOLERANCE)} slower than hot "
        f"where data that is read takes {share(SMALL)} of the L2 or less"
    )
    both = _hot_and_cold(rows)
    reads = (both["input_bytes"] > 0) & (both["bytes"] > both["input_bytes"])
    chosen = both[reads & (both["bytes"] <= SMALL * (l2_bytes or math.nan))]
    short_of = CACHE_TOLERANCE - (chosen["cold_s"] / chosen["hot_s"] - 1)
    return _caches("caches-small", wanted, (both, chosen), l2_bytes, short_of)


def cold_is_the_same(rows: pd.DataFrame, l2_bytes: float | None) -> Check:
    """Whether emptying the caches costs nothing where there was nothing in them to be found."""
    wanted = f"cold within {share(CACHE_TOLERANCE)} of hot where the data takes {LARGE} times the L2 or more"
    both = _hot_and_cold(rows)
    chosen = both[both["bytes"] >= LARGE * (l2_bytes or math.nan)]
    excess = (chosen["cold_s"] / chosen["hot_s"] - 1).abs() - CACHE_TOLERANCE
    return _caches("caches-large", wanted, (both, chosen), l2_bytes, excess)


def _caches(
    name: str,
    wanted: str,
    both_and_chosen: tuple[pd.DataFrame, pd.DataFrame],
    l2_bytes: float | None,
    wrong: pd.Series[float],
) -> Check:
    """The check that no chosen case is wrong, by more than 0."""
    both, chosen = both_and_chosen
    if chosen.empty:
        return Check(name=name, wanted=wanted, ok=None, note=_why_none(both, l2_bytes))
    off = _worst_first(chosen, wrong, above=0)
    ratios = chosen["cold_s"] / chosen["hot_s"] - 1
    return Check(
        name=name,
        wanted=wanted,
        seen=f"{len(off)} of {counted(len(chosen), 'case')} off; "
        f"cold is {100 * ratios.min():+.2g} to {100 * ratios.max():+.2g} % slower",
        ok=off.empty,
        note=_joined(
            *(
                f"{r['case']} ({size(r['bytes'])}): hot {seconds(r['hot_s'])}, "
                f"cold {seconds(r['cold_s'])}"
                for r in _records(off.head(SHOWN))
            ),
            f"L2 {size(l2_bytes)}",
        ),
        cases=_numbers(off, ["bytes", "hot_s", "cold_s"]),
    )


def _why_none(both: pd.DataFrame, l2_bytes: float | None) -> str:
    if both.empty:
        return "no case has a time with cold caches: the steps `quick` and `caches` make them"
    if not l2_bytes:
        return "the run does not say how large the L2 is"
    span = f"{size(both['bytes'].min())} to {size(both['bytes'].max())}"
    return f"no case is of that size: the L2 has {size(l2_bytes)}, and the cases move {span}"


def _hot_and_cold(rows: pd.DataFrame) -> pd.DataFrame:
    """The newest of each case: `hot_s`, `cold_s`, and `bytes`, all that it reads and writes."""
    both = _newest(_having(_timed(rows, "hot"), ["bytes", COLD]))
    return both.rename(columns={OURS: "hot_s", COLD: "cold_s"})


def _partly_cached(rows: pd.DataFrame, l2_bytes: float | None) -> pd.Series[bool]:
    """Whether the data of a row is neither well within the L2 nor far beyond it."""
    moved, size_bytes = rows["bytes"].astype(float), l2_bytes or math.nan
    return (moved > SMALL * size_bytes) & (moved < LARGE * size_bytes)


def _timed(rows: pd.DataFrame, cache: str) -> pd.DataFrame:
    """The rows of a GPU with a device time, measured in this state of the caches."""
    own: pd.DataFrame = rows[_on_gpu(rows) & (rows["status"] == "ok") & (rows["cache"] == cache)]
    return _having(own, [OURS])


def _on_gpu(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["device"].astype(str).str.startswith("cuda")


def _having(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The rows that have numbers above 0 in these columns; runs of older versions may lack a column."""
    whole = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *_NUMBERS])))
    whole = whole.astype(dict.fromkeys([*columns, *_NUMBERS], float))
    having: pd.DataFrame = whole[(whole[columns] > 0).all(axis=1)]
    return having


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each case the row of the newest run."""
    return rows.sort_values("run_id", kind="stable").drop_duplicates(_KEY, keep="last")


def _worst_first(rows: pd.DataFrame, by: pd.Series[float], above: float) -> pd.DataFrame:
    """The rows for which that is above a limit."""
    return rows.loc[by[by > above].sort_values(ascending=False, kind="stable").index]


def _pair_of_times(record: dict[str, Any], other_s: float, other: str) -> str:
    off = 100 * (record[OURS] / other_s - 1)
    return f"{record['case']}: {seconds(record[OURS])}, {other} {seconds(other_s)} ({off:+.2g} %)"


def _numbers(rows: pd.DataFrame, columns: list[str]) -> tuple[dict[str, Any], ...]:
    """What `checks.json` says of these cases; a number that there is not is null."""
    return tuple(
        {k: None if pd.isna(v) else v for k, v in record.items()}
        for record in _records(rows[[*_KEY, *columns]])
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in one.items()} for one in rows.to_dict("records")]


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
