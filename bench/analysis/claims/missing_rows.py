"""The one command that measures what claims lack. It selects a few more cases than that; never fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.rerun_command import quoted
from bench.plan.case import DEFAULT_DTYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.analysis.claims.claim import Claim


def command(claims: Iterable[Claim]) -> str | None:
    """One `bench run` for all that these claims need; None if there are none.

    Ops that are needed in one dtype are not measured in those that others are needed in.
    """
    needs = [cases for claim in claims for cases in claim.needs]
    dtypes = list(dict.fromkeys([DEFAULT_DTYPE, *(cases.dtype for cases in needs)]))
    several = {cases.op for cases in needs if cases.dtype != DEFAULT_DTYPE}
    in_one = dict.fromkeys(cases.op for cases in needs if cases.op not in several)
    in_many = dict.fromkeys(cases.op for cases in needs if cases.op in several)
    if not needs:
        return None
    if not in_many:
        return f"bench run -k {quoted(' or '.join(in_one))}"
    others = "".join(f" and not dtype={dtype}" for dtype in dtypes[1:])
    plain = [f"({' or '.join(in_one)}){others}"] if in_one else []
    words = quoted(" or ".join([*plain, *in_many]))
    return f"bench run -k {words} --set dtype={','.join(dtypes)}"
