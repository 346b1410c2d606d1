"""The claims of the course are sound data: told apart, from the six texts, and measurable by the suites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.analysis.claims.claim import answers
from bench.analysis.claims.known import CLAIMS, COURSE, DISPUTED, TEXTS, read
from bench.plan import discover
from bench.plan.plan import expand
from bench.plan.selection import Selection
from tests.fakes.rows import record

if TYPE_CHECKING:
    from bench.analysis.claims.claim import Claim
    from bench.records.record import Record


def test_every_claim_has_an_id_a_sentence_and_a_text() -> None:
    """Ids are words of a command line; sentences end; each source is one of the course's texts."""
    ids = [claim.id for claim in COURSE]
    assert len(ids) == len(set(ids))
    assert len({claim.sentence for claim in COURSE}) == len(COURSE)
    for claim in COURSE:
        assert claim.id.replace("-", "").isalnum()
        assert claim.sentence.endswith(".")
        assert {source.text.title for source in claim.sources} <= set(TEXTS)
        assert claim.sources


def test_what_is_disputed_names_a_public_thread() -> None:
    """By repository and number, with its address; ids are told apart from the course's."""
    assert len(DISPUTED) >= 12
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for claim in DISPUTED:
        assert claim.sentence.endswith(".")
        for source in claim.sources:
            name, _, number = source.text.file.partition("#")
            assert name
            assert source.text.origin.startswith("github.com/")
            assert source.text.origin.endswith(f"/{number}")


def test_a_claim_on_modes_is_not_settled_by_rows_of_another_mode() -> None:
    """An op's plain rows are the eager ones, whatever else a run has."""
    claim = next(one for one in DISPUTED if one.id == "compiled-softmax-pays")
    compiled, plain = claim.needs
    assert claim.modes == ("compile", "eager")
    eager = record("fusion", "masked_softmax", params={"n": 64}, mode="eager")
    other = record("fusion", "masked_softmax", params={"n": 64, "mode": "compile"}, mode="compile")
    assert (plain.include(eager), plain.include(other)) == (True, False)
    assert (compiled.include(eager), compiled.include(other)) == (False, True)


def test_more_than_ten_claims_need_no_gpu() -> None:
    """And those that need one are told apart by what they need."""
    assert sum(not claim.needs_gpu for claim in COURSE) >= 20
    assert sum(claim.needs_gpu for claim in COURSE) >= 6


def test_every_text_is_the_source_of_a_claim() -> None:
    """None of the six is left out, and each is named by a title of its own."""
    assert len(TEXTS) == 6
    assert len({text.file for text in TEXTS.values()}) == 6


@pytest.fixture(name="quick", scope="module")
def _quick() -> list[Record]:
    """A row of each quick case on both devices, as the command of `bench claims` would measure it."""
    dtypes = ("float32", "float64", "bfloat16", "float16")
    both = ("eager", "compile")
    selection = Selection(devices=("cpu", "cuda"), settings={"dtype": dtypes}, modes=both)
    cases = expand(discover.load_all(()), selection, {}).cases
    return [
        record(
            *(c.suite, c.op),
            params=dict(c.params),
            mode=c.mode,
            dtype=c.dtype,
            device=c.device,
            fresh_time_s=1e-4,
            fresh_time_lo_s=9e-5,
            fresh_time_hi_s=2e-4,
        )
        for c in cases
    ]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_quick_run_has_what_a_claim_needs(claim: Claim, quick: list[Record]) -> None:
    """Every op, axis and size that its judge asks for."""
    (answer,) = answers([claim], [quick])
    assert answer.verdict.kind != "not-measured"


def test_the_claim_of_the_document_is_one(quick: list[Record]) -> None:
    """Ten lines at most, and a quick run answers it."""
    text = (Path(__file__).parents[3] / "docs/claims.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    assert len(example.splitlines()) <= 10
    (claim,) = read(example, {"video": next(iter(TEXTS.values()))})
    (answer,) = answers([claim], [quick])
    assert answer.verdict.kind == "does-not-hold"
