"""Known claims: what six teaching texts say about time and memory, and what is disputed in public threads.

The texts are named by title and origin. How to add a claim: docs/claims.md.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

from bench.analysis.claims.claim import CaseSelector, Claim, Source, Text
from bench.analysis.claims.gpu_judge import COPIES, overtakes
from bench.analysis.claims.judges import (
    cheaper,
    constant,
    dearer_in_fresh_memory,
    same,
    smaller,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_JUDGES = {
    one.__name__: one
    for one in (cheaper, constant, dearer_in_fresh_memory, same, smaller, overtakes)
}


def read(document: str, texts: Mapping[str, Text] | None = None) -> tuple[Claim, ...]:
    """The claims of a TOML document; `texts` are those that it may name besides its own."""
    data = tomllib.loads(document)
    own = {key: Text(**facts) for key, facts in data.get("text", {}).items()}
    known = {**(texts or {}), **own}
    return tuple(
        _claim(facts, _sources(topic["sources"], known))
        for topic in data["topic"]
        for facts in topic["claim"]
    )


def _sources(places: list[str], texts: Mapping[str, Text]) -> tuple[Source, ...]:
    """`slides: about GPUs` names a text by its key, and a place in it."""
    split = (place.partition(": ") for place in places)
    return tuple(Source(text=texts[key], place=place) for key, _, place in split)


def _claim(facts: dict[str, Any], sources: tuple[Source, ...]) -> Claim:
    """A claim from its table: what is neither id, sentence, needs nor judge is a parameter of the judge."""
    parameters = dict(facts)
    id_, sentence, needs, judge = map(parameters.pop, ("id", "sentence", "needs", "judge"))
    selectors = tuple(
        CaseSelector(**({"op": one} if isinstance(one, str) else one)) for one in needs
    )
    return Claim(
        id=id_,
        sentence=sentence,
        sources=sources,
        needs=selectors + (COPIES if "matrices_copied" in parameters else ()),
        judge=_JUDGES[judge](**parameters),
    )


DISPUTED = read(resources.files(__package__).joinpath("disputed.toml").read_text(encoding="utf-8"))
"""What people dispute in public, as sentences that a measurement settles."""
COURSE = read(resources.files(__package__).joinpath("course.toml").read_text(encoding="utf-8"))
"""The claims of the six texts, in the order in which they are shown."""
CLAIMS = (*COURSE, *DISPUTED)
"""All claims."""
TEXTS = {
    text.title: text
    for text in sorted(
        {source.text for claim in COURSE for source in claim.sources}, key=lambda text: text.file
    )
}
"""Title → text, in the order of the course."""
