"""The scenarios: every command that measures on a GPU, on devices that work, that fail, and that deceive."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from tests.gpu import session_steps
from tests.gpu.null import rows
from tests.gpu.null.environment import HERE, ROOT
from tests.gpu.null.scenario import STORE, Made, Scenario, last_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gpu.null.scenario import Command

MISSION = ("creation", "matmul", "mul", "cat", "view", "backward")
QUICK_S = 150
"""What the quick preset may take, its profile included: it was 200 s of a real GPU, most of them between visits."""
FULL_HZ = 1980e6
FEW = ("--workers", "2", "--rounds", "4", "--budget", "100ms")
BRIEFLY = ("--workers", "2", "--rounds", "2", "--budget", "20ms")


def all_scenarios(python: str, work: Path) -> tuple[Scenario, ...]:
    """Every scenario, for this interpreter, each with a folder of its own below `work`."""
    made = [*_sound(python, work), *_broken(python, work), *_whole(python, work)]
    return tuple(made)


def _sound(python: str, work: Path) -> list[Scenario]:
    """A device that does what it should."""
    run = partial(_run, python, work)
    bench = partial(_bench, python)
    return [
        Scenario(
            name="trueness",
            what="kernels of 4 and 5 µs in samples of 0.2 to 5 ms, with a drain of 10 µs; calls that wait",
            commands=((python, str(HERE / "trueness.py")),),
            settings={"DRAIN_US": "10", "LAUNCH_US": "0"},
            check=_printed_no_problem,
        ),
        Scenario(
            name="products",
            what="mul and matmul, from end to end",
            commands=(run("products", "mul", "matmul", *FEW),),
            check=partial(_sound_run, workers=2),
        ),
        Scenario(
            name="cold",
            what="mul with its caches emptied",
            commands=(run("cold", "mul", *FEW, "--cache", "cold"),),
            check=partial(_sound_run, workers=2),
        ),
        Scenario(
            name="profile",
            what="bench profile of a product",
            commands=(
                bench(
                    "profile",
                    "matmul/square and n=64 and float32",
                    "--device",
                    "cuda",
                    "--json",
                    "--out",
                    str(work / "profile"),
                ),
            ),
            check=_profile_names_the_product,
        ),
        Scenario(
            name="ab",
            what="bench ab of the same, and of kernels that take 20 and 24 µs",
            commands=(
                _ab(python, work, "24"),
                _ab(python, work, "20"),
            ),
            settings={"KERNEL_US": "20"},
            check=_ab_finds_what_changed,
        ),
        Scenario(
            name="crossover",
            what="bench crossover between the CPU and the GPU",
            commands=(
                bench(
                    "crossover",
                    "mul/matrices",
                    "--between",
                    "cpu,cuda",
                    "--budget",
                    "20",
                    "--json",
                    "--store",
                    str(work / "crossover" / STORE),
                ),
            ),
            check=_crossover_is_found,
        ),
        Scenario(
            name="energy",
            what="a kernel of 20 µs at 300 W is 6 mJ",
            commands=(run("energy", "mul", "-k", "in_place and n=1024", *FEW, "--energy"),),
            settings={"KERNEL_US": "20", "NVML_US": "2500"},
            check=_energy_is_true,
        ),
        Scenario(
            name="two-devices",
            what="both of two GPUs record graphs",
            commands=(run("two-devices", "mul", "gradient", *FEW, devices=("cuda:0", "cuda:1")),),
            settings={"DEVICES": "2"},
            check=_both_record,
        ),
        Scenario(
            name="doctor",
            what="bench doctor of a GPU without persistence that is too hot",
            commands=(bench("doctor", "--json", "--store", str(work / "doctor" / STORE)),),
            settings={"PERSISTENCE": "0", "REASONS": "64", "CLOCK_SHARE": "0.8"},
            check=_doctor_sees_the_gpu,
        ),
        Scenario(
            name="power",
            what="products above the power limit, at the clock that is left",
            commands=(run("power", "matmul", "-k", "square", "--set", "n=4096", *FEW),),
            settings={"PRODUCT_W": "900"},
            check=_power_is_seen,
        ),
        Scenario(
            name="h200",
            what="mul and matmul on a device that takes what an H200 was measured to take",
            commands=(run("h200", "mul", "matmul", *FEW),),
            settings={"LIKE": "h200"},
            check=partial(_statuses, workers=2),
        ),
    ]


def _broken(python: str, work: Path) -> list[Scenario]:
    """A device that fails, or that may not be watched."""
    run = partial(_run, python, work)
    return [
        Scenario(
            name="oom",
            what="a device of 0.25 GiB",
            commands=(
                run(
                    "oom",
                    "creation",
                    "mul",
                    "-k",
                    "not from_list",
                    "--set",
                    "n=64,16384,30000000",
                    *BRIEFLY,
                ),
            ),
            settings={"GB": "0.25"},
            check=_oom_is_said,
        ),
        Scenario(
            name="fault",
            what="one illegal memory access",
            commands=(run("fault", "mul", *FEW),),
            settings={"FAULT": "700@6000", "ONCE": str(work / "fault" / "once")},
            check=_fault_costs_one_case,
        ),
        Scenario(
            name="exclusive",
            what="compute mode Exclusive_Process, six workers and one",
            commands=(
                run("exclusive", "mul"),
                run("exclusive", "mul", "--workers", "1", "--rounds", "4", "--budget", "100ms"),
            ),
            settings={"EXCLUSIVE": str(work / "exclusive" / "context")},
            check=_exclusive_is_answered,
        ),
        Scenario(
            name="occupied",
            what="another process has the one context, and NVML does not say so",
            commands=((python, str(HERE / "occupied.py"), *run("occupied", "mul", *FEW)[1:]),),
            settings={"EXCLUSIVE": str(work / "occupied" / "context"), "NVML_ERROR": "9"},
            check=_occupied_is_given_up,
        ),
        Scenario(
            name="unwatched",
            what="a profiler that may not watch, as without the privilege",
            commands=(run("unwatched", "mul", *FEW),),
            settings={"CUPTI": "0"},
            check=_measured_without_kernels,
        ),
        Scenario(
            name="lost-records",
            what="a profiler that loses every seventh record",
            commands=(run("lost-records", "matmul", *FEW),),
            settings={"LOST_OF": "7"},
            check=_loss_is_said,
        ),
        Scenario(
            name="random",
            what="inputs that are random, on a device that computes nothing",
            commands=(run("random", "matmul", "elementwise", *BRIEFLY),),
            settings={"RANDOM": "1"},
            check=_wrong_results_are_said,
        ),
    ]


def _whole(python: str, work: Path) -> list[Scenario]:
    """All cases, all tests, and the prepared session."""
    run = partial(_run, python, work)
    tests = (
        "-q",
        "-c",
        str(work / "gpu-tests" / session_steps.PYTEST_SETTINGS),
        "--rootdir",
        str(ROOT),
    )
    plain = (
        "--noconftest",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "-W",
        "default",
        "-m",
        "gpu",
    )
    return [
        Scenario(
            name="gpu-tests",
            what="the tests that need a GPU",
            commands=(
                (python, "-m", "pytest", *tests, *plain, *map(str, session_steps.gpu_tests())),
            ),
            check=_tests_pass,
        ),
        Scenario(
            name="quick",
            what="the quick cases, with their profile",
            commands=(
                run(
                    "quick",
                    "--preset",
                    "quick",
                    "--workers",
                    "2",
                    "--rounds",
                    "4",
                    "--budget",
                    "150ms",
                ),
            ),
            check=partial(_sound_run, workers=2, within_s=QUICK_S),
            limit_s=900,
        ),
        Scenario(
            name="full",
            what="every size and dtype of the six suites of the mission",
            commands=(run("full", *MISSION, "--preset", "full", *BRIEFLY),),
            check=partial(_sound_run, workers=2),
            limit_s=3600,
        ),
        *(
            Scenario(
                name=f"session-{minutes}",
                what=f"the prepared session of {minutes} minutes",
                commands=(
                    (
                        python,
                        str(ROOT / "tests/gpu/session.py"),
                        "--minutes",
                        str(minutes),
                        "--out",
                        str(work / f"session-{minutes}" / "out"),
                    ),
                ),
                check=partial(_session_fits, minutes=minutes),
                limit_s=60 * minutes + 60,
                only_named=True,
            )
            for minutes in (5, 12)
        ),
    ]


# ---- commands


def _bench(python: str, *words: str) -> Command:
    return (python, "-m", "bench", *words)


def _run(
    python: str, work: Path, name: str, *words: str, devices: tuple[str, ...] = ("cuda",)
) -> Command:
    chosen = [word for device in devices for word in ("--device", device)]
    how = ("--no-roofs", "--patience", "0", "--store", str(work / name / STORE))
    return _bench(python, "run", *words, *chosen, *how)


def _ab(python: str, work: Path, other_us: str) -> Command:
    sides = ("--b-env", f"NULLGPU_KERNEL_US={other_us}")
    how = ("--device", "cuda", "--budget", "20", "--json", "--store", str(work / "ab" / STORE))
    return _bench(python, "ab", "mul", "-k", "in_place and n=1024", *sides, *how)


# ---- what must have come of them


def _sound_run(made: Made, workers: int, within_s: float = math.inf) -> list[str]:
    ended = made.ended[0]
    late = [f"{ended.seconds:.0f} s, {within_s:.0f} s expected"] if ended.seconds > within_s else []
    return [*_statuses(made, workers), *rows.problems(made.rows), *late]


def _statuses(made: Made, workers: int) -> list[str]:
    """A result may be wrong here, since kernels are not executed: exit code 6 is the only other one."""
    code = [] if made.ended[0].code in {0, 6} else made.codes(0)
    if code:
        return code
    return [
        *made.lost_workers(workers),
        *made.failed_captures(),
        *rows.statuses(made.rows),
    ]


def _printed_no_problem(made: Made) -> list[str]:
    return made.codes(0)


def _profile_names_the_product(made: Made) -> list[str]:
    if made.ended[0].code:
        return made.codes(0)
    said = made.ended[0].out
    return [] if "null_product" in said else [f"no kernel null_product in {said[:200]}"]


def _ab_finds_what_changed(made: Made) -> list[str]:
    changed, same = ([case["verdict"] for case in one.document["cases"]] for one in made.ended)
    return [
        *([] if changed == ["slower"] else [f"20 against 24 µs: {changed}, slower expected"]),
        *([] if same == ["same"] else [f"20 against 20 µs: {same}, same expected"]),
    ]


def _crossover_is_found(made: Made) -> list[str]:
    return made.codes(0)


def _energy_is_true(made: Made) -> list[str]:
    problems = made.codes(0) if made.ended[0].code not in {0, 6} else []
    found = [] if problems else [float(joules) for joules in made.rows["energy_j"]]
    off = [
        f"{one * 1e3:.2f} mJ, 6.00 expected"
        for one in found
        if not math.isclose(one, 6e-3, rel_tol=0.03)
    ]
    return problems or off or ([] if found else ["no energy"])


def _both_record(made: Made) -> list[str]:
    found = _sound_run(made, workers=2)
    lacking = made.rows.groupby("device")["graph_time_s"].count().to_dict()
    return found + ([] if len(set(lacking.values())) == 1 else [f"graphs recorded: {lacking}"])


def _doctor_sees_the_gpu(made: Made) -> list[str]:
    codes = {one["code"]: one["severity"] for one in made.ended[0].document["findings"]}
    return [] if {"clock-throttled", "persistence"} <= set(codes) else [f"found only {codes}"]


def _power_is_seen(made: Made) -> list[str]:
    """Both the clock while the case's own kernels ran, and the warning."""
    found = _statuses(made, workers=2)
    seen = made.rows[made.rows["sm_clock_hz"] < FULL_HZ] if not found else made.rows
    said = seen["warnings"].map(lambda codes: "clock-throttled" in codes)
    return found or (
        [] if len(seen) and said.all() else ["no clock below 1980 MHz, or no warning of it"]
    )


def _oom_is_said(made: Made) -> list[str]:
    counts = made.rows["status"].value_counts().to_dict()
    missing = {"ok", "oom", "skipped"} - set(counts)
    others = set(counts) - {"ok", "oom", "skipped"}
    told = made.rows[made.rows["status"] == "oom"]["reason"].astype(str)
    wordy = [reason for reason in told if "Tried to allocate" not in reason or len(reason) > 200]
    problems = [f"statuses {counts}"] if missing or others else []
    return problems + wordy[:1] + made.lost_workers(2)


def _fault_costs_one_case(made: Made) -> list[str]:
    found = rows.problems(made.rows, {"failed": 1})
    return found + made.lost_workers(2, allowed=1)


def _exclusive_is_answered(made: Made) -> list[str]:
    refused, alone = made.ended
    said = refused.err.strip().splitlines()
    one_line = refused.code == 2 and len(said) == 1 and "exclusive" in said[0].lower()
    problems = [] if one_line else [f"six workers: exit code {refused.code}, {said[:3]}"]
    problems += (
        [] if alone.code in {0, 6} else [f"one worker: exit code {alone.code}: {last_line(alone)}"]
    )
    return problems or rows.problems(made.rows)


def _occupied_is_given_up(made: Made) -> list[str]:
    statuses = made.rows["status"].value_counts().to_dict()
    if "ok" in statuses:
        return [f"statuses {statuses}: none can be ok"]
    return made.lost_workers(2, allowed=6)


def _measured_without_kernels(made: Made) -> list[str]:
    found = _statuses(made, workers=2)
    named = made.rows["kernels_per_call"].gt(0).sum() if not found else 0
    return found or ([f"{named} rows have kernels that nobody saw"] if named else [])


def _loss_is_said(made: Made) -> list[str]:
    found = _statuses(made, workers=2)
    said = sum("profile-incomplete" in codes for codes in made.rows["warnings"]) if not found else 0
    return found or (
        [] if said >= len(made.rows) / 2 else [f"{said} of {len(made.rows)} rows say so"]
    )


def _wrong_results_are_said(made: Made) -> list[str]:
    found = _statuses(made, workers=2)
    measured = made.rows[made.rows["status"] == "ok"]
    right = [
        case for case, correct in zip(measured["case"], measured["correct"], strict=True) if correct
    ]
    return found + ([f"correct on a device that computes nothing: {right[:4]}"] if right else [])


def _tests_pass(made: Made) -> list[str]:
    return made.codes(0)


def _session_fits(made: Made, minutes: float) -> list[str]:
    ended = made.ended[0]
    late = [f"{ended.seconds:.0f} s of {60 * minutes:.0f}"] if ended.seconds > 60 * minutes else []
    archive = made.work / "out" / "session.tgz"
    size = archive.stat().st_size if archive.is_file() else 0
    held = [] if 0 < size <= 16 * 2**20 else [f"an archive of {size} bytes"]
    return [*late, *held]
