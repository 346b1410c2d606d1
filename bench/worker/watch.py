"""Watch over guests' code: what it changes, warns of and compiles while a request is answered; the changes are undone.

Never around timed loops but at their ends: to record each warning would slow down a call that raises one.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from bench.pool.side_effects import SideEffects, together
from bench.worker.compiled import Compilation
from bench.worker.global_state import GlobalState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Watch:
    """Watches one request after the other, and tells the side effects of the last."""

    def __init__(self) -> None:
        self.state = GlobalState()
        """Of which our own code sets nothing, but by `torch_settings`."""
        self._compilation = Compilation()
        self._begin()

    def _begin(self) -> None:
        self._changed: list[str] = []
        self._warned: list[str] = []
        self.leaves_cycles = False
        """Whether the call was found to leave objects that refer to each other."""

    @contextmanager
    def over_request(self) -> Iterator[None]:
        """Forget what was seen, and watch until the request is answered."""
        self._begin()
        with self.state.kept(self._changed, known=True), self._compilation:
            yield

    @contextmanager
    def over_file(self) -> Iterator[list[str]]:
        """Undo what a suite's file sets when it is loaded; the list has that afterwards, and each of its cases is to note it."""
        changed: list[str] = []
        with self.state.kept(changed, known=True):
            yield changed

    def note(self, changed: Iterable[str]) -> None:
        """Count these changes among those of the request."""
        self._changed.extend(changed)

    @contextmanager
    def over_build(self) -> Iterator[None]:
        """Undo what building a call sets, before the call is made; keep its warnings."""
        with self.state.kept(self._changed, known=True), self.over_call():
            yield

    @contextmanager
    def over_call(self) -> Iterator[None]:
        """Keep the warnings of untimed calls: also those that Python shows once a place, and torch once a process."""
        always = torch.is_warn_always_enabled()
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            torch.set_warn_always(True)
            try:
                yield
            finally:
                torch.set_warn_always(always)
                self._warned.extend(f"{one.category.__name__}: {one.message}" for one in given)

    def effects(self) -> SideEffects:
        """The side effects of the last request."""
        seen = self._compilation
        found = SideEffects(
            state_changed=tuple(self._changed),
            python_warnings=(*self._warned, *seen.warned),
            graph_breaks=seen.graph_breaks,
            graphs=seen.graphs,
            recompiles=seen.recompiles,
            recompile_limit=seen.hit_limit,
            reference_cycles=self.leaves_cycles,
        )
        return together([found]) if found.state_changed or found.python_warnings else found
