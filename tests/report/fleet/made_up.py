"""Campaigns that were made up: facts as an analysis gives them, without any visit."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import TYPE_CHECKING, Any

from bench.analysis.fleet.fleet_summary import (
    GROUPS,
    Deviation,
    FleetSummary,
    Percentiles,
    Spread,
    Unit,
)
from bench.records.campaign import Campaign, CampaignState, Pool, VisitState
from tests.fakes.rows import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import Group
    from bench.records.campaign import State

H100, A100, CPU = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "AMD EPYC 9654"
BAND = 0.03
LONG = "antidisestablishmentarianism" * 8
EVIL = f"<script>alert('n')</script>[bold]x[/bold]\n{HOSTILE}\x1b[31m"
"""What a node, a model, a case or a reason may be called by a machine that nobody knows."""
EMPTY = FleetSummary(deviations=(), spreads=(), percentiles=(), band=BAND)


def campaign(nodes: Mapping[str, Sequence[str]], *, gpus: int = 8, **more: Any) -> Campaign:
    """A plan of two visits on the nodes of each pool; a pool whose name begins with `cpu` has no GPU."""
    devices = {
        pool: ("cpu",)
        if pool.startswith("cpu")
        else tuple(f"cuda:{place}" for place in range(gpus))
        for pool in nodes
    }
    facts: dict[str, Any] = {
        "name": "acceptance",
        "created_at": "2026-11-23T05:02:01+00:00",
        "pools": tuple(Pool(name=pool, engine="slurm", gpus=gpus) for pool in nodes),
        "nodes": {pool: tuple(names) for pool, names in nodes.items()},
        "devices": devices,
        "options": {},
        "cases": dict.fromkeys(case_names(96)),
        "visits": 2,
        "seed": 7,
        "torch": "2.13.0",
        "minutes": 14.0,
    }
    return Campaign(**(facts | more))


def case_names(count: int) -> list[str]:
    """So many cases of several ops."""
    ops = ("matmul/square", "elementwise/add", "reduce/sum", "transfer/to_device")
    return [f"{ops[n % len(ops)]}[n={2 ** (n // len(ops) % 14)},v={n}]" for n in range(count)]


def names(count: int, begin: str = "n") -> list[str]:
    """`n001`, `n002`, …."""
    digits = len(str(count)) + 1
    return [f"{begin}{number:0{digits}}" for number in range(1, count + 1)]


def state(plan: Campaign, *others: VisitState, **more: Any) -> CampaignState:
    """All visits are done but for `others`."""
    known = {(one.node, one.visit): one for one in others}
    every = (
        (pool, node, visit)
        for pool, nodes in plan.nodes.items()
        for node in nodes
        for visit in range(1, plan.visits + 1)
    )
    visits = tuple(
        known.get((node, number), visit(node, number, "done", pool=pool))
        for pool, node, number in every
    )
    return CampaignState(campaign=plan, visits=visits, **more)


def visit(node: str, number: int, of: State, *, pool: str = "h100", **more: Any) -> VisitState:
    """What has become of a visit."""
    return VisitState(pool=pool, node=node, visit=number, state=of, **more)


def deviation(
    unit: Unit, group: Group = "memory", ratio: float = 1.0, half: float = 0.01, **more: Any
) -> Deviation:
    """How far a unit is off, known to within a share on both sides."""
    facts: dict[str, Any] = {
        "unit": unit,
        "group": group,
        "ratio": ratio,
        "ratio_lo": ratio * (1 - half),
        "ratio_hi": ratio * (1 + half),
        "p_value": 0.3,
        "standing": "ordinary",
        "cases": 24,
        "visits": 2,
    }
    return Deviation(**(facts | more))


def units(model: str, nodes: Iterable[str], devices: Iterable[str]) -> list[Unit]:
    """Every device of every node."""
    pairs = itertools.product(nodes, devices)
    return [Unit(model=model, node=node, device=device) for node, device in pairs]


def ordinary(found: Iterable[Unit], groups: Sequence[Group] = GROUPS) -> list[Deviation]:
    """Deviations as chance makes them; launches differ most, and some are unsure there."""
    draw = random.Random(5)  # noqa: S311 - no secret
    made = []
    for unit, group in itertools.product(found, groups):
        width = {"launch": 0.02, "transfer": 0.006}.get(group, 0.009)
        ratio = 1 + draw.gauss(0, width)
        unsure = group == "launch" and draw.random() < 0.02
        standing = "unsure" if unsure else "ordinary"
        made.append(deviation(unit, group, ratio, 0.04 if unsure else 0.008, standing=standing))
    return made


def spreads(model: str, groups: Sequence[Group] = GROUPS, **more: Any) -> list[Spread]:
    """Variance components of each group."""
    draw = random.Random(len(model))  # noqa: S311 - no secret
    facts: Iterator[dict[str, Any]] = (
        {
            "within_run": 0.002 + 0.004 * draw.random(),
            "between_visits": 0.004,
            "between_devices": 0.006 + 0.004 * draw.random(),
            "between_nodes": 0.004 * draw.random(),
        }
        for _ in groups
    )
    return [
        Spread(model=model, group=group, **(known | more))
        for group, known in zip(groups, facts, strict=True)
    ]


def percentiles(
    model: str, count: int, cases: Sequence[str], speed: float = 1.0
) -> list[Percentiles]:
    """A row per case."""
    return [
        Percentiles(
            model=model,
            case=case,
            dtype="float32",
            threads=None,
            torch="2.13.0",
            fingerprint=None,
            units=count,
            p1_s=0.97 * speed * (place + 1) * 1e-5,
            p5_s=0.98 * speed * (place + 1) * 1e-5,
            p50_s=speed * (place + 1) * 1e-5,
            p95_s=1.02 * speed * (place + 1) * 1e-5,
            p99_s=1.06 * speed * (place + 1) * 1e-5,
            between_visits=0.004,
        )
        for place, case in enumerate(cases)
    ]


def put(found: Sequence[Deviation], *others: Deviation) -> tuple[Deviation, ...]:
    """The same with some of them replaced."""
    known = {(one.unit, one.group): one for one in others}
    return tuple(known.get((one.unit, one.group), one) for one in found)


def acceptance() -> tuple[CampaignState, FleetSummary]:
    """62 nodes of 8 GPUs: 2 slow, 1 fast, 1 suspect, 1 cleared, 2 nodes missing; and CPUs of two models."""
    gpu_nodes, cpu_nodes = names(62), names(3, "c")
    plan = campaign({"h100": gpu_nodes, "cpus": cpu_nodes})
    given_up = "preflight failed twice: 1 of 8 GPUs is missing"
    found = state(
        plan,
        *(visit("n031", number, "excluded", attempt=2) for number in (1, 2)),
        *(visit("n044", number, "unreached", reason="down") for number in (1, 2)),
        visit("n050", 2, "failed", reason="CUDA error: uncorrectable ECC error", attempt=3),
        visit("n051", 2, "lost", reason="no heartbeat for 3 min", attempt=1),
        visit("n052", 2, "waiting"),
        excluded={"n031": given_up},
        extra_runs=("20261123T050201Z-aaaaaa",),
    )
    measured = [node for node in gpu_nodes if node not in {"n031", "n044"}]
    gpus = units(H100, measured, (f"cuda:{place}" for place in range(8)))
    cpus = units(CPU, cpu_nodes, ("cpu",))
    base = [*ordinary(gpus), *ordinary(cpus, ("compute", "memory"))]
    summary = FleetSummary(
        deviations=put(base, *standing_out(H100)),
        spreads=(*spreads(H100), *spreads(CPU, ("compute", "memory"), between_devices=None)),
        percentiles=(
            *percentiles(H100, len(gpus), case_names(96)),
            *percentiles(CPU, 3, case_names(40), 9.0),
        ),
        band=BAND,
        tests=len(base),
        mixtures={"driver": ("550.54.15", "560.28.03")},
    )
    return found, summary


def standing_out(model: str) -> list[Deviation]:
    """Two that are slow, one fast, one suspect, one that was cleared."""
    n017, n041 = (
        Unit(model=model, node="n017", device="cuda:3"),
        Unit(model=model, node="n041", device="cuda:0"),
    )
    far = {"p_value": 1e-9, "visits": 3}
    return [
        deviation(n017, "memory", 1.062, 0.01, standing="slow", confirmed=True, **far),
        deviation(
            n041,
            "compute",
            1.16,
            0.02,
            standing="slow",
            confirmed=True,
            reasons=(
                "power limit 600 W instead of 700 W",
                "SM clock 1,410 MHz instead of 1,755 MHz",
            ),
            **far,
        ),
        deviation(
            dataclasses.replace(n017, node="n009", device="cuda:1"),
            "memory",
            0.955,
            standing="fast",
            confirmed=True,
            **far,
        ),
        deviation(
            dataclasses.replace(n017, node="n020", device="cuda:5"),
            "transfer",
            1.05,
            0.02,
            standing="unsure",
            suspect=True,
            p_value=1e-4,
        ),
        deviation(
            dataclasses.replace(n017, node="n028", device="cuda:6"),
            "compute",
            1.01,
            confirmed=False,
            visits=3,
        ),
    ]


def large(nodes: int = 1000, gpus: int = 8, cases: int = 100) -> tuple[CampaignState, FleetSummary]:
    """Two models in one fleet, most devices of the first; 2 in 1000 are slow."""
    first = nodes - nodes // 5
    listed = {"h100": names(first), "a100": names(nodes // 5, "a")}
    plan = campaign(listed, gpus=gpus, cases=dict.fromkeys(case_names(cases)))
    missing = [visit(node, 1, "unreached", reason="busy") for node in listed["h100"][5:205:40]]
    missing += [dataclasses.replace(one, visit=2) for one in missing]
    gone = {one.node for one in missing}
    devices = [f"cuda:{place}" for place in range(gpus)]
    mine = [node for node in listed["h100"] if node not in gone]
    found = [*units(H100, mine, devices), *units(A100, listed["a100"], devices)]
    base = ordinary(found)
    slow = [
        deviation(
            unit, "memory", 1.05 + place % 5 / 100, standing="slow", confirmed=True, p_value=1e-9
        )
        for place, unit in enumerate(found[7::500])
    ]
    summary = FleetSummary(
        deviations=put(base, *slow),
        spreads=(*spreads(H100), *spreads(A100)),
        percentiles=(
            *percentiles(H100, len(mine) * gpus, case_names(cases)),
            *percentiles(A100, len(listed["a100"]) * gpus, case_names(cases), 1.9),
        ),
        band=BAND,
        tests=len(base),
    )
    return state(plan, *missing), summary


def not_begun() -> tuple[CampaignState, FleetSummary]:
    """Every visit waits."""
    plan = campaign({"h100": names(62)})
    waiting = [visit(node, number, "waiting") for node in names(62) for number in (1, 2)]
    return state(plan, *waiting), EMPTY


def single() -> tuple[CampaignState, FleetSummary]:
    """One node with a CPU, visited twice: there is nothing to hold it against."""
    plan = campaign({"cpus": ["box"]}, name="box")
    within = spreads(CPU, ("compute", "memory"), between_devices=None, between_nodes=None)
    rows = percentiles(CPU, 1, case_names(40), 9.0)
    summary = dataclasses.replace(EMPTY, spreads=tuple(within), percentiles=tuple(rows))
    return state(plan), summary


def hostile() -> tuple[CampaignState, FleetSummary]:
    """Every text is an attack, or one very long word; a number is not finite."""
    nodes = [EVIL, LONG, "n1"]
    plan = campaign(
        {EVIL: nodes}, gpus=1, name="evil", label=EVIL, torch=EVIL, cases={EVIL: None, LONG: EVIL}
    )
    broken = visit(LONG, 2, "failed", pool=EVIL, reason=f"{EVIL} {LONG}", attempt=2)
    evil = [Unit(model=EVIL, node=node, device=EVIL) for node in nodes]
    known = [
        deviation(one, group, 1.2, standing="slow", reasons=(EVIL, LONG))
        for one in evil
        for group in GROUPS
    ]
    endless = dataclasses.replace(known[0], ratio_hi=float("inf"), ratio=2.5, p_value=float("nan"))
    summary = FleetSummary(
        deviations=(endless, *known[1:]),
        spreads=tuple(spreads(EVIL)),
        percentiles=(*percentiles(EVIL, 3, [EVIL, LONG]), *percentiles(LONG, 3, [EVIL, LONG], 2.0)),
        band=BAND,
        mixtures={EVIL: (EVIL, LONG)},
    )
    found = state(plan, broken, excluded={LONG: EVIL}, extra_runs=(EVIL, LONG))
    return found, summary
