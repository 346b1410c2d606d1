"""Catalogue: every op that the suites declare, with what one call of it is, so that an op is found by what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.discover import LoadedSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What each file of a suite is about, and the question that it answers: its text's first line, and next paragraph."""

    suite: str
    files: tuple[tuple[str, str], ...]

    @property
    def what(self) -> str:
        """What the suite is about."""
        return ". ".join(what for what, _ in self.files if what)

    @property
    def question(self) -> str:
        """The questions that it answers."""
        return " ".join(question for _, question in self.files if question)

    @classmethod
    def of(cls, suite: str, loaded: Sequence[LoadedSuite]) -> Subject:
        """Of a suite, by its files; empty where these don't say."""
        told = (_told(one) for one in loaded if one.suite.name == suite)
        return cls(suite=suite, files=tuple(told))


def _told(loaded: LoadedSuite) -> tuple[str, str]:
    """The subject and the question in a file's text."""
    first, _, rest = str(loaded.values.get("__doc__") or "").strip().partition("\n")
    paragraph = rest.strip().partition("\n\n")[0]
    return first.partition(" Run it: ")[0].rstrip(".").strip(), " ".join(paragraph.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """An op: its name, what one call is, the labels on each of its axes, and whether it is in the quick preset."""

    subject: Subject
    op: str
    call: str
    axes: Mapping[str, tuple[str, ...]]
    quick: bool

    @property
    def op_id(self) -> str:
        """The op's full name, `suite/op`."""
        return f"{self.subject.suite}/{self.op}"

    def has(self, word: str) -> bool:
        """Whether a word is in its name, in what is said of it or its suite, or among its axes and their labels."""
        labels = (text for axis, texts in self.axes.items() for text in (axis, *texts))
        said = (self.op_id, self.call, self.subject.what, self.subject.question, *labels)
        return any(word.lower() in text.lower() for text in said)


def catalogue(loaded: Sequence[LoadedSuite]) -> list[CatalogueEntry]:
    """The ops of these suites, suite by suite."""
    names = dict.fromkeys(one.suite.name for one in loaded)
    subjects = {name: Subject.of(name, loaded) for name in names}
    return [
        CatalogueEntry(
            subject=subjects[one.suite.name],
            op=op.name,
            call=op.summary,
            axes={name: tuple(axis.choices) for name, axis in op.axes.items()},
            quick=op.quick,
        )
        for one in loaded
        for op in one.suite.ops.values()
    ]


def search(entries: Sequence[CatalogueEntry], text: str) -> list[CatalogueEntry]:
    """The ops that have every word of a text; those that have them in their names come first.

    Raises:
        SelectionError: there is none.
    """
    words = text.split()
    found = [one for one in entries if all(map(one.has, words))]
    if not words or not found:
        names = {*(one.op for one in entries), *(one.subject.suite for one in entries)}
        message = f"--search {shown(text)} is in no op; {hint(text, names, 'see all with: bench list --by suite')}"
        raise SelectionError(message)
    return sorted(found, key=lambda one: not all(w.lower() in one.op_id.lower() for w in words))
