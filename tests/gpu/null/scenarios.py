"""The scenarios: every command that measures on a GPU, on devices that work, that fail, and that deceive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.gpu import session_steps
from tests.gpu.null import physics, verdicts
from tests.gpu.null.environment import HERE, ROOT
from tests.gpu.null.scenario import STORE, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gpu.null.scenario import Command

MISSION = ("creation", "matmul", "mul", "cat", "view", "backward")
QUICK_S = 150
"""What the quick preset may take, its profile included: it was 200 s of a real GPU, most of them between visits."""
FEW = ("--workers", "2", "--rounds", "4", "--budget", "100ms")
QUICK = ("--preset", "quick", "--workers", "2", "--rounds", "4", "--budget", "150ms")
SIZES = ("-k", "not from_list", "--set", "n=64,16384,30000000")
PROFILE = ("profile", "matmul/square and n=64 and float32", "--device", "cuda", "--json")
CROSSOVER = ("crossover", "mul/matrices", "--between", "cpu,cuda", "--budget", "20", "--json")
PYTEST = (
    *("-q", "--noconftest", "--import-mode=importlib", "-p", "no:cacheprovider"),
    *("-W", "default", "-m", "gpu"),
)
BRIEFLY = ("--workers", "2", "--rounds", "2", "--budget", "20ms")


def all_scenarios(python: str, work: Path) -> tuple[Scenario, ...]:
    """Every scenario, for this interpreter, each with a folder of its own below `work`."""
    kinds = (_true, _commands, _powered, _failing, _unwatched, _whole, _sessions)
    return tuple(scenario for kind in kinds for scenario in kind(python, work))


def _true(python: str, work: Path) -> list[Scenario]:
    """Numbers against the known lengths of kernels."""
    run = partial(_run, python, work)
    return [
        Scenario(
            name="trueness",
            what="kernels of 4 and 5 µs in samples of 0.2 to 5 ms, with a drain of 10 µs; calls that wait",
            commands=((python, str(HERE / "trueness.py")),),
            settings={"DRAIN_US": "10", "LAUNCH_US": "0"},
            check=verdicts.ended_well,
        ),
        Scenario(
            name="physics",
            what="the same experiments here and on the simulated GPU of the unit tests",
            commands=((python, str(HERE / "physics.py")),),
            settings=physics.settings(),
            check=verdicts.ended_well,
        ),
        Scenario(
            name="contents",
            what="fills and copies leave in memory what they leave on the CPU",
            commands=((python, str(HERE / "contents.py")),),
            check=verdicts.ended_well,
        ),
        Scenario(
            name="products",
            what="mul and matmul, from end to end",
            commands=(run("products", "mul", "matmul", *FEW),),
            check=partial(verdicts.sound_run, workers=2),
        ),
        Scenario(
            name="cold",
            what="mul with its caches emptied",
            commands=(run("cold", "mul", *FEW, "--cache", "cold"),),
            check=partial(verdicts.sound_run, workers=2),
        ),
    ]


def _commands(python: str, work: Path) -> list[Scenario]:
    """Every command that measures, but `run`, which all others have."""
    bench = partial(_bench, python)
    return [
        Scenario(
            name="profile",
            what="bench profile of a product",
            commands=(bench(*PROFILE, "--out", str(work / "profile")),),
            check=verdicts.profile_names_the_product,
        ),
        Scenario(
            name="ab",
            what="bench ab of the same, and of kernels that take 20 and 24 µs",
            commands=(
                _ab(python, work, "24"),
                _ab(python, work, "20"),
            ),
            settings={"KERNEL_US": "20"},
            check=verdicts.ab_finds_what_changed,
        ),
        Scenario(
            name="crossover",
            what="bench crossover between the CPU and the GPU",
            commands=(bench(*CROSSOVER, "--store", str(work / "crossover" / STORE)),),
            check=verdicts.ended_well,
        ),
        Scenario(
            name="doctor",
            what="bench doctor of a GPU without persistence that is too hot",
            commands=(bench("doctor", "--json", "--store", str(work / "doctor" / STORE)),),
            settings={"PERSISTENCE": "0", "REASONS": "64", "CLOCK_SHARE": "0.8"},
            check=verdicts.doctor_sees_the_gpu,
        ),
    ]


def _powered(python: str, work: Path) -> list[Scenario]:
    """Power, its limit, a second device, and the times of a real one."""
    run = partial(_run, python, work)
    return [
        Scenario(
            name="energy",
            what="a kernel of 20 µs at 300 W is 6 mJ",
            commands=(run("energy", "mul", "-k", "in_place and n=1024", *FEW, "--energy"),),
            settings={"KERNEL_US": "20", "NVML_US": "2500"},
            check=verdicts.energy_is_true,
        ),
        Scenario(
            name="two-devices",
            what="both of two GPUs record graphs",
            commands=(run("two-devices", "mul", "gradient", *FEW, devices=("cuda:0", "cuda:1")),),
            settings={"DEVICES": "2"},
            check=verdicts.both_record,
        ),
        Scenario(
            name="power",
            what="products above the power limit, at the clock that is left",
            commands=(run("power", "matmul", "-k", "square", "--set", "n=4096", *FEW),),
            settings={"PRODUCT_W": "900"},
            check=verdicts.power_is_seen,
        ),
        Scenario(
            name="h200",
            what="mul and matmul on a device that takes what an H200 was measured to take",
            commands=(run("h200", "mul", "matmul", *FEW),),
            settings={"LIKE": "h200"},
            check=partial(verdicts.statuses, workers=2),
        ),
    ]


def _failing(python: str, work: Path) -> list[Scenario]:
    """A device that fails, or lets nobody in."""
    run = partial(_run, python, work)
    return [
        Scenario(
            name="oom",
            what="a device of 0.25 GiB",
            commands=(run("oom", "creation", "mul", *SIZES, *BRIEFLY),),
            settings={"GB": "0.25"},
            check=verdicts.oom_is_said,
        ),
        Scenario(
            name="fault",
            what="one illegal memory access",
            commands=(run("fault", "mul", *FEW),),
            settings={"FAULT": "700@6000", "ONCE": str(work / "fault" / "once")},
            check=verdicts.fault_costs_one_case,
        ),
        Scenario(
            name="exclusive",
            what="compute mode Exclusive_Process, six workers and one",
            commands=(
                run("exclusive", "mul"),
                run("exclusive", "mul", "--workers", "1", "--rounds", "4", "--budget", "100ms"),
            ),
            settings={"EXCLUSIVE": str(work / "exclusive" / "context")},
            check=verdicts.exclusive_is_answered,
        ),
        Scenario(
            name="occupied",
            what="another process has the one context, and NVML does not say so",
            commands=((python, str(HERE / "occupied.py"), *run("occupied", "mul", *FEW)[1:]),),
            settings={"EXCLUSIVE": str(work / "occupied" / "context"), "NVML_ERROR": "9"},
            check=verdicts.occupied_is_given_up,
        ),
    ]


def _unwatched(python: str, work: Path) -> list[Scenario]:
    """A device that may not be watched, or that computes nothing of what it is given."""
    run = partial(_run, python, work)
    return [
        Scenario(
            name="unwatched",
            what="a profiler that may not watch, as without the privilege",
            commands=(run("unwatched", "mul", *FEW),),
            settings={"CUPTI": "0"},
            check=verdicts.measured_without_kernels,
        ),
        Scenario(
            name="lost-records",
            what="a profiler that loses every seventh record",
            commands=(run("lost-records", "matmul", *FEW),),
            settings={"LOST_OF": "7"},
            check=verdicts.loss_is_said,
        ),
        Scenario(
            name="random",
            what="inputs that are random, on a device that computes nothing",
            commands=(run("random", "matmul", "elementwise", *BRIEFLY),),
            settings={"RANDOM": "1"},
            check=verdicts.wrong_results_are_said,
        ),
    ]


def _whole(python: str, work: Path) -> list[Scenario]:
    """All cases, and all tests."""
    run = partial(_run, python, work)
    settings = str(work / "gpu-tests" / session_steps.PYTEST_SETTINGS)
    tests = ("-m", "pytest", "-c", settings, "--rootdir", str(ROOT), *PYTEST)
    return [
        Scenario(
            name="gpu-tests",
            what="the tests that need a GPU",
            settings={"RANDOM": "1"},
            commands=((python, *tests, *map(str, session_steps.gpu_tests())),),
            check=verdicts.ended_well,
        ),
        Scenario(
            name="quick",
            what="the quick cases, with their profile",
            commands=(run("quick", *QUICK),),
            check=partial(verdicts.sound_run, workers=2, within_s=QUICK_S),
            limit_s=900,
        ),
        Scenario(
            name="full",
            what="every size and dtype of the six suites of the mission",
            commands=(run("full", *MISSION, "--preset", "full", *BRIEFLY),),
            check=partial(verdicts.sound_run, workers=2),
            limit_s=3600,
        ),
    ]


def _sessions(python: str, work: Path) -> list[Scenario]:
    """What a rented machine is given, in as many minutes."""
    script = (python, str(ROOT / "tests/gpu/session.py"))
    return [
        Scenario(
            name=f"session-{minutes}",
            what=f"the prepared session of {minutes} minutes",
            commands=(
                (
                    *script,
                    "--minutes",
                    f"{minutes}",
                    "--out",
                    str(work / f"session-{minutes}" / "out"),
                ),
            ),
            settings={"RANDOM": "1"},
            check=partial(verdicts.session_fits, minutes=minutes, last=last),
            limit_s=60 * minutes + 60,
            only_named=True,
        )
        for minutes, last in ((5, "commands"), (12, "quick"))
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
