"""Figure of launch-bound cases: of what a caller waits, how much the device works, and what a graph needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.findings import kernels
from bench.report.html import plot_parts, style
from bench.report.html.figure import Twin
from bench.report.html.run_page.figures import hover
from bench.report.text import wording
from bench.units import clipped, seconds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record
    from bench.report.html.figure import Figure

MOST_ROWS = 40
"""Nobody reads more rows of a figure, and the table has all."""
WORKS, WAITS, GRAPH = 1, 5, 2
"""The numbers of colours: the GPU's, grey, and one for the graph."""
_ROW_PX, _EDGE_PX = 26, 56
_HEAD, _TAIL = 53, 20
"""A shortened name keeps so many characters at its beginning and its end."""
_MOST_TELLING = 2
_NO_NAME = "kernel"
_RETURNED = re.compile(r"^(void|std::enable_if<.*?>::type) ")
"""The return type of a template, which comes first."""
_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMON = frozenset(
    {
        "BFloat16",
        "BinaryFunctor",
        "Half",
        "OpaqueType",
        "Params",
        "ReduceOp",
        "Scalar",
        "SelectImpl",
        "Tensor",
        "TensorBase",
        "TensorIterator",
        "TensorIteratorBase",
        "TensorListMetadata",
        "TensorListScalarListMetadata",
        "TensorListScalarMetadata",
        "TensorSizeStride",
        "anonymous",
        "array",
        "at",
        "at_cuda_detail",
        "binary_internal",
        "bool",
        "c10",
        "char",
        "const",
        "cub",
        "cublasGemvParamsEx",
        "cublasGemvTensor",
        "cublasGemvTensorStridedBatched",
        "cublasLt",
        "cuda",
        "detail",
        "double",
        "false",
        "float",
        "func_wrapper_t",
        "function_traits",
        "gpu_kernel_impl",
        "gpu_kernel_impl_nocast",
        "half",
        "int",
        "internal",
        "lambda",
        "long",
        "namespace",
        "native",
        "operator",
        "policy_hub",
        "short",
        "std",
        "templates",
        "thrust",
        "true",
        "u",
        "ul",
        "unsigned",
        "void",
    }
)
"""Words in a template's arguments that most kernels share, so that they tell none from another."""


def waiting(records: Sequence[Record]) -> Figure | None:
    """A bar for each case, the one that waits most on top: the device's work, then its wait; a mark for the graph."""
    rows = [r for r in records if kernels.waiting_share(r) is not None]
    if not rows:
        return None
    waits = [kernels.waiting_share(r) or 0.0 for r in rows]
    said = [_said(r) for r in rows]
    works = [1 - part for part in waits]
    data = [
        _bars("the device works", works, said, WORKS, ""),
        _bars("it waits for the host", waits, said, WAITS, "/"),
    ]
    return {"data": [*data, *_graphs(rows)], "layout": _layout(rows)}


def _bars(
    name: str, shares: Sequence[float], said: Sequence[str], colour: int, pattern: str
) -> dict[str, Any]:
    """A bar in each row, told apart by a pattern as well as by colour."""
    fill = {"shape": pattern, "fillmode": "overlay", "solidity": 0.3}
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": list(shares),
        "y": list(range(len(shares))),
        "hovertext": list(said),
        "hoverinfo": "text",
        "marker": {
            "color": style.LIGHT[colour],
            "line": {"width": 1},
            "pattern": fill,
            "opacity": 0.85,
        },
        "meta": {"colour": colour},
    }


def _graphs(rows: Sequence[Record]) -> list[dict[str, Any]]:
    known = [
        (place, r.graph_time_s / r.time_s, r)
        for place, r in enumerate(rows)
        if r.graph_time_s and r.time_s
    ]
    if not known:
        return []
    ys, xs, rows_known = zip(*known, strict=True)
    said, name = map(_said, rows_known), "in a replayed graph"
    return [plot_parts.points(xs, ys, said, GRAPH, name=name, symbol="diamond", size=10)]


def _layout(rows: Sequence[Record]) -> dict[str, Any]:
    names = [style.shortened(_label(r, rows)) for r in rows]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    return style.layout(
        height=_EDGE_PX + _ROW_PX * max(3, len(rows)),
        barmode="stack",
        bargap=0.3,
        xaxis={
            "range": [0, 1.02],
            "tickvals": ticks,
            "ticktext": [share(tick) if tick else "0" for tick in ticks],
            "title": {"text": "of what a caller waits", "standoff": 8},
            "zeroline": False,
        },
        yaxis={**style.rows_axis(names), "fixedrange": True},
    )


def _label(record: Record, among: Sequence[Record]) -> str:
    """The op and what tells the case from others: a dtype only where several occur, as with the names of axes."""
    several = len({r.dtype for r in among}) > 1
    values = [text for axis, text in record.params.items() if several or axis != "dtype"]
    return " ".join([record.op, *values])


def _said(record: Record) -> str:
    parts = [
        hover(record),
        style.escaped(f"the device works for {seconds(record.device_time_s)}"),
        style.escaped(f"submitting it takes the host {seconds(record.host_time_s)}"),
    ]
    if record.device_time_cold_s is not None:
        cold = f"and for {seconds(record.device_time_cold_s)} with its caches emptied"
        parts.append(style.escaped(cold))
    if record.graph_time_s is not None:
        parts.append(style.escaped(f"in a replayed graph {seconds(record.graph_time_s)}"))
    return "<br>".join(parts)


def twin(records: Sequence[Record]) -> Twin:
    """The same cases as a table."""
    columns: dict[str, Callable[[Record], str]] = {
        "a caller waits": wording.time_of,
        "device works": lambda r: seconds(r.device_time_s),
        "cold": lambda r: seconds(r.device_time_cold_s),
        "host submits": lambda r: seconds(r.host_time_s),
        "device waits": lambda r: share(kernels.waiting_share(r)),
        "in a graph": lambda r: seconds(r.graph_time_s),
        "less by": lambda r: share(kernels.saved_share(r)),
    }
    rows = [
        (f"{r.suite}/{grid.title(r)}", tuple(cell(r) for cell in columns.values())) for r in records
    ]
    return Twin(row_head="case", head=tuple(columns), rows=tuple(rows))


def short(name: str) -> str:
    """A kernel's name as it fits: of a long C++ template, its own name and the words that tell it from others.

    `void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>, …>(int, …)` is
    `vectorized_elementwise_kernel<FillFunctor>`; a long name of another kind loses its middle.
    """
    if len(name) <= _HEAD + 1 + _TAIL:
        return name
    bare = _RETURNED.sub("", name.replace("(anonymous namespace)::", ""))
    cut = min((place for mark in "<(" if (place := bare.find(mark)) > 0), default=0)
    if not cut:
        return f"{name[:_HEAD]}…{name[-_TAIL:]}"
    own, arguments = _own_name(bare[:cut]), bare[cut:]
    telling = dict.fromkeys(w for w in _WORD.findall(arguments) if w not in _COMMON)
    said = ", ".join([word for word in telling if not word.startswith("_")][:_MOST_TELLING])
    return clipped(f"{own}<{said}>" if said else own, _HEAD + 1 + _TAIL)


def _own_name(qualified: str) -> str:
    """The last part of it, or the last two where that one says nothing: `gemvx::kernel`."""
    *_, space, own = ["", *qualified.split("::")]
    return f"{space}::{own}" if own == _NO_NAME and space else own
