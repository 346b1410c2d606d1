"""What the documents say is true: commands run, outputs look like that, columns, packages and files exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.plan.discover import load_all
from bench.records.record import Sample, meanings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "results/README.md", *ROOT.glob("docs/**/*.md")])
TODAYS = [one for one in DOCUMENTS if one.parent.name != "decisions"]
"""Without decisions, which name the files that there were when they were made."""
QUANTITY = re.compile(r"[<>]?\d[\d.,]*\s?(?:[kMGT]?(?:FLOP|B)/s|[nµm]?s\b|min\b|%)")
FOOTNOTE = re.compile(r"^[¹²³⁴⁵⁶⁷⁸⁹] .*?(?=^\S(?<![¹²³⁴⁵⁶⁷⁸⁹])|\Z)", re.MULTILINE | re.DOTALL)


def console_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each command of the ```console blocks, with the output pasted beneath it."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def skeleton(output: str) -> list[str]:
    """The output without what differs from run to run: quantities, ids, dates, marks, footnotes."""
    plain = FOOTNOTE.sub("", output)
    for pattern, stands_for in (
        (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "ID"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE"),
        (r"[¹²³⁴⁵⁶⁷⁸⁹]", " "),
    ):
        plain = re.sub(pattern, stands_for, plain)
    plain = QUANTITY.sub("#", plain)
    return [" ".join(line.split()) for line in plain.splitlines() if line.strip()]


def test_the_readme_and_the_changelog_count_suites_and_ops() -> None:
    """As many as there are; docs/ops.md names each."""
    loaded = load_all([])
    suites = {one.suite.name for one in loaded}
    counted = f"{len(suites)} suites of {sum(len(one.suite.ops) for one in loaded)} ops"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert counted in README
    assert counted in changelog


@pytest.mark.slow
def test_the_commands_of_the_readme_print_what_it_shows(tmp_path: Path) -> None:
    """Every `$ bench …` of the README works in an empty folder, in order; what is pasted is so.

    Up to quantities, that is, and to ids and footnotes, which differ from run to run.
    """
    shown = [(c, o) for c, o in console_blocks(README) if c.startswith("bench ")]
    assert len(shown) >= 3
    for command, expected in shown:
        # Roofs take 15 s, and on a machine that others slow down, each run would wait a minute.
        swiftly = ["--no-roofs", "--patience", "0"] if command.startswith("bench run ") else []
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command), *swiftly],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BENCH_MACHINE": "AMD EPYC 2-core"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        if expected:
            assert skeleton(done.stdout) == skeleton(expected), command


def test_a_skeleton_keeps_what_must_not_change() -> None:
    """Quantities, ids and footnotes may differ; a missing case or another word may not."""
    one = "square n=16 float32  1.2 µs ± 3 %  6.5 GFLOP/s  ¹\n\n¹ noisy: seen.\n  More of it.\n"
    other = "square n=16 float32   990 ns ± 11 %  8 GFLOP/s\n"

    assert skeleton(one) == skeleton(other)
    assert skeleton(one) != skeleton(other.replace("n=16", "n=64"))
    assert skeleton(one) != skeleton("")


def test_ci_runs_the_readmes_test_line() -> None:
    """What CI does is what a newcomer is told to do."""
    line = next(line for line in README.splitlines() if ".[dev]" in line)
    parts = [part.strip().replace("'", "") for part in line.split("&&")]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").replace("'", "")

    assert parts == [
        "python3 -m venv .venv",
        ".venv/bin/pip install -c constraints.txt -e .[dev]",
        ".venv/bin/nox",
    ]
    assert "python3 -m venv .venv" in script
    assert "pip install -c constraints.txt -e .[dev]" in script
    assert ".venv/bin/python -m nox" in script


def test_the_readme_is_short() -> None:
    """It is read in a few minutes; what is longer is a document of its own."""
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file that exists."""
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def table_rows(text: str) -> dict[str, tuple[str, str]]:
    """`| `column` | type | meaning |` lines as column → (type, meaning)."""
    found = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (.+) \|$", text, re.MULTILINE)
    return {column: (kind.strip(), meaning.strip()) for column, kind, meaning in found}


def test_the_dictionary_of_columns_is_the_schema() -> None:
    """`results/README.md` names every column with its type and meaning, in order, and no other."""
    text = (ROOT / "results/README.md").read_text(encoding="utf-8")
    _, cases, samples = text.split("\n## ")

    assert list(table_rows(cases).items()) == list(meanings().items())
    assert list(table_rows(samples).items()) == list(meanings(Sample).items())


def test_the_architecture_names_every_package_and_every_module_beside_them() -> None:
    """A package that `docs/architecture.md` does not name can't be found by a newcomer."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    modules = {p.name for p in (ROOT / "bench").glob("*.py")} - {"__init__.py", "__main__.py"}
    packages = {f"{p.parent.name}/" for p in (ROOT / "bench").glob("*/__init__.py")}

    assert {name for name in modules | packages if f"`{name}`" not in text} == set()


def test_the_architecture_is_two_pages() -> None:
    """It is read from beginning to end; what is longer is looked up, and found in the code."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    glossary = text.partition("## Glossary\n")[2]

    assert len(text.splitlines()) <= 110
    assert len(re.findall(r"^\| (?!term|---)", glossary, re.MULTILINE)) <= 20


def test_the_architecture_has_the_layers_of_the_linter() -> None:
    """In the same order, under the same names."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^- \*\*Layers\.\*\* .*?: (.*)\.$", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one["id"] == "layers")

    assert re.findall(r"`(.*?)`", line) == layers


@pytest.mark.parametrize("document", TODAYS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(document: Path) -> None:
    """A path in backticks is one of the repository or of `bench/`."""
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w[\w./-]*/[\w.-]+\.(?:py|md|toml|yml))`", text))
    places = (ROOT, ROOT / "bench", document.parent)

    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


@pytest.mark.parametrize("document", TODAYS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_use_the_fields_terms(document: Path) -> None:
    """A reader can search for each of them; the glossary has those that are this project's own."""
    words = re.findall(r"\w+", document.read_text(encoding="utf-8").lower())
    metaphors = (
        "duel bout corner team contest entrant party seat sitting book diary lookout moment "
        "room crew door house walls"
    )

    assert set(words) & set(metaphors.split()) == set()


def test_the_glossary_is_used() -> None:
    """Each term occurs in what comes before it or in what a number means; a term that nobody uses can go."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    before, _, glossary = text.partition("## Glossary\n")
    used = before + (ROOT / "docs/method.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| (?!term)([a-z -]+) \| ", glossary, re.MULTILINE)

    assert len(terms) >= 15
    assert [term for term in terms if term not in used] == []
