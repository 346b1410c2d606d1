"""Website as a git branch: its history is kept, and neither the working tree nor its index is touched.

Blobs, a tree and a commit are made beside the checkout, in an index of their own; the branch is moved
last, and with a remote only once that has taken the commit. `git worktree` would need as many lines: it checks
out every earlier page, applies the user's filters and hooks, and is left behind by a kill.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine import git
from bench.publish.website import Receipt
from bench.report.html.build import HEAD_BYTES
from bench.units import counted

if TYPE_CHECKING:
    from bench.publish.website import Site

PLAIN = ".nojekyll"
"""An empty file that tells GitHub Pages to serve the files as they are."""


class Branch:
    """A branch of the repository that a folder is in, and a folder of that branch.

    Args:
        repository: a folder of it.
        branch: its name; made, without a parent, if there is none.
        folder: where in the branch; its root if empty.
        remote: where it may be as well; its history is part of this one.
        push: whether the remote is asked for its branch first, and given the commit afterwards.

    Raises:
        StoreError: there is no repository, the name can't name a branch, it is checked out, or its
            history is another on the remote.
    """

    def __init__(
        self, repository: Path, branch: str, *, folder: str = "", remote: str, push: bool
    ) -> None:
        self._git = partial(git.run, folder=repository)
        self._asked = partial(git.ask, folder=repository)
        self._branch = branch
        self._reference = f"refs/heads/{branch}"
        self._folder = _within(folder)
        self._remote, self._push = remote, push
        self.name = f"{branch}:{self._folder}" if folder else branch
        self._check()
        self._there = self._fetched() if push else None
        self._here = self._known(self._reference)
        self._tip = self._newest()

    def beginnings(self) -> dict[str, bytes]:
        """Name → the beginning of each page that is there."""
        if not self._tip:
            return {}
        inside = "" if self._folder == PurePosixPath() else self._folder
        words = ("ls-tree", "-z", "--full-tree", f"{self._tip}:{inside}")
        listed = self._asked(*words) or ""
        found = {}
        for entry in listed.split("\0"):
            facts, _, name = entry.partition("\t")
            kind, blob = facts.split()[1:] if facts else ("", "")
            if kind == "blob" and name.endswith(".html"):
                found[name] = self._git("cat-file", "blob", blob)[:HEAD_BYTES]
        return found

    def put(self, site: Site) -> Receipt:
        """Commit the files that differ, and move the branch; no difference is no commit."""
        tree = self._tree(site)
        before = (
            f"{self._tip}^{{tree}}"
            if self._tip
            else self._said("hash-object", "-t", "tree", "--stdin")
        )
        changed = self._git("diff-tree", "-r", "-z", "--name-only", before, tree)
        written = changed.count(b"\0")
        commit = self._commit(tree, site) if written or not self._tip else self._tip
        if self._push and commit != self._there:
            self._git("push", "--quiet", self._remote, f"{commit}:{self._reference}")
        if commit != self._here:
            words = ("-m", "bench publish", self._reference, commit)
            self._git("update-ref", *words, self._here or "0" * len(commit))
        return Receipt(written=written, branch=self._branch, commit=commit)

    def _check(self) -> None:
        if self._asked("rev-parse", "--git-dir") is None:
            message = (
                "--branch needs a git repository; run this in one, or publish with --to FOLDER"
            )
            raise StoreError(message)
        if self._asked("check-ref-format", self._reference) is None:
            message = f"--branch {self._branch!r} can't name a branch; write one like gh-pages"
            raise StoreError(message)
        trees = self._asked("worktree", "list", "--porcelain") or ""
        if f"branch {self._reference}" in trees.splitlines():
            message = (
                f"--branch {self._branch} is checked out, and would change under whoever works on it; "
                "name another (gh-pages), or check out another"
            )
            raise StoreError(message)

    def _fetched(self) -> str | None:
        """The remote's commit of the branch, fetched; None if the remote has no such branch."""
        if not self._git("ls-remote", "--heads", self._remote, self._reference):
            return None
        spec = f"+{self._reference}:{self._tracking}"
        self._git("fetch", "--quiet", "--no-write-fetch-head", self._remote, spec)
        return self._known(self._tracking)

    def _newest(self) -> str | None:
        """The commit to build upon.

        Raises:
            StoreError: the branch here and the remote's have gone different ways.
        """
        if not self._push:
            return self._here or self._known(self._tracking)
        if not self._here or not self._there:
            return self._here or self._there
        if self._leads(self._here, self._there):
            return self._there
        if self._leads(self._there, self._here):
            return self._here
        message = (
            f"the branch {self._branch} here and that of {self._remote} have gone different ways; "
            f"take theirs with: git branch --force {self._branch} {self._remote}/{self._branch}"
        )
        raise StoreError(message)

    def _tree(self, site: Site) -> str:
        """The branch's files with those of the site among them."""
        paths = "".join(f"{path}\n" for path in site.files.values()).encode()
        words = ("hash-object", "-w", "--no-filters", "--stdin-paths")
        blobs = self._git(*words, given=paths).decode().split()
        empty = self._said("hash-object", "-w", "--stdin")
        names = [*(str(self._folder / name) for name in site.files), PLAIN]
        entries = zip(names, [*blobs, empty], strict=True)
        listed = "".join(f"100644 {blob}\t{name}\0" for name, blob in entries).encode()
        with tempfile.TemporaryDirectory() as name:
            own = {"GIT_INDEX_FILE": str(Path(name) / "index")}
            self._git("read-tree", self._tip or "--empty", environ=own)
            words = ("update-index", "-z", "--add", "--index-info")
            self._git(*words, given=listed, environ=own)
            return self._git("write-tree", environ=own).decode().strip()

    def _commit(self, tree: str, site: Site) -> str:
        parent = ("-p", self._tip) if self._tip else ()
        said = f"Publish {counted(site.pages, 'report')}\n"
        try:
            made = self._git("commit-tree", tree, *parent, given=said.encode())
        except git.GitError as error:
            message = f"{error}; git config user.name and user.email say who publishes"
            raise git.GitError(message) from error
        return made.decode().strip()

    @property
    def _tracking(self) -> str:
        """The reference that follows the remote's branch in this repository."""
        return f"refs/remotes/{self._remote}/{self._branch}"

    def _known(self, reference: str) -> str | None:
        return self._asked("rev-parse", "--verify", "--quiet", reference)

    def _leads(self, older: str, newer: str) -> bool:
        words = ("merge-base", "--is-ancestor", older, newer)
        return self._asked(*words) is not None

    def _said(self, *words: str) -> str:
        return self._git(*words).decode().strip()


def _within(folder: str) -> PurePosixPath:
    """A folder of a branch.

    Raises:
        StoreError: it would be outside.
    """
    found = PurePosixPath(folder)
    if found.is_absolute() or ".." in found.parts or ":" in folder or "\0" in folder:
        message = f"--to {folder} is no folder of a branch; name one like reports, or leave it out"
        raise StoreError(message)
    return found
