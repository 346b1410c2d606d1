"""The command that measures a case again, and the store in commands that texts suggest.

It selects by words that `bench run -k` understands: this case and, where names leave no other way, a few more;
never fewer.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.plan.case_id import term
from bench.plan.mode import is_eager
from bench.records.memory_policy import REUSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.record import Record

USUAL_STORE = Path("results")
"""The store of commands that name none."""
_HAS_STORE = re.compile(
    r"\bbench (ab|claims|compare|crossover|doctor|export|gate|import|publish|report|run|runs|show|table|trend"
    r"|fleet (plan|run|status|retry|report|gate|reference|emit))\b"
    r"(?! --store)"
)
"""Commands that read or write a store."""
_UNSAFE_IN_DOUBLE_QUOTES = re.compile(r'["$`\\!]')


def commands(records: Sequence[Record], options: Mapping[str, Any]) -> list[str]:
    """For each record the command that repeats it.

    Args:
        records: all rows of the run, so that ambiguous names can be told.
        options: what the run was asked for (`RunInfo.options`).
    """
    words = {pair: _op_word(pair, records) for pair in {(r.suite, r.op) for r in records}}
    several = {r.device for r in records} != {"cpu"}
    return [_command(r, words[r.suite, r.op], options, device=several) for r in records]


def on_store(command: str, store: Path | None) -> str:
    """A suggested command, on the store that was named, so that it can be copied as it is.

    A page names none: it is read where that store is not.
    """
    return command + _store_words(store)


def all_on_store(text: str, store: Path | None) -> str:
    """A sentence that suggests commands, each of them on the store that was named."""
    return _HAS_STORE.sub(lambda found: found[0] + _store_words(store), text)


def _store_words(store: Path | None) -> str:
    return "" if store in {None, USUAL_STORE} else f" --store {quoted(str(store))}"


def _command(record: Record, word: str, options: Mapping[str, Any], *, device: bool) -> str:
    terms = [word, *(term(axis, text) for axis, text in record.params.items())]
    parts = ["bench run", *map(quoted, _suite_words(record.suite, options.get("suites") or ()))]
    parts += ["-k", quoted(" and ".join(terms))]
    for axis in options.get("settings") or {}:
        if axis in record.params:
            parts += ["--set", quoted(term(axis, record.params[axis]))]
    if not is_eager(record.mode):
        parts += ["--mode", str(record.mode)]
    if options.get("preset") not in {None, "quick"}:  # whatever is in quick is in the others too
        parts += ["--preset", quoted(str(options["preset"]))]
    if record.cache not in {None, "hot"}:
        parts += ["--cache", str(record.cache)]
    if record.device == "cpu" and record.memory_policy != REUSE:
        parts += ["--memory", record.memory_policy]
    if device:
        parts += ["--device", record.device]
    return " ".join(parts)


def _suite_words(suite: str, given: Sequence[str]) -> list[str]:
    """The suite by its name if it is a shipped one, else by the file it was run from."""
    files = [word for word in given if word.endswith(".py")]
    named = [word for word in files if re.split(r"[/\\]", word)[-1] == f"{suite}.py"]
    if suite in given or not files:
        return [suite]
    return named[:1] or files


def _op_word(pair: tuple[str, str], records: Sequence[Record]) -> str:
    """The op's name, with the id's own punctuation where the bare name is part of other ids."""
    suite, op = pair
    others = {r.case for r in records if r.suite == suite and r.op != op}
    if any(op.lower() in case.lower() for case in others):
        has_axes = any(r.params for r in records if (r.suite, r.op) == pair)
        return f"/{op}[" if has_axes else f"/{op}"
    return op


def quoted(text: str) -> str:
    """The text as one word for a shell; double quotes where they do, which Windows has as well."""
    if shlex.quote(text) == text:
        return text
    return shlex.quote(text) if _UNSAFE_IN_DOUBLE_QUOTES.search(text) else f'"{text}"'
