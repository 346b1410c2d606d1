"""What `docs/publishing.md` and its workflow say is so: every command is one, scripts do what is said."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main

from bench import cli
from bench.analysis.compare.comparison import Summary
from bench.analysis.compare.latest import Standing
from bench.cli.app import app
from bench.report.text import badge
from tests.fakes.two_runs import BASE, NEW, run

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
WORKFLOW = (ROOT / "docs/workflows/tensorbench.yml").read_text(encoding="utf-8")
STOPS = {"|", "||", "&&", ";", ">", ">>", "<", "(", ")", "#"}
COLOURS = {"red": badge._RED, "amber": badge._AMBER, "green": badge._GREEN, "grey": badge._GREY}


def commands(text: str) -> list[list[str]]:
    """The words of each `bench …` in lines of shell, up to where the shell takes over."""
    found = []
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.wordchars += "@:$^{}"
        words = list(lexer)
        for place, word in enumerate(words):
            if word == "bench" and (place == 0 or words[place - 1] in {"!", "&&", ":", "run:"}):
                rest = words[place + 1 :]
                end = next((i for i, one in enumerate(rest) if one in STOPS), len(rest))
                found.append(rest[:end])
    return found


def scripts() -> dict[str, str]:
    """Step → the shell that it runs."""
    named = r"- name: (.+)\n(?: {8}if: .*\n)? {8}run: (?:\|\n((?: {10}.*\n)+)|(.*\n))"
    found = re.findall(named, WORKFLOW)
    return {
        name: re.sub(r"^ {10}", "", several, flags=re.MULTILINE) or one
        for name, several, one in found
    }


def parsed(words: list[str]) -> None:
    """Let the command line read the words, and do nothing of what they say."""
    assert cli.main([words[0], "--help"]) == 0
    command = typer.main.get_command(app)
    with command.make_context("bench", []) as context:
        _, found, rest = command.resolve_command(context, words)  # type: ignore[attr-defined]
        found.make_context(words[0], rest, parent=context)


def test_every_command_of_the_guide_is_one() -> None:
    """With every option."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    found = commands(shell)
    assert len(found) == 8
    for words in found:
        parsed(words)


def test_every_command_of_the_workflow_is_one() -> None:
    """Run, show, compare and publish; a wrong option is found."""
    found = commands("\n".join(scripts().values()))
    assert [words[0] for words in found] == ["run", "show", "compare", "publish"]
    for words in found:
        parsed(words)
    with pytest.raises(Exception, match="--pushh"):
        parsed([*found[-1], "--pushh"])


def test_the_workflow_has_the_form_of_one() -> None:
    """No tabs, no odd indents, no key twice; every script is shell that bash can read."""
    lines = WORKFLOW.splitlines()
    assert not [line for line in lines if "\t" in line or line != line.rstrip()]
    assert not [line for line in lines if (len(line) - len(line.lstrip(" "))) % 2]
    keys = [line.partition(":")[0] for line in lines if re.match(r"[a-z]", line)]
    assert keys == ["name", "on", "permissions", "concurrency", "env", "jobs"]
    assert set(scripts()) == {"Measure", "Compare", "Publish"}
    for script in scripts().values():
        subprocess.run(["bash", "-n", "-c", script], check=True)  # noqa: S607 - whichever bash there is


def test_only_main_writes_what_others_read() -> None:
    """A pull request must change neither the site nor the runs that main is compared with."""
    steps = WORKFLOW.split("      - ")[1:]
    writing = [step for step in steps if "cache/save" in step or "bench publish" in step]
    assert len(writing) == 2
    assert all("if: github.ref == 'refs/heads/main' && " in step for step in writing)
    assert "pull_request_target" not in WORKFLOW


@pytest.mark.parametrize(
    ("shown", "code", "step"),
    [(0, 0, 0), (0, 3, 3), (0, 4, 0), (0, 5, 0), (0, 6, 6), (0, 2, 2), (2, 0, 0)],
)
def test_the_workflow_fails_on_what_it_says(
    tmp_path: Path, shown: int, code: int, step: int
) -> None:
    """Run as GitHub runs it, with a program that ends in these codes; without a base it passes."""
    program = f'#!/bin/sh\n[ "$1" = show ] && exit {shown}\nexit {code}\n'
    (tmp_path / "bench").write_text(program)
    (tmp_path / "bench").chmod(0o755)
    summary = tmp_path / "summary.md"
    script = (
        f"PATH={tmp_path}:$PATH BASE=0123abc GITHUB_STEP_SUMMARY={summary}\n{scripts()['Compare']}"
    )
    done = subprocess.run(
        ["bash", "-e", "-c", script],  # noqa: S607 - whichever bash there is
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == step
    assert summary.is_file() == bool(shown)


def test_the_badges_of_the_guide_are_the_badges() -> None:
    """Each text has the colour that the table gives it."""
    rows = re.findall(r"^\| `(.+?)` \| (\w+) \|", GUIDE, re.MULTILINE)
    assert [colour for _, colour in rows] == list(COLOURS)
    for said, colour in rows:
        counts = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", said)}
        assert colour_of(counts) == COLOURS[colour]


def colour_of(counts: dict[str, int]) -> str:
    """What the badge with these counts has."""
    if "measured" in counts:
        return badge._colour(Standing(new=run(NEW), measured=1))
    none = dict.fromkeys(("faster", "slower", "same", "unsure", "missing"), 0)
    summary = Summary(
        **{**none, **counts}, geomean_ratio=1.0, geomean_lo=None, geomean_hi=None, by_suite={}
    )
    return badge._colour(Standing(new=run(NEW), measured=1, base=run(BASE), summary=summary))


def test_others_lead_to_the_guide() -> None:
    """Nobody finds a document by chance."""
    assert "(docs/publishing.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(publishing.md)" in (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
