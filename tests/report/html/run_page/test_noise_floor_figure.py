"""The noise floor over the cases: ranked, thinned, and with its numbers."""

from __future__ import annotations

from bench.report.html.run_page import noise_floor_figure
from tests.fakes.rows import lost, record, valid


def test_cases_are_ranked_and_those_without_a_floor_left_out() -> None:
    """It takes three earlier runs."""
    high, low = record(noise_floor_share=0.04), record(noise_floor_share=0.01)
    assert noise_floor_figure.ranked(
        [high, record(), lost("failed", "x", noise_floor_share=0.1), low]
    ) == [
        low,
        high,
    ]


def test_a_long_run_is_thinned_to_its_quantiles() -> None:
    """From the steadiest to the least steady case."""
    rows = noise_floor_figure.ranked([record(noise_floor_share=i / 1e4) for i in range(1, 2001)])
    figure = noise_floor_figure.floors(rows)
    assert valid(figure)
    assert figure is not None
    (trace,) = figure["data"]
    assert len(trace["x"]) <= 301
    assert (trace["x"][0], trace["x"][-1]) == (0, 1)
    assert trace["y"][-1] == 0.2
    assert noise_floor_figure.quantile(rows, 0.5) == 0.1001


def test_a_floor_of_nothing_can_be_drawn() -> None:
    """Logarithms have no zero."""
    figure = noise_floor_figure.floors(
        [record(noise_floor_share=0.0), record(noise_floor_share=0.02)]
    )
    assert valid(figure)
    assert figure is not None
    assert figure["data"][0]["y"] == [0.001, 0.02]


def test_one_case_is_no_distribution() -> None:
    """Its floor is in the sentence."""
    assert noise_floor_figure.floors([record(noise_floor_share=0.01)]) is None
    assert noise_floor_figure.floors([]) is None


def test_the_table_names_a_case_for_each_part() -> None:
    """So that a number can be looked up."""
    rows = noise_floor_figure.ranked(
        [record(noise_floor_share=f, params={"n": n}) for f, n in ((0.01, 2), (0.03, 4))]
    )
    twin = noise_floor_figure.twin(rows)
    assert twin.rows[0] == ("the steadiest", ("1.0 %", "matmul/square n=2"))
    assert twin.rows[-1] == ("100 %", ("3.0 %", "matmul/square n=4"))
