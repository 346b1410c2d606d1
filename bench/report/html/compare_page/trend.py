"""Trend of each case over the runs of a machine: a small figure with its sentence and its steps.

Only what stepped is drawn, the largest first; a case whose newest run alone lies apart has a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.report.text.trend import answer, time_text
from bench.stats.changepoint import FALSE_STEPS
from bench.units import counted, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.runs import Followed
    from bench.analysis.trend.trend import Trend, TrendPoint

PAYLOAD = "trend-figures"
MOST_FIGURES = 48
"""A reader still scrolls through so many; the other cases are named."""
_HEIGHT = 240
_MOST_NAMES = 6
"""A small figure has space for the names of so many runs along its axis."""
_BETWEEN = 0.5
"""A step is drawn halfway between two runs, which are 1 apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendValues:
    """What the view of trends shows."""

    summary: str
    drawings: tuple[Drawing, ...]
    others: tuple[tuple[str, str], ...]
    """Cases that are not drawn, and their sentence."""


def trend_values(found: Followed, names: Mapping[str, str]) -> TrendValues:
    """The figures of the steps.

    Args:
        found: the cases of a machine over its runs.
        names: run id → what the run is called.
    """
    stepped = [one for one in found.trends if one.steps]
    drawn, rest = stepped[:MOST_FIGURES], stepped[MOST_FIGURES:]
    rest += [one for one in found.trends if not one.steps]
    return TrendValues(
        summary=_summary(found, len(stepped)),
        drawings=tuple(_drawing(place, one, names) for place, one in enumerate(drawn)),
        others=tuple((f"{one.case} on {one.device}", _answer(one, names)) for one in rest),
    )


def _summary(found: Followed, stepped: int) -> str:
    """How many, and how many of as many unchanged cases would by chance."""
    followed = f"{counted(found.cases, 'case')} of {found.machine} over {found.runs} runs"
    chance = f"of unchanged cases, {share(FALSE_STEPS)} may step by chance"
    return f"{followed}: {stepped} stepped; {chance}."


def _drawing(place: int, found: Trend, names: Mapping[str, str]) -> Drawing:
    runs = [names.get(one.run_id, one.run_id) for one in found.points]
    title = f"{found.case} on {found.device}"
    at = "at reference conditions" if found.at == "reference" else "per call"
    return Drawing(
        id=f"trend-{place}",
        payload=PAYLOAD,
        figure=_figure(found, runs),
        label=f"Time {at} of {title} over {len(runs)} runs, oldest first.",
        caption=f"{title}. {_answer(found, names)}",
        twin=Twin(
            row_head="run",
            head=(f"time {at}",),
            rows=tuple(
                (run, (time_text(one),)) for run, one in zip(runs, found.points, strict=True)
            ),
        ),
        wide=False,
    )


def _answer(found: Trend, names: Mapping[str, str]) -> str:
    """The sentence of `bench trend`, with runs called as on the rest of the page."""
    text = answer(found)
    for run_id, name in names.items():
        text = text.replace(run_id, name)
    return text


def _figure(found: Trend, runs: Sequence[str]) -> dict[str, Any]:
    timed = [(x, one, one.time_s) for x, one in enumerate(found.points) if one.time_s]
    times = [time_s for _, _, time_s in timed]
    ends = [end for _, one, _ in timed for end in (one.low_s, one.high_s) if end]
    reach = [end for end in ends if min(times) / 2 <= end <= 2 * max(times)]
    named = _named(found, len(runs))
    return {
        "data": [*_steps(found, [*times, *reach]), _trace(timed, runs)],
        "layout": style.layout(
            height=_HEIGHT,
            margin={"l": 62, "r": 16, "t": 8, "b": 30},
            xaxis={
                "range": [-0.4, len(runs) - 0.6],
                "tickvals": named,
                "ticktext": [style.escaped(style.shortened(runs[x])) for x in named],
                "zeroline": False,
                "showgrid": False,
            },
            yaxis=log_axis.value_axis([*times, *reach], "s"),
        ),
    }


def _trace(timed: Sequence[tuple[int, TrendPoint, float]], runs: Sequence[str]) -> dict[str, Any]:
    xs, points, ys = zip(*timed, strict=True)
    said = [_hover(one, runs[x]) for x, one, _ in timed]
    ends = [(y, one.low_s or y, one.high_s or y) for one, y in zip(points, ys, strict=True)]
    trace = plot_parts.points(xs, ys, said, 0, lines={"width": 1}, size=7)
    return {**trace, "error_y": plot_parts.bars(ends)}


def _hover(one: TrendPoint, run: str) -> str:
    commit = f"commit {one.git_commit[:7]}" if one.git_commit else ""
    torch = f"torch {one.torch_version}" if one.torch_version else ""
    lines = [run, time_text(one), torch, commit, one.run_id]
    return "<br>".join(style.escaped(line) for line in lines if line)


def _steps(found: Trend, times: Sequence[float]) -> list[dict[str, Any]]:
    """An upright line between the two runs of each step, and where the op's code changed."""
    places = {one.run_id: x for x, one in enumerate(found.points)}
    low, high = min(times), max(times)
    cut = [one.run_id for one in found.points if one.op_changed]
    xs = [places[run] - _BETWEEN for run in [*(step.after.run_id for step in found.steps), *cut]]
    return [plot_parts.line([x, x], [low, high], 1, dash="dot") for x in xs]


def _named(found: Trend, count: int) -> list[int]:
    """The places named along the axis: the ends, and the runs after steps as far as they fit."""
    if count <= _MOST_NAMES // 2:
        return list(range(count))
    places = {one.run_id: x for x, one in enumerate(found.points)}
    stepped = [places[step.after.run_id] for step in found.steps]
    apart = [x for x in stepped if count // 4 < x < count - 1 - count // 4]
    return sorted({0, *apart[:1], count - 1})
