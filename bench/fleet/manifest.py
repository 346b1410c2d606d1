"""Manifest of a campaign's visits: the YAML that a Kubernetes cluster or SkyPilot starts them from.

Neither is driven from here. Jobs claim in the store what is due, so that it does not matter which of them starts
where, or how often.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from bench.errors import SettingsError
from bench.fleet.engines import visit_command
from bench.fleet.visit import MOST_FAILURES
from bench.store.objects import is_bucket
from bench.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.records.campaign import Campaign, Pool

Kind = Literal["kubernetes", "skypilot"]
KINDS: tuple[Kind, ...] = ("kubernetes", "skypilot")

IMAGE, SECRET, CLAIM = "IMAGE", "BUCKET-SECRET", "STORE-CLAIM"
ACCELERATOR, INSTANCE, VOLUME = "ACCELERATOR", "INSTANCE-TYPE", "STORE-VOLUME"
"""What the user fills in. No cluster takes them as they are, so that none is left by mistake."""
_PYTHON = "python3"
"""Of the image: the interpreter that makes the plan is on another machine."""
_SPOOL = "/var/tmp/tensorbench"  # noqa: S108 - only its folder counts, which is the pod's own
_NAMED = "tensorbench"
_HOST = "kubernetes.io/hostname"
_GPU = "nvidia.com/gpu"
_GRACE_S = 120
"""For a visit to end its step and to keep what it has."""
_PULL_S = 1800
"""For a node to get the image, which counts towards a pod's time."""
_MOST_OF_A_NAME = 40
"""Kubernetes adds to the name of a Job a mark of its own and a pod's number, and takes 63 in all."""
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_BLOCK = re.compile(r"(?![ \n])(?:[ -~]*\n)*[ -~]*[!-~]\n")
_NOTES: Mapping[Kind, Mapping[str, str]] = {
    "kubernetes": {
        "affinity": "Two visits on one node would measure each other.",
        "enableServiceLinks": "A service's name would make variables of the visit's environment.",
        "limits": "Add requests for nearly all cpu and memory of a node, or others get what is left. No limit for cpu: "
        "a quota stops all threads now and then.",
        "podFailurePolicy": "An eviction is not the visit's failure.",
        "emptyDir": "What it holds goes with the pod. A hostPath outlives it, where a cluster allows one.",
    },
    "skypilot": {
        "use_spot": "false costs more, and loses no visit. One that is lost begins anew on another machine.",
        "envs": "Of another store: --env STORE=...",
    },
}
"""Comments before keys."""


def manifest(
    campaign: Campaign, pool: Pool, store: str, kind: Kind, *, count: int | None = None
) -> str:
    """The YAML that starts a campaign's visits on a pool; what is to be filled in is said at its top.

    Args:
        campaign: whose plan is measured.
        pool: one of the campaign's.
        store: the campaign's, as its nodes see it: a bucket, or a folder by its whole path.
        kind: of what takes it.
        count: of visits; by default as many as there are missing when none is done.

    Raises:
        SettingsError: the store or the spool can't be used there.
    """
    _check(store)
    there = dataclasses.replace(pool, python=pool.python or _PYTHON)
    nodes = max(1, len(campaign.nodes.get(pool.name, ())), pool.machines)
    if kind == "kubernetes":
        number = count or nodes * campaign.visits
        head, told = _job_head(campaign, there, store), _job(campaign, there, store, number)
    else:
        # A machine of a cloud comes back to nobody: each is visited once.
        head, told = (
            _task_head(campaign, there, store, count or nodes),
            _task(campaign, there, store),
        )
    lines = [*(f"# {_escaped(line)}" for line in head), *_lines(told, _NOTES[kind])]
    return "\n".join(lines) + "\n"


def _check(store: str) -> None:
    """Refuse what no node could use, and what must not be read by all who read the manifest."""
    if is_bucket(store) and re.search(r"[@?]", store):
        message = (
            "an address of a bucket has no credentials in it; nodes have them in their environment"
        )
        raise SettingsError(message)
    if not is_bucket(store):
        _mountable("the store", store)


def _mountable(what: str, folder: str) -> str:
    if not folder.startswith("/") or ":" in folder or not folder.strip("/"):
        message = f"{what} {folder!r} can't be mounted; a folder is named by its whole path, without a colon"
        raise SettingsError(message)
    return folder


def _job_head(campaign: Campaign, pool: Pool, store: str) -> Sequence[str]:
    """What somebody must know who is handed the manifest of a Job alone."""
    place = (
        f"{SECRET}: a Secret with the variables by which the bucket is read and written (AWS_ACCESS_KEY_ID and so on)"
        if is_bucket(store)
        else f"{CLAIM}: a claim of the volume that holds the store, ReadWriteMany"
    )
    return (
        f"tensorbench: visits of campaign {campaign.name} to nodes of pool {pool.name}. Begin with: kubectl create -f FILE",
        "Pods claim in the store what is due; one that finds nothing ends at once, and its index is used up. So create",
        f"it again while bench fleet status misses visits, the second ones of nodes after {clock(pool.apart_s)}.",
        "The store is a bucket, or a volume that all nodes share; never a bucket mounted as a folder, which can't claim.",
        "Fill in:",
        f"  {IMAGE}: with {pool.python}, tensorbench, torch {campaign.torch}, and the suites at the paths of the plan",
        f"  {place}",
        "  nodeSelector, if the cluster has nodes that are not of this pool",
    )


def _task_head(campaign: Campaign, pool: Pool, store: str, number: int) -> Sequence[str]:
    """What somebody must know who is handed the manifest of a task alone."""
    gpus = f"{ACCELERATOR}: the GPU's name, as: sky gpus list" if pool.gpus else ""
    place = (
        "Credentials of the bucket: add --secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY, or what it takes."
        if is_bucket(store)
        else f"  {VOLUME}: the volume that holds the store, which all machines share"
    )
    return (
        f"tensorbench: a visit of campaign {campaign.name} to a machine of pool {pool.name}. Begin with:",
        f"  for n in $(seq {number}); do sky jobs launch --yes --async FILE; done",
        "Jobs claim in the store what is due. A machine that is lost is made up for by another, from the beginning.",
        "The store is a bucket, or a volume that all machines share; never a bucket mounted as a folder, which can't claim.",
        "Fill in:",
        f"  {gpus or f'{INSTANCE}: the machine to be measured'}",
        place,
    )


def _job(campaign: Campaign, pool: Pool, store: str, number: int) -> dict[str, Any]:
    """An Indexed Job: pods that are alike, each on a node of its own."""
    labels = {
        "app.kubernetes.io/name": _NAMED,
        "app.kubernetes.io/instance": _dns(campaign.name),
        "app.kubernetes.io/component": _dns(pool.name),
    }
    called = {"campaign": campaign.name, "pool": pool.name, "label": campaign.label}
    notes = {f"{_NAMED}/{name}": text for name, text in called.items() if text}
    ignored = {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        # One that may be made several times: its name is given an ending.
        "metadata": {
            "generateName": f"tb-{_dns(campaign.name)}-",
            "labels": labels,
            "annotations": notes,
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": number,
            "parallelism": min(number, pool.at_most or number),
            # A broken node refuses so many visits, and has nothing to do for those that follow.
            "backoffLimitPerIndex": MOST_FAILURES,
            "podFailurePolicy": {"rules": [ignored]},
            "template": {"metadata": {"labels": labels}, "spec": _pod(campaign, pool, store)},
        },
    }


def _pod(campaign: Campaign, pool: Pool, store: str) -> dict[str, Any]:
    volumes = [{"name": "spool", "emptyDir": {}}]
    if not is_bucket(store):
        volumes.append({"name": "store", "persistentVolumeClaim": {"claimName": CLAIM}})
    taint = {"key": _GPU, "operator": "Exists", "effect": "NoSchedule"}
    return {
        # On the same node it would meet its own claim; and Kubernetes counts failures per index in no other way.
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_S,
        "activeDeadlineSeconds": max(1, round(pool.time_s)) + _PULL_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_APART]}
        },
        **({"tolerations": [taint]} if pool.gpus else {}),
        "containers": [_container(campaign, pool, store)],
        "volumes": volumes,
    }


_APART = {
    "labelSelector": {"matchLabels": {"app.kubernetes.io/name": _NAMED}},
    "namespaceSelector": {},  # in all of them
    "topologyKey": _HOST,
}


def _container(campaign: Campaign, pool: Pool, store: str) -> dict[str, Any]:
    spool = PurePosixPath(_mountable("spool", pool.spool or _SPOOL))
    # The spool must be the visit's own; what is mounted belongs to root, so it is made below that.
    at = spool if spool.parent == PurePosixPath("/") else spool.parent
    mounts = [{"name": "spool", "mountPath": str(at)}]
    if not is_bucket(store):
        mounts.append({"name": "store", "mountPath": store})
    node = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    return {
        "name": "visit",
        "image": IMAGE,
        "command": [*map(_literal, _command(campaign, pool, store)), "--node", "$(NODE_NAME)"],
        "env": [{"name": "NODE_NAME", "valueFrom": node}],
        **({"envFrom": [{"secretRef": {"name": SECRET}}]} if is_bucket(store) else {}),
        "resources": {"limits": {_GPU: str(pool.gpus)} if pool.gpus else {}},
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": mounts,
    }


def _command(campaign: Campaign, pool: Pool, store: str) -> Sequence[str]:
    """The visit, through a shell where there are lines to be run before it."""
    command = visit_command(pool, campaign.name, store)
    if not pool.setup:
        return command
    return ("/bin/bash", "-c", "\n".join((*pool.setup, 'exec "$@"')), "visit", *command)


def _literal(word: str) -> str:
    """A word of a command in which Kubernetes is to replace nothing."""
    return word.replace("$", "$$")


def _task(campaign: Campaign, pool: Pool, store: str) -> dict[str, Any]:
    """A task of one machine."""
    machine = (
        {"accelerators": f"{ACCELERATOR}:{pool.gpus}"} if pool.gpus else {"instance_type": INSTANCE}
    )
    needed = ("-m", "pip", "install", "tensorbench", f"torch=={campaign.torch}")
    return {
        "name": f"tb-{_dns(campaign.name)}",
        "resources": {**machine, "use_spot": True},
        "num_nodes": 1,
        "envs": {"STORE": store},
        **({} if is_bucket(store) else {"volumes": {store: VOLUME}}),
        "setup": shlex.join((pool.python, *needed)) + "\n",
        "run": _script(campaign, pool),
    }


def _script(campaign: Campaign, pool: Pool) -> str:
    """The visit on a machine that no one has named: private addresses, and names made of them, are used again."""
    *command, _ = visit_command(pool, campaign.name, "")
    limit = f"timeout --kill-after={_GRACE_S} {max(1, round(pool.time_s))}"
    return "\n".join(
        (
            *pool.setup,
            'name="$(uname -n | cut -d. -f1 | cut -c1-50)"',
            'node="$name-$(cut -c1-8 /proc/sys/kernel/random/boot_id)"',
            f'{limit} {shlex.join(command)} "$STORE" --node "$node"',
            "",
        )
    )


def _dns(name: str) -> str:
    """A name that Kubernetes and SkyPilot take: lower case, with hyphens between words."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_MOST_OF_A_NAME].strip("-") or "campaign"


def _lines(value: Mapping[str, Any] | Sequence[Any], notes: Mapping[str, str]) -> Iterator[str]:
    """The lines of a mapping or a list."""
    if not isinstance(value, dict):
        for item in value:
            first, *rest = _lines(item, notes) if isinstance(item, dict) else [_scalar(item)]
            yield from (f"- {first}", *(f"  {line}" for line in rest))
        return
    for key, item in value.items():
        if key in notes:
            yield f"# {notes[key]}"
        name = key if _PLAIN_KEY.fullmatch(key) else f'"{_escaped(key)}"'
        if isinstance(item, dict | list) and item:
            yield f"{name}:"
            yield from (f"  {line}" for line in _lines(item, notes))
        elif isinstance(item, str) and _BLOCK.fullmatch(item):
            yield f"{name}: |"
            yield from (f"  {line}" for line in item.splitlines())
        else:
            yield f"{name}: {_scalar(item)}"


def _scalar(value: object) -> str:
    """A value on one line; all texts are in quotes, so that none is read as a number or a yes."""
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    """Text as it stands between double quotes; JSON's form of what is beyond 16 bits is none of YAML's."""
    return "".join(_ESCAPES.get(one) or _coded(one) for one in text)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def _coded(one: str) -> str:
    code = ord(one)
    if " " <= one <= "~":
        return one
    if code < 2**8:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
