"""The courses of cases over the runs of a machine → a small figure each, with its sentence and its steps.

Only what stepped is drawn, the largest first; a case whose newest run alone lies apart has a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html import plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.report.text.trend import answer
from bench.stats.changepoint import FALSE_STEPS
from bench.units import counted, seconds_with_interval, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.runs import Followed
    from bench.analysis.trend.trend import Trend, TrendPoint

PAYLOAD = "trend-figures"
MOST = 48
"""Figures that one still scrolls through; the other cases are named."""
_HEIGHT = 240
_MOST_NAMES = 6
"""Runs named along the axis of a small figure."""
_BETWEEN = 0.5
"""Half the way between two runs, where a step is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """What the view of trends shows."""

    summary: str
    drawings: tuple[Drawing, ...]
    others: tuple[tuple[str, str], ...]
    """Cases that are not drawn, and their sentence."""


def courses(found: Followed, names: Mapping[str, str]) -> Courses:
    """The figures of the steps.

    Args:
        found: the cases of a machine over its runs.
        names: run id → what the run is called.
    """
    stepped = [one for one in found.trends if one.steps]
    drawn, rest = stepped[:MOST], stepped[MOST:]
    rest += [one for one in found.trends if not one.steps]
    return Courses(
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
            corner="run",
            head=(f"time {at}",),
            rows=tuple((run, (_text(one),)) for run, one in zip(runs, found.points, strict=True)),
        ),
        wide=False,
    )


def _answer(found: Trend, names: Mapping[str, str]) -> str:
    """The sentence of `bench trend`, with runs called as on the rest of the page."""
    text = answer(found)
    for run_id, name in names.items():
        text = text.replace(run_id, name)
    return text


def _text(one: TrendPoint) -> str:
    if not one.time_s:
        return one.why_not
    return seconds_with_interval(one.time_s, one.low_s, one.high_s)


def _figure(found: Trend, runs: Sequence[str]) -> dict[str, Any]:
    moments = [(x, one, one.time_s) for x, one in enumerate(found.points) if one.time_s]
    times = [time_s for _, _, time_s in moments]
    ends = [end for _, one, _ in moments for end in (one.low_s, one.high_s) if end]
    reach = [end for end in ends if min(times) / 2 <= end <= 2 * max(times)]
    named = _named(found, len(runs))
    return {
        "data": [*_steps(found, [*times, *reach]), _trace(moments, runs)],
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
            yaxis=style.value_axis([*times, *reach], "s"),
        ),
    }


def _trace(moments: Sequence[tuple[int, TrendPoint, float]], runs: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [x for x, _, _ in moments],
        "y": [time_s for _, _, time_s in moments],
        "error_y": plot_parts.bars(
            (time_s, one.low_s or time_s, one.high_s or time_s) for _, one, time_s in moments
        ),
        "line": {"color": style.LIGHT[0], "width": 1},
        "marker": {"color": style.LIGHT[0], "size": 7},
        "hovertext": [_hover(one, runs[x]) for x, one, _ in moments],
        "hoverinfo": "text",
        "meta": {"colour": 0},
    }


def _hover(one: TrendPoint, run: str) -> str:
    commit = f"commit {one.git_commit[:7]}" if one.git_commit else ""
    torch = f"torch {one.torch_version}" if one.torch_version else ""
    lines = [run, _text(one), torch, commit, one.run_id]
    return "<br>".join(style.escaped(line) for line in lines if line)


def _steps(found: Trend, times: Sequence[float]) -> list[dict[str, Any]]:
    """An upright line between the two runs of each step."""
    places = {one.run_id: x for x, one in enumerate(found.points)}
    low, high = min(times), max(times)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [places[step.after.run_id] - _BETWEEN] * 2,
            "y": [low, high],
            "line": {"color": style.LIGHT[1], "dash": "dot", "width": 1.5},
            "hoverinfo": "skip",
            "meta": {"colour": 1},
        }
        for step in found.steps
    ]


def _named(found: Trend, count: int) -> list[int]:
    """The places named along the axis: the ends, and the runs after steps as far as there is room."""
    if count <= _MOST_NAMES // 2:
        return list(range(count))
    places = {one.run_id: x for x, one in enumerate(found.points)}
    stepped = [places[step.after.run_id] for step in found.steps]
    apart = [x for x in stepped if count // 4 < x < count - 1 - count // 4]
    return sorted({0, *apart[:1], count - 1})
