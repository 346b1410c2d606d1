"""The command that measures what is missing selects all of it, and little else."""

from __future__ import annotations

import shlex

from bench.analysis.claims.claim import CaseSelector, Claim, measuring_command
from bench.analysis.claims.judges import cheaper
from bench.plan.case_id import case_id
from bench.plan.filter import Filter


def claim(*needs: CaseSelector) -> Claim:
    """A claim that needs these."""
    return Claim(id="x", sentence="x", sources=(), needs=needs, judge=cheaper())


def selects(words: str, op: str, **labels: str) -> bool:
    """Whether the command's -k has this case."""
    argv = shlex.split(words)
    suite, _, name = op.partition("/")
    return Filter(argv[argv.index("-k") + 1]).matches(case_id(suite, name, labels), labels)


VIEW, MUL, WIDE = (
    CaseSelector(op="view/t"),
    CaseSelector(op="mul/a"),
    CaseSelector(op="mul/a", dtype="float64"),
)


def test_one_command_has_all_ops_once() -> None:
    """In the order of the claims."""
    assert measuring_command([claim(VIEW, MUL), claim(MUL)]) == 'bench run -k "view/t or mul/a"'
    assert measuring_command([]) is None


def test_a_dtype_is_set_for_those_that_need_it_alone() -> None:
    """Ops without a dtype are measured too, and the others in one dtype as ever."""
    found = measuring_command([claim(VIEW), claim(CaseSelector(op="cat/rows")), claim(MUL, WIDE)])
    assert found is not None
    assert found.endswith("--set dtype=float32,float64")
    assert selects(found, "view/t", n="64")
    assert selects(found, "mul/a", n="64", dtype="float64")
    assert selects(found, "mul/a", n="64", dtype="float32")
    assert selects(found, "cat/rows", n="64", dtype="float32")
    assert not selects(found, "cat/rows", n="64", dtype="float64")
    assert measuring_command([claim(MUL, WIDE)]) == "bench run -k mul/a --set dtype=float32,float64"


def test_what_is_needed_in_modes_has_a_command_of_its_own() -> None:
    """Compiling everything else would take long."""
    compiled = CaseSelector(op="mul/a", where={"mode": "compile"})
    found = measuring_command([claim(VIEW), claim(compiled, MUL)])
    assert found == "bench run -k view/t && bench run -k mul/a --mode compile,eager"
    assert measuring_command([claim(compiled)]) == "bench run -k mul/a --mode compile"
