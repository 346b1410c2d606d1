"""A project's thresholds: which file, which pattern, which mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.thresholds import Threshold, Thresholds, read
from bench.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

CASE = "matmul/square[n=1024,dtype=float32]"


def limits(**patterns: float) -> Thresholds:
    """Thresholds out of keyword arguments."""
    return Thresholds(patterns=tuple(Threshold(pattern=p, share=s) for p, s in patterns.items()))


def test_without_a_file_every_case_has_the_default(tmp_path: Path) -> None:
    """Nobody has to write one; a pyproject.toml of other tools says nothing of ours."""
    assert read(tmp_path).of(CASE, 0.05) == 0.05
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert read(tmp_path).of(CASE, 0.05) == 0.05


def test_a_pyproject_has_them_under_our_name(tmp_path: Path) -> None:
    """As text with a per cent sign or as a share."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tensorbench.thresholds]\n"matmul/*" = "3%"\n"view/*" = 0.2\n"cat/*" = 1e-5\n'
    )
    found = read(tmp_path)
    assert found.of(CASE, 0.05) == pytest.approx(0.03)
    assert found.of("view/t[n=1]", 0.05) == pytest.approx(0.2)
    assert found.of("cat/rows[n=1]", 0.05) == pytest.approx(1e-5)
    assert found.of("mul/full[n=1]", 0.05) == 0.05


def test_our_own_file_hides_the_shared_one(tmp_path: Path) -> None:
    """One of them counts, so that nobody has to merge two in their head."""
    (tmp_path / "pyproject.toml").write_text('[tool.tensorbench.thresholds]\n"view/*" = "9%"\n')
    (tmp_path / "bench.toml").write_text('[thresholds]\n"matmul/*" = "3%"\n')
    found = read(tmp_path)
    assert found.of(CASE, 0.05) == pytest.approx(0.03)
    assert found.of("view/t[n=1]", 0.05) == 0.05


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        (CASE, True),
        ("matmul/*", True),
        ("*", True),
        ("*[n=1024,*]", True),
        ("*n=????,*", True),
        ("matmul/square[n=1024,dtype=float32", False),
        ("matmul/square[0-9n=]*", False),
        ("matmul/square[n=102?dtype=float32]", False),
        ("MATMUL/*", False),
        ("matmul", False),
        ("", False),
    ],
)
def test_a_pattern_means_whole_ids_and_brackets_are_brackets(pattern: str, *, meant: bool) -> None:
    """`[n=1024]` is no set of characters; upper and lower case differ everywhere alike."""
    assert Threshold(pattern=pattern, share=0.1).matches(CASE) is meant


def test_upper_and_lower_case_differ() -> None:
    """On every system alike."""
    assert not Threshold(pattern="mine/t*", share=0.1).matches("mine/T[n=1]")
    assert Threshold(pattern="mine/T*", share=0.1).matches("mine/T[n=1]")


@given(case=st.text(alphabet="ab/[]!-=,1\\^", max_size=12))
def test_an_id_without_wildcards_means_itself(case: str) -> None:
    """Whatever characters an id holds, it can be named in full."""
    assert Threshold(pattern=case, share=0.1).matches(case)


@pytest.mark.parametrize("turned", [False, True])
def test_the_pattern_with_most_literal_characters_counts(*, turned: bool) -> None:
    """In any order, as TOML has none; of two that are as specific, the stricter."""
    patterns = {"matmul/*": 0.1, "*dtype=float32*": 0.2, CASE: 0.3, "*": 0.4, "*????": 0.9}
    found = limits(**dict(reversed(patterns.items())) if turned else patterns)
    assert found.of(CASE, 0.05) == 0.3
    assert found.of("matmul/square[n=16,dtype=float32]", 0.05) == 0.2
    assert found.of("matmul/square[n=16]", 0.05) == 0.1
    assert found.of("cat/rows", 0.05) == 0.4


def test_a_pattern_that_matches_nothing_is_told() -> None:
    """A typing error would otherwise leave a case with the default and no word of it."""
    assert limits(**{"matmul/*": 0.1, "matmull/*": 0.1}).idle({CASE}) == ("matmull/*",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[tool.tensorbench.thresholds]\n"a/*" = "3"', r"\[tool.tensorbench.thresholds\] 'a/\*'"),
        ('[tool.tensorbench.thresholds]\n"a/*" = "3"', "'3' is not a share; write 5%"),
        ('[tool.tensorbench.thresholds]\n"a/*" = 3', "'3' is not a share|'3.000000' is not"),
        ('[tool.tensorbench.thresholds]\n"a/*" = 0', "is not a share"),
        ('[tool.tensorbench.thresholds]\n"a/*" = -0.1', "is not a share"),
        ('[tool.tensorbench.thresholds]\n"a/*" = nan', "is not a share"),
        ('[tool.tensorbench.thresholds]\n"a/*" = true', "'True' is not a share"),
        ('[tool.tensorbench.thresholds]\na.b = "3%"', "is not a share"),
        ('[tool.tensorbench]\nthreshold = "3%"', "'tool.tensorbench.threshold'; did you mean thr"),
        (
            '[tool.tensorbench]\nthresholds = "3%"',
            "tool.tensorbench.thresholds = 3% is not a table",
        ),
        ('[tool]\ntensorbench = """3\n4"""', "tool.tensorbench = 3 4 is not a table"),
        ("tool = 3", "tool = 3 is not a table"),
        ("[tool", "it is not TOML"),
        ("\xff", "not TOML"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    """The file, the key, the rule."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=told) as caught:
        read(tmp_path)
    assert str(caught.value).startswith("pyproject.toml: ")
    assert "\n" not in str(caught.value)


def test_our_own_file_is_held_to_the_same_rules(tmp_path: Path) -> None:
    """With its own name and paths in what is said."""
    (tmp_path / "bench.toml").write_text('thresholds."a/*" = "x"')
    with pytest.raises(SettingsError, match=r"^bench.toml: \[thresholds\] 'a/\*': 'x' is not"):
        read(tmp_path)
    (tmp_path / "bench.toml").write_text("[tool.tensorbench.thresholds]")
    with pytest.raises(SettingsError, match=r"^bench.toml: there is no setting 'tool'"):
        read(tmp_path)
    (tmp_path / "bench.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"^bench.toml: it is not UTF-8"):
        read(tmp_path)


def test_a_file_that_cant_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would otherwise pass for no file, and the gate for a strict one."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "bench.toml").write_text("")
    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    with pytest.raises(SettingsError, match=r"^bench.toml: it can't be read: Permission denied"):
        read(tmp_path)
