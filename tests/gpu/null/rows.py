"""What rows measured on the null GPU must say: its kernels' lengths are known, so a wrong time has nowhere to hide."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE, STEP_S = 0.005, 0.5e-6
"""How far a time may be off: half a percent, and for one call between two events two halves of their resolution."""
MOST_DRAIN_S = 1e-4
"""Some microseconds by the settings, and what torch and a slow host take for a wait."""
TIMES = ("device_time_s", "graph_time_s", "device_time_cold_s")
SHOWN = 4


def problems(rows: pd.DataFrame, wanted: dict[str, int] | None = None) -> list[str]:
    """What is wrong with the rows of the GPU, in one line each; none if nothing is.

    Args:
        rows: of one run.
        wanted: status → how many rows may have it, beside `ok` and `skipped`.
    """
    own = rows[rows["device"].astype(str).str.startswith("cuda")]
    if own.empty:
        return ["no row of the GPU"]
    found = statuses(own, wanted or {})
    measured = own[own["status"] == "ok"]
    for name, check in CHECKS.items():
        wrong = [one["case"] + ": " + said for one in _records(measured) if (said := check(one))]
        found += [f"{name}: {len(wrong)} rows, as {'; '.join(wrong[:SHOWN])}"] if wrong else []
    return found


def statuses(rows: pd.DataFrame, wanted: dict[str, int] | None = None) -> list[str]:
    """Which rows have a status that none should have, and which are missing."""
    return list(_statuses(rows, wanted or {}))


def _statuses(rows: pd.DataFrame, wanted: dict[str, int]) -> Iterator[str]:
    counts = Counter(rows["status"].tolist())
    for status, count in counts.items():
        if status in {"ok", "skipped"} or count == wanted.get(status):
            continue
        reasons = rows[rows["status"] == status]["reason"].astype(str).unique()[:SHOWN]
        yield f"{count} rows {status}, {wanted.get(status, 0)} expected: {'; '.join(reasons)}"
    yield from (f"no row {s}, {n} expected" for s, n in wanted.items() if s not in counts)
    if "ok" not in counts:
        yield "no row ok"


def _headline(row: dict[str, Any]) -> str:
    """A caller waits for at least the device's own time."""
    time_s, device_s = row["time_s"], row["device_time_s"]
    if not time_s > 0:
        return f"time_s is {time_s}"
    hot = row["cache"] == "hot"
    return (
        f"{time_s:.3g} s, {device_s:.3g} s on the device"
        if hot and time_s < 0.98 * device_s
        else ""
    )


def _drain(row: dict[str, Any]) -> str:
    """What a sample has in it once: a launch's way to the device, its last kernel and the wait, and never half a millisecond.

    No time is made shorter than the device's own by it, so that a wrong one shows here alone.
    """
    drain_s, most_s = row["drain_s"], MOST_DRAIN_S + row["device_time_s"]
    return f"{drain_s:.3g} s" if drain_s > most_s or not drain_s > 0 else ""


def _idle(row: dict[str, Any]) -> str:
    """What launches no kernel has no time on the device, and is bound by nothing."""
    if row["kernels_per_call"] != 0:
        return ""
    said = [name for name in (*TIMES, "bound_by") if not pd.isna(row[name])]
    return f"no kernel, but {', '.join(said)}" if said else ""


def _against_kernels(column: str, steps: int) -> Any:
    """A time on the device is the sum of the kernels, which follow each other without a gap."""

    def check(row: dict[str, Any]) -> str:
        known_s, seen_s = row["profiled_time_s"], row[column]
        if pd.isna(known_s) or pd.isna(seen_s):
            return ""
        off_s = abs(seen_s - known_s)
        allowed_s = SHARE * known_s + steps * STEP_S
        return f"{seen_s:.5g} s, its kernels take {known_s:.5g} s" if off_s > allowed_s else ""

    return check


def _profiled(row: dict[str, Any]) -> str:
    """A profile is whole."""
    return "profile-incomplete" if "profile-incomplete" in row["warnings"] else ""


CHECKS = {
    "time_s": _headline,
    "drain_s": _drain,
    "idle": _idle,
    "device_time_s": _against_kernels("device_time_s", 0),
    "graph_time_s": _against_kernels("graph_time_s", 0),
    "device_time_cold_s": _against_kernels("device_time_cold_s", 2),
    "profile": _profiled,
}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in one.items()} for one in rows.to_dict("records")]
