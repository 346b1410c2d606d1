"""`bench publish`: the pages of runs, put where others can read them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.app import OK, SOME_FAILED, app
from bench.cli.options import (
    OUT,
    STORE,
    BranchName,
    Destination,
    Json,
    Last,
    PublishRuns,
    Push,
    Remote,
    Store,
)
from bench.cli.output import print_json, say
from bench.cli.runs import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.publish.website import Place, Published
    from bench.store.runs import StoredRun


@app.command("publish")
def publish_command(
    *,
    run: PublishRuns = None,
    to: Destination = None,
    branch: BranchName = None,
    push: Push = False,
    remote: Remote = "origin",
    last: Last = None,
    store: Store = STORE,
    as_json: Json = False,
) -> int:
    """Put pages, an index of them and a badge on a site; pages that are there already stay."""
    from bench.publish.website import publish

    _check(run, last, branch, push=push)
    known, torn = _known(store, needed=not run)
    chosen = _chosen(store, run, known, last)
    place = _place(to, branch, remote, push=push)
    done = publish(chosen, known, place)
    if as_json:
        print_json(_facts(done))
    else:
        say(_sentence(done, remote if push else None))
    return SOME_FAILED if torn and not run else OK


def _check(run: Sequence[str] | None, last: int | None, branch: str | None, *, push: bool) -> None:
    """Words that contradict each other.

    Raises:
        SelectionError: there are such.
    """
    from bench.errors import SelectionError

    if run and last:
        message = f"--last {last} chooses runs, and so does {run[0]}; write one of them"
        raise SelectionError(message)
    if push and branch is None:
        message = "--push pushes a branch; name it with --branch (gh-pages)"
        raise SelectionError(message)


def _known(store: Path, *, needed: bool) -> tuple[list[StoredRun], bool]:
    """The finished runs of a store that are whole, and whether others were passed over.

    Raises:
        StoreError: there is no store, and it is needed.
    """
    from bench.errors import StoreError
    from bench.store import runs

    if not (needed or store.is_dir()):
        return [], False
    whole, torn = [], False
    for one in runs.list_runs(store):
        try:
            if one.finished:
                runs.verify(one)
                whole.append(one)
        except StoreError as error:
            say(f"passed over: {error}", err=True)
            torn = True
    return whole, torn


def _chosen(
    store: Path, run: Sequence[str] | None, known: Sequence[StoredRun], last: int | None
) -> Sequence[StoredRun]:
    """The runs to publish.

    Raises:
        StoreError: there are none, or one that is named can't be found or is not whole.
    """
    from bench.analysis.rerun_command import on_store
    from bench.errors import StoreError
    from bench.store import runs

    if run:
        named = [find_run(store, word) for word in run]
        for one in named:
            runs.verify(one)
        return named
    if not known:
        how = on_store("bench run", store)
        message = f"the store {store} holds no finished run to publish; make one with: {how}"
        raise StoreError(message)
    return known[-last:] if last else known


def _place(to: str | None, branch: str | None, remote: str, *, push: bool) -> Place:
    if branch is None:
        from bench.publish.folder import Folder

        return Folder(to or str(OUT))
    from bench.publish.branch import Branch

    return Branch(Path.cwd(), branch, folder=to or "", remote=remote, push=push)


def _facts(done: Published) -> dict[str, str | int | None]:
    return {"site": done.site, "pages": done.pages, **dataclasses.asdict(done.receipt)}


def _sentence(done: Published, remote: str | None) -> str:
    """Where the site is, and what it took."""
    from bench.units import counted

    found, receipt = f"site: {done.site} ({counted(done.pages, 'page')})", done.receipt
    if not receipt.written:
        said = f"{found}; nothing has changed, nothing was written"
    elif receipt.commit:
        said = f"{found}; {counted(receipt.written, 'file')} in commit {receipt.commit[:10]}"
    else:
        said = f"{found}; {counted(receipt.written, 'file')} written"
    return f"{said}; {remote} has it" if remote else said
