"""Options and arguments of `bench fleet`, each declared once with its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CAMPAIGN | SUITE | FILE.py]...",
        help="A campaign that was planned or begun; with --pool, the suites of a new one.",
    ),
]
CampaignName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign.")]
Pools = Annotated[
    list[str] | None,
    typer.Option(
        "--pool",
        metavar="NAME",
        help="Where: a table [pool.NAME] of fleet.toml, or local, this machine. Commas or several times.",
    ),
]
NewName = Annotated[
    str | None, typer.Option("--name", help="Of the campaign. Default: the time in digits.")
]
Visits = Annotated[
    int,
    typer.Option(
        min=1, max=50, help="Of each node; with one a slow node can't be told from a slow hour."
    ),
]
Deadline = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="After so long take back what still waits in the queue, and say what was not reached (90min, 12h).",
    ),
]
StorePlace = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="PLACE",
        help="Folder that all nodes see, or a bucket (s3://bucket/prefix); credentials come from the environment.",
    ),
]
Poll = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS",
        help="Between two looks at the queue and the store. Default: 30, on this machine alone 2.",
    ),
]
PoolDevice = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="Devices of a node: cpu, cuda:0, …; commas or several times. Default: the GPUs of the pool, else the CPU.",
    ),
]
PoolName = Annotated[str, typer.Option("--pool", metavar="NAME", help="The pool of this node.")]
Node = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="What this node is called. Default: as Slurm or itself says."
    ),
]
Confirm = Annotated[
    bool,
    typer.Option(
        help="Visit nodes that stand out once more, beside others that do not, before they are called slow."
    ),
]
Band = Annotated[
    str, typer.Option(metavar="SHARE", help="A difference below it does not matter (3%).")
]
Against = Annotated[
    Path,
    typer.Option("--against", metavar="FILE", help="A reference, of bench fleet reference."),
]
AgainstToo = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="A reference; without one devices are compared with each other.",
    ),
]
ReferenceOut = Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")]
ManifestKind = Annotated[
    str, typer.Argument(metavar="KIND", help="kubernetes: an indexed Job. skypilot: a task.")
]
PoolToEmit = Annotated[
    str | None,
    typer.Option("--pool", metavar="NAME", help="The pool, where the campaign has several."),
]
AgainstReference = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="Where its times lie among those of a fleet: a reference, of bench fleet reference.",
    ),
]
