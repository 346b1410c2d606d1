"""Global state: whatever guests' code sets is put back, and said in torch's words."""

from __future__ import annotations

import gc
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from bench.worker.global_state import GlobalState

if TYPE_CHECKING:
    from collections.abc import Callable

BACKENDS: Any = torch.backends  # parts of it carry no types
HELD: list[Any] = []
"""Contexts that are never left, as a guest may hold them."""
STATE = GlobalState()
"""As a worker has one all its life, so that modes which it had to end stay ended."""


def enter(context: Any) -> None:
    """Enter a context for good."""
    HELD.append(context)
    context.__enter__()


CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), "num_threads: "),
    "grad": (lambda: torch.set_grad_enabled(False), "grad_mode: True → False"),
    "inference": (lambda: enter(torch.inference_mode()), "inference_mode: False → True"),
    "dtype": (
        lambda: torch.set_default_dtype(torch.float64),
        "default_dtype: float32 → float64",
    ),
    "device": (lambda: torch.set_default_device("meta"), "default_device: unset → meta"),
    "device, the same": (lambda: torch.set_default_device("cpu"), "default_device: unset → cpu"),
    "deterministic": (
        lambda: torch.set_deterministic_debug_mode("warn"),
        "deterministic: 0 → 1",
    ),
    "autocast": (lambda: enter(torch.autocast("cpu")), "autocast.cpu: False → True"),
    "autocast dtype": (
        lambda: torch.set_autocast_dtype("cpu", torch.float16),
        "autocast.cpu.dtype: bfloat16 → float16",
    ),
    "precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        "float32_matmul_precision: highest → medium",
    ),
    "TF32": (
        lambda: setattr(BACKENDS.cuda.matmul, "allow_tf32", True),
        "cuda.matmul.fp32_precision: none → tf32",
    ),
    "cuDNN": (lambda: setattr(BACKENDS.cudnn, "benchmark", True), "cudnn.benchmark: False → True"),
    "attention": (
        lambda: BACKENDS.cuda.enable_flash_sdp(False),  # noqa: FBT003
        "flash_attention: True → False",
    ),
    "seed": (lambda: torch.manual_seed(123), "seed: set to 123"),
    "denormals": (
        lambda: torch.set_flush_denormal(True),
        "flush_denormal: False → True",
    ),
    "anomaly": (
        lambda: torch.autograd.set_detect_anomaly(True),
        "anomaly_mode: False → True",
    ),
    "mode": (lambda: enter(FlopCounterMode(display=False)), "dispatch_modes: 0 → 1"),
    "hooks": (
        lambda: torch.nn.modules.module.register_module_forward_hook(lambda *_: None),
        "module_hooks: 0 → 1",
    ),
    "collector": (lambda: gc.disable() if gc.isenabled() else gc.enable(), "gc.enabled: "),
    "folder": (lambda: os.chdir("/"), "working directory: "),
    "profile": (lambda: sys.setprofile(lambda *_: None), "sys.profile: "),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_set_is_put_back_and_said(name: str) -> None:
    """Also where it is a context that nobody leaves."""
    change, said = CHANGES[name]
    state, changed, again = STATE, list[str](), list[str]()
    before = state._read()
    with state.kept(changed):
        change()
    with state.kept(again):
        pass
    assert state._differing(before, state._read()) == []
    assert any(text.startswith(said) for text in changed), changed
    assert not any("can't be put back" in text for text in changed)
    assert again == []


@given(names=st.lists(st.sampled_from(sorted(CHANGES)), unique=True, max_size=6))
def test_so_are_several_together_in_any_order(names: list[str]) -> None:
    """Some settings set others."""
    state, changed = STATE, list[str]()
    before = state._read()
    with state.kept(changed):
        for name in names:
            CHANGES[name][0]()
    assert state._differing(before, state._read()) == []
    assert bool(changed) == bool(names)
    assert torch.get_num_threads() >= 1


def test_what_a_call_uses_up_by_right_is_no_change() -> None:
    """Random numbers, those of Python, threads that start."""
    changed: list[str] = []
    with STATE.kept(changed):
        torch.rand(4)
        random.random()  # noqa: S311 - not a secret
        torch.ones(100_000).add(1)
    assert changed == []


def test_random_numbers_go_on_where_they_were_before_a_new_seed() -> None:
    """A later case draws what it would have drawn."""
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    with STATE.kept():
        torch.manual_seed(6)
        torch.rand(7)
    assert torch.equal(torch.rand(3), wanted)


def test_it_is_put_back_when_a_guest_raises() -> None:
    """And what was raised comes through."""
    changed: list[str] = []
    before = torch.get_num_threads()

    def guest() -> None:
        with STATE.kept(changed):
            torch.set_num_threads(before + 1)
            message = "broken"
            raise ValueError(message)

    with pytest.raises(ValueError, match="broken"):
        guest()
    assert torch.get_num_threads() == before
    assert changed == [f"num_threads: {before} → {before + 1}"]


def test_what_can_not_be_put_back_is_said(tmp_path: Path) -> None:
    """A folder that is gone."""
    here, gone = Path.cwd(), tmp_path / "gone"
    gone.mkdir()
    changed: list[str] = []
    try:
        os.chdir(gone)
        with STATE.kept(changed):
            os.chdir(here)
            gone.rmdir()
    finally:
        os.chdir(here)
    assert changed == [f"working directory: {gone} → {here}, and can't be put back"]


def test_what_our_own_code_left_is_put_back_though_it_is_not_read_again() -> None:
    """Whoever has set something since; what was noted in between counts as our own."""
    state, changed = GlobalState(), list[str]()
    threads = torch.get_num_threads()
    with state.kept(known=True):
        pass
    torch.set_grad_enabled(False)
    with state.kept(changed, known=True):
        torch.set_num_threads(threads + 1)
    assert (torch.is_grad_enabled(), torch.get_num_threads()) == (True, threads)
    assert sorted(changed) == ["grad_mode: True → False", f"num_threads: {threads} → {threads + 1}"]
    with state.kept():
        torch.set_num_threads(threads + 1)
        state.note()
        with state.kept(changed, known=True):
            pass
        assert torch.get_num_threads() == threads + 1
    assert torch.get_num_threads() == threads
    assert len(changed) == 2


def test_the_settings_are_read_once_where_nothing_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit takes milliseconds, and reading them a third of one."""
    state = GlobalState()
    with state.kept(known=True):
        pass
    read = Mock(wraps=state._read)
    monkeypatch.setattr(state, "_read", read)
    for _ in range(3):
        with state.kept(known=True):
            pass
    assert read.call_count == 3


@given(names=st.lists(st.sampled_from(sorted(CHANGES)), unique=True, max_size=4))
def test_what_was_left_is_what_is_read(names: list[str]) -> None:
    """After any changes, whether they were undone by one or by the other."""
    with STATE.kept():
        for name in names:
            CHANGES[name][0]()
    assert STATE._known is not None
    assert STATE._differing(STATE._known, STATE._read()) == []
