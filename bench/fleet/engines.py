"""Engines by name: what starts visits of a campaign on each of its pools."""

from __future__ import annotations

import platform
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from bench.errors import SettingsError
from bench.fleet.elsewhere import ElsewhereEngine
from bench.fleet.local import LocalEngine
from bench.fleet.slurm import SlurmEngine
from bench.fleet.ssh import SshEngine
from bench.records.campaign import is_name
from bench.store.campaigns import PLAN, key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.fleet.engine import Engine
    from bench.records.campaign import Pool
    from bench.store.objects import Objects

_LOGS = "log"


@contextmanager
def engines(
    pools: Sequence[Pool], campaign: str, objects: Objects, *, identity: str = ""
) -> Iterator[Mapping[str, Engine]]:
    """Pool → what starts a campaign's visits on it, until this is left.

    Args:
        pools: of the campaign.
        campaign: its name.
        objects: of its store.
        identity: of its plan; none while there is no plan, and nodes are only listed.

    Raises:
        SettingsError: this machine has a name that can't be a node's.
    """
    with ExitStack() as opened:
        found = {}
        for pool in pools:
            found[pool.name] = engine_of(pool, campaign, objects, identity or campaign)
            opened.callback(found[pool.name].close)
        yield found


def engine_of(pool: Pool, campaign: str, objects: Objects, identity: str) -> Engine:
    """What starts a campaign's visits on a pool.

    Raises:
        SettingsError: this machine has a name that can't be a node's.
    """
    if pool.engine == "elsewhere":
        return ElsewhereEngine()
    command = partial(visit_command, pool, campaign)
    if pool.engine == "ssh":
        return SshEngine(pool, campaign, objects, command, identity)
    here = command(str(objects.folder or objects))
    if pool.engine == "slurm":
        return SlurmEngine(pool, identity, here, log_of(objects, campaign))
    return LocalEngine(this_node(), here)


def visit_command(pool: Pool, campaign: str, store: str) -> Sequence[str]:
    """What a job of a pool runs: the same on every node, whatever starts it."""
    python = pool.python or ("python3" if pool.engine == "ssh" else sys.executable)
    return (
        python,
        "-m",
        "bench",
        "fleet",
        "visit",
        campaign,
        "--pool",
        pool.name,
        "--store",
        store,
    )


def this_node() -> str:
    """The name of this machine, without its domain.

    Raises:
        SettingsError: it can't be a node's.
    """
    name = platform.node().partition(".")[0]
    if not is_name(name):
        message = f"this machine is called {name!r}, which can't name a node; give it another: bench fleet visit --node"
        raise SettingsError(message)
    return name


def log_of(objects: Objects, campaign: str) -> str:
    """The file in which Slurm keeps what a visit prints, with its patterns; beside the plan, if the store is a folder."""
    file = "%A_%a.%N.txt"
    folder = objects.path(key(campaign, _LOGS))
    if folder is None:
        return f"tensorbench-{campaign}-{file}"
    if (folder.parent / PLAN).exists():  # and not of a plan that is still to be made
        folder.mkdir(exist_ok=True)  # Slurm makes none, and a job without one fails unheard
    return f"{str(folder).replace('%', '%%')}/{file}"  # a folder has no patterns of Slurm's
