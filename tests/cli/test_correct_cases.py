"""What is right is called right, from end to end: sparse tensors, ill-conditioned ops, lower precision, used-up inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.store.load import load_records

if TYPE_CHECKING:
    from bench.records.record import Record

QUICKLY = "--workers 1 --rounds 1 --budget 1ms --threads 1 --patience 0 --no-roofs --device cpu"
SUITE = '''
"""Ops whose results are right in ways that a dtype alone does not tell."""
import dataclasses
import numpy as np
import torch
from bench import Axis, Call, Case, Suite

suite = Suite("right", axes=[Axis("n", [24])])

@dataclasses.dataclass(frozen=True)
class Sums:
    rows: torch.Tensor
    all: float

def sparse(case):
    n = case["n"]
    return case.randn(n, n) * (case.rand(n, n) < 0.2)

LAYOUTS = {"coo": torch.Tensor.to_sparse, "csr": torch.Tensor.to_sparse_csr, "csc": torch.Tensor.to_sparse_csc}

@suite.op(axes=[Axis("layout", LAYOUTS)])
def product(case: Case) -> Call:
    return Call(torch.mm, case["layout"](sparse(case)), case.randn(case["n"], 4))

@product.reference
def product_reference(a, b):
    return a.to_dense().numpy() @ b.numpy()

@suite.op(axes=[Axis("layout", LAYOUTS)])
def made(case: Case) -> Call:
    return Call(case["layout"], sparse(case))

made.reference(lambda x: x)

@suite.op
def jagged(case: Case) -> Call:
    rows = [case.randn(k, 3) for k in (2, 5)]
    return Call(torch.neg, torch.nested.nested_tensor(rows, layout=torch.jagged))

jagged.reference(lambda x: [-one.numpy() for one in x.unbind()])

@suite.op
def inverse(case: Case) -> Call:
    return Call(torch.linalg.inv, case.randn(50, case["n"], case["n"]))

@inverse.reference(rtol=0.05)
def inverse_reference(x):
    return np.linalg.inv(x.numpy())

@suite.op
def eigen(case: Case) -> Call:
    x = case.randn(case["n"], case["n"])
    return Call(torch.linalg.eigh, x + x.mT)

@eigen.check
def eigen_check(x, result):
    values, vectors = result
    return (vectors * values @ vectors.mT - x).abs().max() / x.abs().max()

def cast(x, w):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return torch.nn.functional.linear(x, w).float()

@suite.op
def autocast(case: Case) -> Call:
    return Call(cast, case.randn(8, case["n"]), case.randn(8, case["n"]))

autocast.reference(lambda x, w: x.numpy() @ w.numpy().T)

@suite.op(axes=[Axis("dtype", ["float8_e4m3fn", "float8_e5m2", "uint16", "complex64"])])
def widened(case: Case) -> Call:
    return Call(lambda x: x.to(torch.complex128), case.randn(case["n"]))

widened.reference(lambda x: x)

@suite.op
def sums(case: Case) -> Call:
    return Call(lambda x: Sums(x["m"].sum(1), x["m"].sum().item()), {"m": case.randn(5, 4)})

@sums.reference
def sums_reference(x):
    return {"rows": x["m"].sum(1), "all": x["m"].sum()}

def sort(x):
    return x.copy_(x.sort().values)

@suite.op
def sorted_anew(case: Case) -> Call:
    return Call(sort, case.randn(case["n"]), setup=torch.clone)

@suite.op
def sorted_again(case: Case) -> Call:
    return Call(sort, case.randn(case["n"]))

for op in (sorted_anew, sorted_again):
    @op.check
    def in_order(x, result):
        """In order, and a permutation."""
        if not bool((result.diff() >= 0).all()):
            return "not in order"
        return bool((result == x.sort().values).all())

@suite.op
def popped(case: Case) -> Call:
    return Call(list.pop, list(range(case["n"])), setup=list)

popped.check(lambda items, result: result == items[-1])
'''


@pytest.fixture(name="rows", scope="module")
def _rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """The rows of a run of the suite, by op and labels."""
    place = tmp_path_factory.mktemp("right")
    (place / "suite.py").write_text(SUITE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("TENSORBENCH_CACHE", str(place / "cache"))
        assert cli.main(["run", "suite.py", *QUICKLY.split()]) == 0
    return {record.case: record for record in load_records(place / "results")}


def test_each_case_is_measured_and_right(rows: dict[str, Record]) -> None:
    """Compared with its reference, or by its property."""
    assert len(rows) == 18
    assert {
        case: (one.status, one.correct, one.reason) for case, one in rows.items()
    } == dict.fromkeys(rows, ("ok", True, None))


def test_inputs_that_were_used_up_are_told(rows: dict[str, Record]) -> None:
    """Of the calls that were not given fresh ones, and of no other."""
    changed = {case for case, one in rows.items() if "inputs-changed" in one.warnings}
    assert changed == {"right/sorted_again[n=24]"}


def test_a_call_with_fresh_inputs_is_timed_by_itself(rows: dict[str, Record]) -> None:
    """One call a sample."""
    assert {one.loops for one in rows.values() if one.op in {"sorted_anew", "popped"}} == {1}


def test_the_memory_of_sparse_inputs_is_told(rows: dict[str, Record]) -> None:
    """Values, indices and the other factor."""
    sizes = [one.input_bytes or 0 for one in rows.values() if one.op == "product"]
    assert all(24 * 4 * 4 < size < 2 * 24 * 24 * 8 for size in sizes)
