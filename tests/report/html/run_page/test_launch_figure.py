"""The figure of launch-bound cases. All rows here are made up."""

from __future__ import annotations

import pytest

from bench.report.html.run_page import launch_figure
from tests.fakes.launches import LONG, launched
from tests.fakes.rows import HOSTILE, valid


def test_the_parts_are_all_of_what_a_caller_waits() -> None:
    """Told apart by colour and by a pattern."""
    figure = launch_figure.waiting([launched(), launched(device_time_s=5e-6)])
    assert valid(figure)
    assert figure is not None
    works, waits, graph = figure["data"]
    assert works["x"] == pytest.approx([0.2, 0.5])
    assert waits["x"] == pytest.approx([0.8, 0.5])
    assert works["marker"]["pattern"]["shape"] != waits["marker"]["pattern"]["shape"]
    assert graph["x"] == pytest.approx([0.2, 0.2])


def test_a_case_without_a_graph_has_no_mark() -> None:
    """And one without the device's own time has no bar."""
    rows = [launched(graph_time_s=None), launched(graph_time_s=4e-6), launched(device_time_s=None)]
    figure = launch_figure.waiting(rows)
    assert figure is not None
    works, _, graph = figure["data"]
    assert len(works["x"]) == 2
    assert graph["y"] == [1]
    assert launch_figure.waiting([launched(device_time_s=None)]) is None
    assert launch_figure.waiting([]) is None


def test_a_device_that_took_longer_than_a_caller_waited_does_not_wait() -> None:
    """Both are measured, so the one may be a little above the other."""
    figure = launch_figure.waiting([launched(device_time_s=1.01e-5)])
    assert figure is not None
    assert figure["data"][1]["x"] == [0.0]


def test_the_table_has_the_times_themselves() -> None:
    """And what a replay would save, at the least."""
    twin = launch_figure.twin([launched(device_time_cold_s=3e-6)])
    ((name, cells),) = twin.rows
    assert name == "s/add n=16 float32"
    assert cells == (
        *("10.0 µs ± 1.0 %", "2.00 µs", "3.00 µs", "10.0 µs", "80 %", "2.00 µs", "80 %"),
    )


FILL = (
    "void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>, std::array<char*, 1ul> >"
    "(int, at::native::FillFunctor<float>, std::array<char*, 1ul>)"
)
SCALED = (
    "void at::native::vectorized_elementwise_kernel<4, at::native::AUnaryFunctor<float, float, float, "
    "at::native::binary_internal::MulFunctor<float> >, std::array<char*, 2ul> >(int)"
)
GEMV = (
    "std::enable_if<!(false), void>::type internal::gemvx::kernel<int, int, float, float, float, false, true, "
    "cublasGemvParamsEx<int, float> >(cublasGemvParamsEx<int, float>)"
)
GEMM = (
    "sm80_xmma_gemm_f32f32_f32f32_f32_tn_n_tilesize32x32x8_stage3_warpsize1x2x1_ffma_aligna4_alignc4_"
    "execute_split_k_kernel__5x_cublas"
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gemm", "gemm"),
        ("Memcpy HtoD (Pageable -> Device)", "Memcpy HtoD (Pageable -> Device)"),
        (LONG, "elementwise_kernel<add>"),
        (FILL, "vectorized_elementwise_kernel<FillFunctor>"),
        (SCALED, "vectorized_elementwise_kernel<AUnaryFunctor, MulFunctor>"),
        (GEMV, "gemvx::kernel"),
        (
            GEMM,
            "sm80_xmma_gemm_f32f32_f32f32_f32_tn_n_tilesize32x32x8…_k_kernel__5x_cublas",
        ),
        (f"void {'k' * 90}<int>(int)", f"{'k' * 73}…"),
    ],
)
def test_a_long_name_keeps_what_tells_it_from_others(name: str, shown: str) -> None:
    """Torch's kernels begin and end alike; what they compute stands in the middle of their arguments."""
    assert launch_figure.short(name) == shown


def test_a_row_is_named_without_the_dtype_that_all_have() -> None:
    """Little fits beside a figure."""
    one = launch_figure.waiting([launched()])
    two = launch_figure.waiting([launched(), launched(params={"n": 16, "dtype": "float64"})])
    assert one is not None
    assert two is not None
    assert one["layout"]["yaxis"]["ticktext"] == ["add 16"]
    assert two["layout"]["yaxis"]["ticktext"] == ["add 16 float32", "add 16 float64"]


def test_cold_times_are_told_under_the_pointer() -> None:
    """Beside the hot one."""
    figure = launch_figure.waiting([launched(device_time_cold_s=3e-6)])
    assert figure is not None
    assert "for 3.00 µs with its caches emptied" in figure["data"][0]["hovertext"][0]


def test_names_are_escaped() -> None:
    """A case's params come from a suite file."""
    figure = launch_figure.waiting([launched(params={"n": 4, "kind": HOSTILE})])
    assert "<b onmouseover" not in str(figure)
