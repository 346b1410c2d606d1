"""One case out of stored rows, on one machine and device: by its id or an expression, as `choice` does for plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.grid import ranked_devices
from bench.analysis.rerun_command import all_on_store
from bench.errors import SelectionError, hint
from bench.plan.choose import expression, none_of, several_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.records.record import Record


def series(
    rows: Sequence[Record],
    word: str,
    *,
    machine: str | None = None,
    device: str | None = None,
    store: Path | None = None,
) -> list[Record]:
    """The rows of the case that a word means, oldest first.

    Args:
        rows: of any runs.
        word: an id, or an expression of `-k` that leaves one case.
        machine: its id or a part of its name; that of the newest row of the case if None.
        device: may be None where the case has one.
        store: where the rows are from, for what is suggested.

    Raises:
        SelectionError: the words mean no case, machine or device in these rows, or several.
    """
    meant = sorted(_meant(rows, word, store), key=lambda r: (r.started_at, r.run_id))
    here = _on_machine(meant, machine)
    ids = list(dict.fromkeys(r.case for r in here))
    if len(ids) > 1:
        raise SelectionError(several_of(word, ids))
    devices = ranked_devices(here)
    if device is None and len(devices) > 1:
        message = (
            f"{ids[0]} was measured on {', '.join(devices)}; choose with --device {devices[0]}"
        )
        raise SelectionError(message)
    if device is not None and device not in devices:
        message = f"--device {device!r}: {ids[0]} was not measured on it; {hint(device, devices)}"
        raise SelectionError(message)
    return [r for r in here if device in {None, r.device}]


def _meant(rows: Sequence[Record], word: str, store: Path | None) -> list[Record]:
    """The rows of this id, else those that the expression matches."""
    named = [r for r in rows if r.case == word]
    test = None if named else expression(word)
    found = named or [r for r in rows if test and test.matches(r.case, r.params)]
    if not found:
        how = all_on_store("see the ids with: bench export --format csv", store)
        raise SelectionError(none_of(word, list(dict.fromkeys(r.case for r in rows)), how))
    return found


def _on_machine(rows: Sequence[Record], machine: str | None) -> list[Record]:
    """The rows of the machine that is meant; the rows are of one case or more, oldest first."""
    if machine is None:
        return [r for r in rows if r.machine_id == rows[-1].machine_id]
    wanted = machine.casefold()
    found = [r for r in rows if wanted in r.machine.casefold() or machine == r.machine_id]
    ids = {r.machine_id: r.machine for r in found}
    if not ids:
        message = (
            f"--machine {machine!r} did not measure it; {hint(machine, (r.machine for r in rows))}"
        )
        raise SelectionError(message)
    if len(ids) > 1:
        known = ", ".join(f"{name} ({one})" for one, name in ids.items())
        message = f"--machine {machine!r} means {len(ids)} machines: {known}; name one by its id"
        raise SelectionError(message)
    return found
