"""`bench list`: by op, by suite, or what is searched for."""

from __future__ import annotations

import json

import pytest

from bench import cli


def listed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What is printed."""
    assert cli.main(["list", "--device", "cpu", *words]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_by_suite_there_is_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    """With its ops, the cases of the preset, and the question that it answers."""
    facts = json.loads(listed(capsys, "--by", "suite", "--json"))
    suites = {one["suite"]: one for one in facts["suites"]}
    assert len(suites) <= 42
    assert sum(one["ops"] for one in suites.values()) >= 320
    text = listed(capsys, "--by", "suite")
    assert all(name in text for name in suites)
    assert f"{len(suites)} suites" in text


def test_every_suite_says_what_it_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """A question, in the second paragraph of its file."""
    facts = json.loads(listed(capsys, "--by", "suite", "--json"))
    lacking = [one["suite"] for one in facts["suites"] if "?" not in one["question"]]
    assert lacking == []


def test_what_is_searched_for_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """By name first, each with what one call is and how it is measured."""
    text = listed(capsys, "--search", "softmax")
    assert "normalisation/softmax" in text
    assert "to measure: bench run " in text
    facts = json.loads(listed(capsys, "--search", "softmax", "--json"))
    assert "normalisation/softmax" in [one["op"] for one in facts["ops"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--search", "sofmax"], "did you mean softmax"),
        (["--by", "ops"], "--by 'ops' is neither op nor suite; did you mean op?"),
        (["--mode", "compiled"], "--mode 'compiled' is none; did you mean compile?"),
        (["--mode", "graph"], "skipped:"),
    ],
)
def test_mistakes_are_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """With what was meant; what can't be had here is a skip."""
    code = 0 if said == "skipped:" else 2
    assert said in listed(capsys, *words, code=code)


def test_modes_multiply_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """And stand among the axes."""
    text = listed(capsys, "matmul/square", "--mode", "eager,compile")
    assert "mode=compile" in text
    assert "8 cases" in text
