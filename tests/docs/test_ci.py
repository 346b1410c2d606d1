"""What `docs/ci.md` tells a CI system is so: codes, thresholds, rates, and words of the command line."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bench import cli
from bench.analysis.compare import gate
from bench.analysis.compare.thresholds import read
from bench.cli import ci as ci_cli
from bench.cli import options
from bench.units import share

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
WORKFLOW = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0]


COMPARE = typer.Typer()


@COMPARE.command()
def compare(
    base: str, new: str, *, gate: options.Gated = False, junit: options.Junit = None
) -> None:
    """The options of a gate, as `bench compare` has them."""
    typer.echo(f"{base} {new} {gate} {junit}")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table of a section, without its head."""
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_readme_leads_to_the_guide() -> None:
    """Nobody finds a document by chance."""
    assert "(docs/ci.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_exit_code_of_the_gate_is_explained() -> None:
    """And no other; the order of weight is the code's own."""
    codes = {gate.FINE, gate.REGRESSION, gate.UNDECIDED, gate.NOT_COMPARABLE, gate.SOME_FAILED}
    assert {int(row[0]) for row in table("Exit codes")} == codes
    (order,) = re.findall(r"the first of ([\d, ]+) is the exit code", GUIDE)
    assert tuple(map(int, order.split(", "))) == gate._WORST_FIRST[:-1]


def test_the_false_alarm_rates_are_those_that_the_gate_states() -> None:
    """For one case, for two, and for any more."""
    rows = table("False alarms")
    assert len(rows) == 3
    for confidence, one, more in rows:
        level = float(confidence.removesuffix(" %")) / 100
        for cases, told in ((1, one), (2, more), (999, more)):
            rate = gate.false_alarm_rate(level, cases)
            assert share(rate) in {told, "<0.1 %"}
            assert float(told.removesuffix(" %")) / 100 == pytest.approx(rate)


def test_the_examples_of_thresholds_can_be_read(tmp_path: Path) -> None:
    """As the file that each is said to be in; the most specific pattern counts."""
    shared, own = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(shared)
    found = read(tmp_path)
    assert len(found.patterns) == 3
    assert found.of("matmul/square[n=64,dtype=float32]", 0.05) == pytest.approx(0.03)
    assert found.of("matmul/square[n=64,dtype=bfloat16]", 0.05) == pytest.approx(0.1)
    assert found.of("view/view[n=64]", 0.05) == pytest.approx(0.2)
    (tmp_path / "bench.toml").write_text(own)
    assert len(read(tmp_path).patterns) == 1


def test_the_workflow_names_what_there_is() -> None:
    """The variable, the options, the code that it forgives, and shell that bash can read."""
    assert ci_cli.SUMMARY in GUIDE
    (words,) = re.findall(r"bench compare (.*) \|\|", WORKFLOW)
    done = CliRunner().invoke(COMPARE, shlex.split(words))
    assert done.output == "label:base label:new True bench.xml\n"
    (forgiven,) = re.findall(r'"\$code" -eq (\d)', WORKFLOW)
    assert int(forgiven) == gate.UNDECIDED
    for script in re.findall(r"run: \|\n((?: {10}.*\n)+)", WORKFLOW):
        subprocess.run(["bash", "-n", "-c", script], check=True)  # noqa: S607 - whichever bash there is


def test_the_recipe_for_two_checkouts_has_options_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is tried in `tests/cli/test_ab.py`, with these folders."""
    (words,) = re.findall(r"^PYTHONPATH=\. bench (ab .*)$", GUIDE, re.MULTILINE)
    named = [word for word in shlex.split(words) if word.startswith("--")]
    assert cli.main(["ab", "--help"]) == 0
    known = capsys.readouterr().out
    assert [name for name in named if name not in known] == []
    assert "--a-env PYTHONPATH=../base --b-env PYTHONPATH=." in words
    assert {"--gate", "--junit"} < set(named)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("code", "step"), [(0, 0), (6, 0), (1, 1), (2, 1)])
def test_a_broken_base_can_be_mended(tmp_path: Path, place: int, code: int, step: int) -> None:
    """Both measuring steps leave 6 to the gate, and stop at anything else."""
    script = re.findall(r"run: \|\n((?: {10}.*\n)+)", WORKFLOW)[place]
    for name, ending in (("bench", code), ("pip", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {ending}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", f"PATH={tmp_path}:$PATH\n{script}"],  # noqa: S607 - whichever bash there is
        check=False,
    )
    assert done.returncode == step


@pytest.mark.parametrize(("code", "step"), [(0, 0), (3, 3), (4, 0), (5, 5), (6, 6), (2, 2)])
def test_the_workflow_passes_on_every_code_but_undecided(
    tmp_path: Path, code: int, step: int
) -> None:
    """Run as GitHub runs it, with a program that ends in this code."""
    (script,) = re.findall(r"Compare\n +run: \|\n((?: {10}.*\n)+)", WORKFLOW)
    (tmp_path / "bench").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "bench").chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", f"PATH={tmp_path}:$PATH\n{script}"],  # noqa: S607 - whichever bash there is
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == step
