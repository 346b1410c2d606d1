"""Manifests are what Kubernetes and SkyPilot take, and nothing in a campaign's texts can make them mean anything else."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bench.errors import SettingsError
from bench.fleet.manifest import CLAIM, IMAGE, SECRET, VOLUME, Kind, manifest
from bench.records.campaign import Campaign, Pool, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUCKET, FOLDER = "s3://lab/fleet", "/mnt/results"
KINDS: tuple[Kind, ...] = ("kubernetes", "skypilot")
_SCHEMAS = Path(__file__).parent / "schemas"
SCHEMAS: Mapping[Kind, Any] = {
    "kubernetes": json.loads((_SCHEMAS / "kubernetes-job-1.37.0.json").read_text()),
    "skypilot": json.loads((_SCHEMAS / "skypilot-task-0.14.1.json").read_text()),
}
DNS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?")
SKY_NAME = re.compile(r"[a-zA-Z0-9]+(?:[._-]{1,2}[a-zA-Z0-9]+)*")
"""As `sky/task.py` has it."""
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Without halves of surrogate pairs, which no file in UTF-8 can hold."""
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True)


def pool(**facts: Any) -> Pool:
    """A pool of nodes with eight GPUs."""
    return Pool(**{"name": "h100", "engine": "ssh", "gpus": 8, **facts})


def campaign(of: Pool, **facts: Any) -> Campaign:
    """Two visits to each of three nodes of a pool."""
    told: dict[str, Any] = {
        "name": "acceptance",
        "created_at": "2026-11-26T00:00:00+00:00",
        "pools": (of,),
        "nodes": {of.name: ("n1", "n2", "n3")},
        "devices": {of.name: ("cuda:0",)},
        "options": {},
        "cases": {},
        "visits": 2,
        "seed": 1,
        "torch": "2.13.0",
        "minutes": 14.0,
    }
    return Campaign(**{**told, **facts})


def read(
    kind: Kind,
    of: Pool | None = None,
    store: str = BUCKET,
    *,
    count: int | None = None,
    **facts: Any,
) -> Any:
    """What a parser makes of a manifest that its schema allows."""
    of = of or pool()
    text = manifest(campaign(of, **facts), of, store, kind, count=count)
    assert text.isascii()
    told = yaml.safe_load(text)
    assert [error.message for error in Draft202012Validator(SCHEMAS[kind]).iter_errors(told)] == []
    return told


def container(job: Any) -> Any:
    """The one container of a Job's pods."""
    (one,) = job["spec"]["template"]["spec"]["containers"]
    return one


def expanded(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """A command as Kubernetes starts it: `$(NAME)` is replaced where there is such a variable, `$$` stands for `$`."""

    def replaced(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return [re.sub(r"\$\$|\$\(([^)]*)\)", replaced, word) for word in words]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "store", [BUCKET, FOLDER, "gs://lab/a b'c\"", "/mnt/a b/'c' \"d\" #e $(f)"]
)
@pytest.mark.parametrize(
    "of", [pool(), pool(gpus=0), pool(setup=("module load cuda", "", "\tx='é'"))]
)
def test_the_schema_is_kept(kind: Kind, store: str, of: Pool) -> None:
    """With stores of both sorts, with and without GPUs, through a shell and without one."""
    read(kind, of, store, label='a "spring": check\n# of all')


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_find_mistakes(kind: Kind) -> None:
    """An extract that allowed anything would prove nothing."""
    told = read(kind)
    (told["spec"]["template"]["spec"] if kind == "kubernetes" else told["resources"])["gpu"] = 8
    assert list(Draft202012Validator(SCHEMAS[kind]).iter_errors(told))


@pytest.mark.parametrize("kind", KINDS)
@given(label=TEXTS, bucket=TEXTS, folder=TEXTS, setup=st.lists(TEXTS, max_size=3))
def test_any_text_comes_back_from_the_parser(
    kind: Kind, label: str, bucket: str, folder: str, setup: list[str]
) -> None:
    """Quotes, line ends of all sorts, control characters, what is no character of YAML, emoji."""
    for store in ("s3://b" + re.sub("[@?]", "", bucket), "/f" + folder.replace(":", "")):
        told = read(kind, pool(setup=tuple(setup)), store, label=label)
        if kind == "kubernetes":
            assert told["metadata"]["annotations"].get("tensorbench/label", "") == label
            words = expanded(container(told)["command"], {})
            assert words[words.index("--store") + 1] == store
            assert not setup or words[2] == "\n".join((*setup, 'exec "$@"'))
        else:
            assert told["envs"] == {"STORE": store}
            assert told["run"].startswith("\n".join((*setup, 'name="$')))
            assert told.get("volumes", {store: VOLUME}) == {store: VOLUME}


@pytest.mark.parametrize("kind", KINDS)
@given(name=NAMES, of=NAMES)
def test_any_name_is_kept_and_gives_names_that_are_taken(kind: Kind, name: str, of: str) -> None:
    """Clusters take fewer names than campaigns have: no capitals, no points at the end, no 63 letters."""
    assert is_name(name)
    told = read(kind, pool(name=of), name=name)
    if kind == "skypilot":
        assert SKY_NAME.fullmatch(told["name"])
        assert shlex.join(("visit", name, "--pool", of)) in told["run"]
        return
    made = told["metadata"]["generateName"] + "x5z7q-99999"
    assert DNS.fullmatch(made)
    assert len(made) <= 63
    assert all(LABEL.fullmatch(text) for text in told["metadata"]["labels"].values())
    assert told["metadata"]["annotations"]["tensorbench/campaign"] == name
    assert container(told)["command"][5:8] == [name, "--pool", of]


def test_visits_of_one_node_never_overlap() -> None:
    """By whichever Job and in whichever namespace the other one was started."""
    job = read("kubernetes")
    pods = job["spec"]["template"]
    (rule,) = pods["spec"]["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert rule["namespaceSelector"] == {}
    assert rule["labelSelector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    assert not {"campaign", "acceptance"} & set(rule["labelSelector"]["matchLabels"].values())


@pytest.mark.parametrize(
    ("at_most", "count", "completions", "parallelism"),
    [(16, None, 6, 6), (2, None, 6, 2), (0, None, 6, 6), (16, 40, 40, 16), (16, 1, 1, 1)],
)
def test_a_job_has_as_many_pods_as_visits(
    at_most: int, count: int | None, completions: int, parallelism: int
) -> None:
    """Of all nodes; no more at a time than the pool allows, where 0 is no limit."""
    spec = read("kubernetes", pool(at_most=at_most), count=count)["spec"]
    assert (spec["completions"], spec["parallelism"]) == (completions, parallelism)
    # What the API demands beyond its schema of one that counts failures by index.
    assert spec["completionMode"] == "Indexed"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_a_pool_without_nodes_gets_a_visit() -> None:
    """Nodes of a cluster that grows when it is asked to are not there yet."""
    assert read("kubernetes", nodes={}, visits=1)["spec"]["completions"] == 1
    assert "$(seq 1)" in manifest(campaign(pool(), nodes={}), pool(), BUCKET, "skypilot")


def test_a_visit_has_all_gpus_of_its_node() -> None:
    """They are what makes a node its own; one of a CPU alone asks for none."""
    with_them, without = (container(read("kubernetes", pool(gpus=n)))["resources"] for n in (8, 0))
    assert with_them == {"limits": {"nvidia.com/gpu": "8"}}
    assert without == {"limits": {}}
    assert read("skypilot")["resources"]["accelerators"] == "ACCELERATOR:8"
    assert "accelerators" not in read("skypilot", pool(gpus=0))["resources"]


def test_volumes_belong_to_the_store_and_the_spool() -> None:
    """A folder is mounted where nodes are told that it is; a bucket's credentials come from a Secret."""
    of = pool(spool="/scratch/tb")
    folder, bucket = (read("kubernetes", of, store) for store in (FOLDER, BUCKET))
    claimed = {"name": "store", "persistentVolumeClaim": {"claimName": CLAIM}}
    spool = {"name": "spool", "mountPath": "/scratch"}
    assert claimed in folder["spec"]["template"]["spec"]["volumes"]
    assert container(folder)["volumeMounts"] == [spool, {"name": "store", "mountPath": FOLDER}]
    assert "envFrom" not in container(folder)
    assert container(bucket)["volumeMounts"] == [spool]
    assert container(bucket)["envFrom"] == [{"secretRef": {"name": SECRET}}]
    assert container(read("kubernetes", pool(spool="/tb")))["volumeMounts"][0]["mountPath"] == "/tb"


@pytest.mark.parametrize("kind", KINDS)
def test_no_credential_gets_into_a_manifest(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the environment nor within an address."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHUNTER2")
    of = pool()
    assert "hunter2" not in manifest(campaign(of), of, BUCKET, kind).lower()
    for store in ("s3://key:hunter2@lab/fleet", "az://lab/fleet?sig=hunter2"):
        with pytest.raises(SettingsError, match="has no credentials in it") as refused:
            manifest(campaign(of), of, store, kind)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("store", ["results", "/", "/a:b", ""])
def test_a_store_that_no_node_could_mount_is_refused(kind: Kind, store: str) -> None:
    """A folder of this machine's working folder means another one elsewhere."""
    with pytest.raises(SettingsError, match="can't be mounted"):
        manifest(campaign(pool()), pool(), store, kind)


def test_a_spool_that_no_pod_could_mount_is_refused() -> None:
    """A container has no home that the pool's author knows."""
    of = pool(spool="~/spool")
    with pytest.raises(SettingsError, match="spool '~/spool' can't be mounted"):
        manifest(campaign(of), of, BUCKET, "kubernetes")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_to_be_filled_in_is_said_at_the_top(kind: Kind) -> None:
    """Every word in capitals that stands below."""
    for of, store in ((pool(), BUCKET), (pool(gpus=0), FOLDER)):
        text = manifest(campaign(of), of, store, kind)
        head = [line for line in text.splitlines() if line.startswith("# ")]
        blanks = re.findall(r'"([A-Z]{3,}(?:-[A-Z]+)*)(?::8)?"', text)
        assert blanks
        assert [word for word in blanks if f"{word}:" not in "".join(head)] == []
        assert IMAGE in blanks or kind == "skypilot"


def _python(folder: Path) -> Path:
    """An interpreter that only tells how it was called."""
    file = folder / "python x"
    file.write_text('#!/bin/sh\nprintf "%s\\n" "$CUDA" "$@"\n')
    file.chmod(0o755)
    return file


SAID = ["12", "-m", "bench", "fleet", "visit", "acceptance", "--pool", "h100", "--store"]
ODD_STORE = "s3://lab/a b'c\"d$(date)`date`$HOME\\"


def test_a_pod_runs_the_visit(tmp_path: Path) -> None:
    """After the lines before it, with the store and the node as they are called."""
    of = pool(python=str(_python(tmp_path)), setup=("export CUDA=$((10 + 2))",))
    command = container(read("kubernetes", of, ODD_STORE))["command"]
    words = expanded(command, {"NODE_NAME": "gpu-7.lab", "date": "no", "HOME": "no"})
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*SAID, ODD_STORE, "--node", "gpu-7.lab"]


def test_a_task_runs_the_visit(tmp_path: Path) -> None:
    """On a machine that is called by its own name and the start of its kernel."""
    of = pool(python=str(_python(tmp_path)), setup=("export CUDA=$((10 + 2))",))
    told = read("skypilot", of, ODD_STORE)
    words = ["bash", "-c", told["run"]]
    environment = {**os.environ, **told["envs"]}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    *said, node = done.stdout.splitlines()
    assert said == [*SAID, ODD_STORE, "--node"]
    assert is_name(node)
    assert node.startswith(os.uname().nodename.partition(".")[0][:50] + "-")
    assert shlex.split(told["setup"]) == [
        *(str(tmp_path / "python x"), "-m", "pip", "install", "tensorbench", "torch==2.13.0")
    ]
