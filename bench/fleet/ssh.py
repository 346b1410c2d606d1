"""Ssh engine: visits of hosts that have no scheduler, each begun there by itself, so that the connection may break.

Hosts that share the store write into it. Others keep a store of their own, below their home, from which finished runs
are fetched; a campaign's visits of a host are decided on that host alone, as its claims are.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from bench.fleet import host_store
from bench.fleet.engine import EngineError, Job, Node
from bench.fleet.ssh_host import Question, SshHosts
from bench.store import claims
from bench.store.campaigns import PLAN, key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bench.fleet.ssh_host import Answer
    from bench.records.campaign import Pool
    from bench.store.objects import Objects

    Command = Callable[[str], Sequence[str]]
    """The command of a visit, by the place of the store as its host sees it."""

HOST_STORE = ".cache/tensorbench/fleet"
"""Below the home of a host that does not share the store, where a connection begins."""
_SSH_FAILED = 255


class SshEngine:
    """Visits of one campaign on hosts.

    Args:
        pool: with the hosts, as ssh takes them.
        campaign: its name.
        objects: of the store into which results go.
        command: of a visit.
        identity: of the plan: a host that does not share the store has one for each.
        hosts: connections; tests pass their own.
    """

    def __init__(
        self,
        pool: Pool,
        campaign: str,
        objects: Objects,
        command: Command,
        identity: str,
        hosts: SshHosts | None = None,
    ) -> None:
        self._pool, self._campaign, self._objects, self._command = pool, campaign, objects, command
        self._hosts = hosts or SshHosts()
        self._store = pool.store or f"{HOST_STORE}/{identity}"
        self._place = shlex.quote(self._store)
        self._host_of = {host.rpartition("@")[2]: host for host in pool.hosts}
        self._running: dict[str, str] = {}
        self._down: dict[str, str] = {}

    def nodes(self) -> Sequence[Node]:
        """The hosts, whether they answer, and whether a visit is under way there."""
        self._look()
        return tuple(self._node(name) for name in self._host_of)

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:
        """Begin visits on hosts that are free, the first ones first."""
        free = [
            name
            for name in self._host_of
            if name not in avoid and (not among or name in among)
            if name not in self._running and name not in self._down
        ]
        most = max(0, self._pool.at_most - len(self._running)) if self._pool.at_most else visits
        chosen = free[: min(visits, most)]
        answers = self._ask({name: self._beginning(name) for name in chosen})
        begun = [name for name, answer in answers.items() if answer.code == 0]
        self._running |= {
            name: answers[name].out.decode(errors="replace").strip() for name in begun
        }
        refused = [f"{name}: {a.said}" for name, a in answers.items() if name not in begun]
        if refused and not begun:
            raise EngineError(refused[0])
        return len(begun)

    def jobs(self) -> Sequence[Job]:
        """The visits under way, as of the last look; none ever waits."""
        return tuple(Job(id=pid, state="running", node=name) for name, pid in self._running.items())

    def cancel(self, states: Collection[str]) -> None:
        """End the visits under way; they keep what they have measured."""
        if "running" in states:
            ending = {
                name: Question(script=f"kill -TERM {shlex.quote(pid)}")
                for name, pid in self._running.items()
            }
            self._ask(ending)

    def gather(self) -> None:
        """Look at all hosts, and fetch what those have finished that don't share the store."""
        listed = self._look()
        if self._pool.store:
            return
        for name, lines in listed.items():
            found = host_store.Listing.of(lines, self._campaign, (self._pool.name, name))
            try:
                self._fetch(name, found)
            except host_store.ForeignRunError as error:  # the other hosts are none the worse for it
                self._down[name] = str(error)
            if name in self._running:
                self._keep_alive(name)

    def close(self) -> None:
        """Close the connections; visits go on by themselves."""
        self._hosts.close()

    def _node(self, name: str) -> Node:
        state: Literal["idle", "busy", "down"] = "busy" if name in self._running else "idle"
        if name in self._down:
            return Node(name=name, state="down", reason=self._down[name])
        return Node(
            name=name, state=state, reason="a visit is under way" if state == "busy" else ""
        )

    def _look(self) -> dict[str, list[str]]:
        """Ask each host for its visit and its part of the campaign; host → the lines of its listing."""
        script = host_store.look_script(self._place, self._campaign)
        answers = self._ask({name: Question(script=script) for name in self._host_of})
        lines = {
            name: answer.out.decode(errors="replace").splitlines()
            for name, answer in answers.items()
            if answer.code == 0
        }
        self._down = {
            name: f"ssh: {answer.said or f'exit code {answer.code}'}"
            for name, answer in answers.items()
            if answer.code
        }
        found = {name: host_store.running(of_host) for name, of_host in lines.items()}
        # Of a host that can't be asked a visit may well go on.
        kept = {name: pid for name, pid in self._running.items() if name in self._down}
        self._running = {**{name: pid for name, pid in found.items() if pid}, **kept}
        return lines

    def _beginning(self, name: str) -> Question:
        """Begin a visit on a host, after what it has to know of the campaign."""
        command = shlex.join((*self._command(self._store), "--node", name))
        script = host_store.begin_script(self._place, self._campaign, command, self._pool.setup)
        if self._pool.store:
            return Question(script=script)
        state = self._told(name)
        plan = self._objects.read(key(self._campaign, PLAN)) or b""
        script = host_store.plan_script(self._place, self._campaign, state) + script
        return Question(script=script, data=plan)

    def _told(self, name: str) -> host_store.HostState:
        """What the store says of a host that the host must know."""
        place = (self._pool.name, name)
        return host_store.HostState(
            pool=self._pool.name,
            node=name,
            failed=place in claims.failures(self._objects, self._campaign),
            confirms=place in claims.to_confirm(self._objects, self._campaign),
        )

    def _fetch(self, name: str, found: host_store.Listing) -> None:
        """Fetch what the store lacks of a host: runs first, then what says that they are there."""
        has = {one.key for one in self._objects.found(found.prefix)}
        for run_id in found.runs_beyond(has):
            script = host_store.run_script(self._place, run_id)
            (answer,) = self._ask({name: Question(script=script)}).values()
            if answer.code == 0:
                host_store.keep_run(self._objects, answer.out, run_id, name)
                has.add(run_id)
        for one in found.notes_beyond(has):
            script = host_store.note_script(self._place, one)
            (answer,) = self._ask({name: Question(script=script)}).values()
            if answer.code == 0:
                self._objects.create(one, answer.out[: host_store.MOST_NOTE_BYTES])

    def _keep_alive(self, name: str) -> None:
        """Say in the store that a host's visit goes on, which the host can't."""
        for visit in claims.visits(self._objects, self._campaign).values():
            last = visit.last
            if visit.node == name and visit.pool == self._pool.name and last and not last.ended:
                claim = claims.Claim(
                    campaign=self._campaign,
                    pool=self._pool.name,
                    node=name,
                    visit=visit.number,
                    attempt=last.number,
                )
                if not visit.runs:
                    claims.beat(self._objects, claim)

    def _ask(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        """Answers by the names of nodes."""
        by_host = self._hosts.ask({self._host_of[name]: one for name, one in questions.items()})
        return {name: by_host[self._host_of[name]] for name in questions}
