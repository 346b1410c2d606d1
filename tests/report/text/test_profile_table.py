"""A profile is readable at usual widths, says what it is not, and gives programs the same numbers."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bench.records.kernel_trace import INCOMPLETE, Activity, TraceLine, TraceProfile
from bench.records.warning_codes import CODES, Code
from bench.report.text.profile_table import NOTHING, profile_facts, profile_table
from tests.fakes.rows import HOSTILE, assert_golden

if TYPE_CHECKING:
    from rich.console import RenderableType

OPS = (
    TraceLine(kind="op", name="aten::mm", count=20, total_s=3.56e-3),
    TraceLine(kind="op", name="aten::matmul", count=20, total_s=9.3e-6),
    TraceLine(kind="op", name="aten::resolve_conj", count=60, total_s=3.04e-6),
)
KERNELS = (
    TraceLine(
        kind="kernel",
        name="void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<float>, "
        "std::array<char*, 3ul> >(int, at::native::CUDAFunctor_add<float>, std::array<char*, 3ul>)",
        count=40,
        total_s=84e-6,
    ),
    TraceLine(kind="memcpy", name="Memcpy HtoD (Pageable -> Device)", count=19, total_s=25.4e-6),
)
ON_CPU = TraceProfile(
    case="matmul/square[n=256,dtype=float32]",
    device="cpu",
    device_name="Test CPU",
    torch_version="2.9.0",
    threads=1,
    activity=Activity(calls=20, lines=OPS, span_s=3.61e-3, busy_s=3.57e-3),
    trace="reports/profile-x.json.gz",
)
ON_CUDA = dataclasses.replace(
    ON_CPU,
    device="cuda",
    device_name="Test GPU",
    activity=Activity(calls=20, lines=KERNELS, span_s=400e-6, busy_s=109.4e-6, codes=(INCOMPLETE,)),
)


@pytest.fixture(autouse=True)
def fixed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files do not change with the wording of warnings."""
    words = Code(code=INCOMPLETE, seen="some are missing", cause="chance", remedy="try again")
    monkeypatch.setattr("bench.report.text.profile_table.CODES", {**CODES, INCOMPLETE: words})


def shown(table: RenderableType, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("found", [ON_CPU, ON_CUDA], ids=lambda found: found.device)
def test_a_profile_is_readable_at_usual_widths(found: TraceProfile, width: int) -> None:
    """Names fold, numbers align; the sum, the gaps and the warnings stand beneath."""
    text = shown(profile_table(found, width=width), width)
    assert_golden(text, f"report_profile_{found.device}_{width}.txt")


@given(name=st.text(alphabet="abc<> ", min_size=1, max_size=300), width=st.integers(72, 140))
def test_no_line_is_wider_than_asked_for(name: str, width: int) -> None:
    """However long kernels are called."""
    line = dataclasses.replace(KERNELS[0], name=name.strip() or "x")
    changed = dataclasses.replace(ON_CUDA.activity, lines=(line,))
    text = shown(profile_table(dataclasses.replace(ON_CUDA, activity=changed), width=width), 200)
    assert max(cell_len(one) for one in text.splitlines()) <= width
    assert "4.20 µs" in text


def test_data_is_never_markup() -> None:
    """Brackets of a template are shown, not obeyed."""
    lines = (dataclasses.replace(KERNELS[0], name=HOSTILE),)
    changed = dataclasses.replace(ON_CUDA.activity, lines=lines)
    text = shown(profile_table(dataclasses.replace(ON_CUDA, activity=changed), width=300), 300)
    assert HOSTILE in text


@pytest.mark.parametrize(
    ("busy_s", "said"),
    [(300e-6, "busy 75 % and idle 5.00 µs per call"), (109e-6, "busy 27 % and idle 14.6 µs")],
)
def test_idle_time_is_a_fact_and_what_waits_for_what_is_left_to_the_row(
    busy_s: float, said: str
) -> None:
    """A profiler slows launches down, so that its gaps are no witness of an unwatched call's."""
    changed = dataclasses.replace(ON_CUDA.activity, busy_s=busy_s, codes=())
    found = dataclasses.replace(ON_CUDA, activity=changed)
    text = shown(profile_table(found, width=300), 300)
    assert said in text
    assert "launch-bound is told by bench run (bound_by)" in text
    assert profile_facts(found)["launch_bound"] is None


def test_calls_without_any_record_are_said_to_have_none() -> None:
    """There is no table of nothing."""
    none = Activity(calls=3, lines=(), span_s=0.0, busy_s=0.0)
    found = dataclasses.replace(ON_CPU, activity=none)
    assert NOTHING in shown(profile_table(found, width=80), 80)
    facts = profile_facts(found)
    assert (facts["lines"], facts["idle_share"], facts["launch_bound"]) == ([], None, None)


def test_programs_get_the_same_numbers() -> None:
    """In base units, unrounded; JSON takes them."""
    facts = json.loads(json.dumps(profile_facts(ON_CUDA), allow_nan=False))
    assert facts["lines"][1] == {
        "kind": "memcpy",
        "name": "Memcpy HtoD (Pageable -> Device)",
        "count": 19,
        "count_per_call": 0.95,
        "time_per_call_s": pytest.approx(1.27e-6),
        "share": pytest.approx(25.4 / 109.4),
    }
    assert facts["time_per_call_s"] == pytest.approx(5.47e-6)
    assert facts["idle_s"] == pytest.approx(290.6e-6)
    assert (facts["headline"], facts["launch_bound"], facts["codes"]) == (False, None, [INCOMPLETE])
    assert facts["trace"] == "reports/profile-x.json.gz"
