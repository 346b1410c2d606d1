"""What must have come of each scenario: a function of what it left, which names what is wrong in one line each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from tests.gpu import session
from tests.gpu.null import rows
from tests.gpu.null.scenario import last_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gpu.null.scenario import Made

FULL_HZ = 1980e6
"""The clock of a null GPU that nothing holds back."""
LARGEST_BYTES = 16 * 2**20
"""Of a session's archive."""


def sound_run(made: Made, workers: int, within_s: float = math.inf) -> list[str]:
    """Statuses, workers and captures as they should be, no time that a row can't have, and in time."""
    ended = made.ended[0]
    late = [f"{ended.seconds:.0f} s, {within_s:.0f} s expected"] if ended.seconds > within_s else []
    return [*statuses(made, workers), *rows.problems(made.rows), *late]


def statuses(made: Made, workers: int) -> list[str]:
    """As the rows have them; of results nothing is asked, since kernels are not executed."""
    if code := made.codes(0):
        return code
    return [
        *made.lost_workers(workers),
        *made.failed_captures(),
        *rows.statuses(made.rows),
    ]


def ended_well(made: Made) -> list[str]:
    """With exit code 0."""
    return made.codes(0)


def profile_names_the_product(made: Made) -> list[str]:
    """The kernel that a product is here."""
    if code := made.codes(0):
        return code
    said = made.ended[0].out
    return [] if "null_product" in said else [f"no kernel null_product in {said[:200]}"]


def ab_finds_what_changed(made: Made) -> list[str]:
    """A fifth more is slower, the same is the same."""
    changed, same = ([case["verdict"] for case in one.document["cases"]] for one in made.ended)
    return [
        *([] if changed == ["slower"] else [f"20 against 24 µs: {changed}, slower expected"]),
        *([] if same == ["same"] else [f"20 against 20 µs: {same}, same expected"]),
    ]


def energy_is_true(made: Made) -> list[str]:
    """To 3 %: the counter moves in steps, and is looked at with the device at rest."""
    problems = made.codes(0)
    found = [] if problems else [float(joules) for joules in made.rows["energy_j"]]
    off = [
        f"{one * 1e3:.2f} mJ, 6.00 expected"
        for one in found
        if not math.isclose(one, 6e-3, rel_tol=0.03)
    ]
    return problems or off or ([] if found else ["no energy"])


def both_record(made: Made) -> list[str]:
    """As many graphs on either device."""
    found = sound_run(made, workers=2)
    lacking = made.rows.groupby("device")["graph_time_s"].count().to_dict()
    return found + ([] if len(set(lacking.values())) == 1 else [f"graphs recorded: {lacking}"])


def doctor_sees_the_gpu(made: Made) -> list[str]:
    """The driver that is unloaded between programs, and the clock that is held down."""
    codes = {one["code"]: one["severity"] for one in made.ended[0].document["findings"]}
    return [] if {"clock-throttled", "persistence"} <= set(codes) else [f"found only {codes}"]


def power_is_seen(made: Made) -> list[str]:
    """Both the clock while the case's own kernels ran, and the warning."""
    found = statuses(made, workers=2)
    seen = made.rows[made.rows["sm_clock_hz"] < FULL_HZ] if not found else made.rows
    said = seen["warnings"].map(lambda codes: "clock-throttled" in codes)
    return found or (
        [] if len(seen) and said.all() else ["no clock below 1980 MHz, or no warning of it"]
    )


def oom_is_said(made: Made) -> list[str]:
    """In a line that says how much was asked for; other cases go on, and so do workers."""
    counts = made.rows["status"].value_counts().to_dict()
    missing = {"ok", "oom", "skipped"} - set(counts)
    others = set(counts) - {"ok", "oom", "skipped"}
    told = made.rows[made.rows["status"] == "oom"]["reason"].astype(str)
    wordy = [reason for reason in told if "Tried to allocate" not in reason or len(reason) > 200]
    problems = [f"statuses {counts}"] if missing or others else []
    return problems + wordy[:1] + made.lost_workers(2, allowed=1)  # its cases fill two batches


def fault_costs_one_case(made: Made) -> list[str]:
    """And one worker."""
    found = rows.problems(made.rows, {"failed": 1})
    return found + made.lost_workers(2, allowed=1)


def exclusive_is_answered(made: Made) -> list[str]:
    """In one line that six workers get; one worker measures."""
    refused, alone = made.ended
    said = refused.err.strip().splitlines()
    one_line = refused.code == 2 and len(said) == 1 and "exclusive" in said[0].lower()
    problems = [] if one_line else [f"six workers: exit code {refused.code}, {said[:3]}"]
    problems += (
        [] if alone.code in {0, 6} else [f"one worker: exit code {alone.code}: {last_line(alone)}"]
    )
    return problems or rows.problems(made.rows)


def occupied_is_given_up(made: Made) -> list[str]:
    """No case is measured, and not one worker is lost for each."""
    counts = made.rows["status"].value_counts().to_dict()
    if "ok" in counts:
        return [f"statuses {counts}: none can be ok"]
    return made.lost_workers(2, allowed=6)


def measured_without_kernels(made: Made) -> list[str]:
    """All but the profile."""
    found = statuses(made, workers=2)
    named = made.rows["kernels_per_call"].gt(0).sum() if not found else 0
    return found or ([f"{named} rows have kernels that nobody saw"] if named else [])


def loss_is_said(made: Made) -> list[str]:
    """Of most rows: one kernel of seven is in no trace."""
    found = statuses(made, workers=2)
    said = sum("profile-incomplete" in codes for codes in made.rows["warnings"]) if not found else 0
    return found or (
        [] if said >= len(made.rows) / 2 else [f"{said} of {len(made.rows)} rows say so"]
    )


def wrong_results_are_said(made: Made) -> list[str]:
    """Of a device that computes nothing no result is correct, if its inputs are random."""
    found = statuses(made, workers=2)
    measured = made.rows[made.rows["status"] == "ok"]
    right = [
        case for case, correct in zip(measured["case"], measured["correct"], strict=True) if correct
    ]
    return found + ([f"correct on a device that computes nothing: {right[:4]}"] if right else [])


def session_fits(made: Made, minutes: float, last: str) -> list[str]:
    """In its minutes, with one archive that is not too large, and no step cut off up to the last that is to fit."""
    ended = made.ended[0]
    late = [f"{ended.seconds:.0f} s of {60 * minutes:.0f}"] if ended.seconds > 60 * minutes else []
    archive = made.work / "out" / "session.tgz"
    size = archive.stat().st_size if archive.is_file() else 0
    held = [] if 0 < size <= LARGEST_BYTES else [f"an archive of {size} bytes"]
    return [*late, *held, *_cut_off(made.work / "out" / "work" / session.TIMES, last)]


def _cut_off(times: Path, last: str) -> list[str]:
    """The steps that were, up to the last that is to fit; also where that one was not begun."""
    steps = json.loads(times.read_text(encoding="utf-8")) if times.is_file() else []
    places = [place for place, step in enumerate(steps) if step["step"] == last]
    if not places:
        return [f"{last} did not fit"]
    return [
        f"{step['step']} was cut off" for step in steps[: places[-1] + 1] if step["code"] is None
    ]
