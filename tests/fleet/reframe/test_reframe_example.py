"""The ReFrame test that docs/workflows has for sites: run by ReFrame itself, where that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/workflows/reframe_tensorbench.py"
REFRAME = shutil.which("reframe")
CASE = "matmul/square[n=16,dtype=float32]@cpu"
QUICK = "--device cpu --budget 0.05 --workers 1 --rounds 1 --no-roofs --patience 0"


def test_the_example_can_be_read_at_once() -> None:
    """It is copied, and then belongs to whoever copied it."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    compile(text, EXAMPLE.name, "exec")
    guide = (ROOT / "docs/fleet-elsewhere.md").read_text(encoding="utf-8")
    assert f"(workflows/{EXAMPLE.name})" in guide


@pytest.mark.slow
@pytest.mark.skipif(REFRAME is None, reason="reframe (PyPI: reframe-hpc) is not on the PATH")
@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("matmul -k 'square and n=16'", f"P: {CASE}: "),
        ("matmul -k 'square and n=nothing'", "FAILED"),
    ],
)
def test_reframe_runs_the_example(tmp_path: Path, selection: str, said: str) -> None:
    """It takes the times of a run that measured something, and fails one that did not."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    options = ["-r", "--nocolor", "--prefix", str(tmp_path), "-S", f"selection={selection} {QUICK}"]
    done = subprocess.run(
        [str(REFRAME), "-c", str(EXAMPLE), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
    )
    assert said in done.stdout
    assert (done.returncode == 0) == (said != "FAILED")
