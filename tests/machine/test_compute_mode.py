"""How many processes may use a GPU: by its compute mode, by CUDA's own order of devices, and by MPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.machine.compute_mode import ContextLimits, mode_of, mps_listens, read_modes
from tests.fakes.nvml import Nvml, Refusal

if TYPE_CHECKING:
    from pathlib import Path


class Several(Nvml):
    """NVML with a GPU for each of these modes, all of one kind unless told otherwise; a handle is the GPU's number."""

    def __init__(self, *modes: int, kinds: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._modes = modes
        self._kinds = kinds or ("H100",) * len(modes)

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - the library's own name
        """How many."""
        return len(self._modes)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:  # noqa: N802
        """The number itself."""
        return index

    def nvmlDeviceGetComputeMode(self, handle: int) -> int:  # noqa: N802
        """As told."""
        return self._modes[handle]

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        """As told."""
        return self._kinds[handle]

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        """Ends with the number."""
        return f"GPU-abc{handle}"


def limits(nvml: Any, **environ: str) -> ContextLimits:
    """What is read beside these variables, on a machine without MPS."""
    return ContextLimits.read(lambda: nvml, {"CUDA_MPS_PIPE_DIRECTORY": "/nowhere", **environ})


@pytest.mark.parametrize(
    ("number", "mode"),
    [
        (0, "default"),
        (1, "exclusive-thread"),
        (2, "prohibited"),
        (3, "exclusive-process"),
        (4, None),
        (Refusal(), None),
    ],
)
def test_a_mode_is_a_word(number: object, mode: str | None) -> None:
    """One that the driver does not say, or that is not known here, is none."""
    nvml: Any = Nvml(ComputeMode=number)
    assert mode_of(nvml, "the GPU") == mode
    assert read_modes(lambda: nvml) == (None if mode is None else (mode,))


def no_driver() -> Any:
    """Where there is no GPU."""
    message = "no driver"
    raise OSError(message)


def test_without_a_driver_nothing_is_refused() -> None:
    """What can't be known is found out when workers ask for a context."""
    assert read_modes(no_driver) is None
    assert ContextLimits.read(no_driver, {}).why_refused("cuda", 6) == ""


@pytest.mark.parametrize(
    ("mode", "processes", "refused"),
    [(0, 6, False), (1, 6, True), (3, 6, True), (3, 2, True), (3, 1, False), (2, 1, True)],
)
def test_a_mode_lets_so_many_processes_in(mode: int, processes: int, *, refused: bool) -> None:
    """Any number, one, or none."""
    assert bool(limits(Several(mode)).why_refused("cuda", processes)) is refused
    assert limits(Several(mode)).why_refused("cpu", processes) == ""


def test_a_refusal_says_the_value_the_rule_and_the_fix() -> None:
    """In one sentence; what the command can do about it comes first."""
    exclusive, prohibited = limits(Several(3)), limits(Several(2))
    assert exclusive.why_refused("cuda", 6, "write --workers 1") == (
        "compute mode exclusive-process lets one process use cuda, and 6 workers would: write --workers 1, "
        "have it changed (sudo nvidia-smi -c 0) or start MPS (nvidia-cuda-mps-control -d)"
    )
    assert prohibited.why_refused("cuda:0", 1, "write --workers 1") == (
        "compute mode prohibited lets no process use cuda:0: have it changed (sudo nvidia-smi -c 0)"
    )


def test_clients_of_mps_share_one_context(tmp_path: Path) -> None:
    """Where its daemon listens, exclusive mode holds for its server alone; prohibited is prohibited."""
    environ = {"CUDA_MPS_PIPE_DIRECTORY": str(tmp_path)}
    assert not mps_listens(environ)
    assert limits(Several(3), **environ).why_refused("cuda", 6)
    (tmp_path / "control").touch()
    assert mps_listens(environ)
    assert limits(Several(3), **environ).why_refused("cuda", 6) == ""
    assert limits(Several(2), **environ).why_refused("cuda", 6)


def test_a_folder_that_is_closed_to_us_is_no_mps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """CUDA could not connect either."""

    def closed(_: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.exists", closed)
    assert not mps_listens({"CUDA_MPS_PIPE_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize(
    ("visible", "refused"),
    [
        (None, {"cuda:1", "cuda:2"}),
        ("0", set()),
        ("1", {"cuda", "cuda:0"}),
        ("0, 2", {"cuda:1"}),
        ("GPU-abc2,GPU-abc0", {"cuda", "cuda:0"}),
        ("2,-1,1", {"cuda", "cuda:0"}),
        ("GPU-abc,1", set()),
        ("MIG-1", set()),
        ("", set()),
    ],
    ids=["all", "open", "closed", "two", "by UUID", "to the bad one", "vague", "MIG", "none"],
)
def test_devices_are_those_that_cuda_shows(visible: str | None, refused: set[str]) -> None:
    """By number or UUID, in that order, up to the first word that means none."""
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    found = limits(Several(0, 3, 3), **environ)
    names = ("cuda", "cuda:0", "cuda:1", "cuda:2", "cuda:3")
    assert {name for name in names if found.why_refused(name, 2)} == refused


@pytest.mark.parametrize(
    ("modes", "order", "refused"),
    [
        ((0, 3), None, set()),
        ((0, 3), "PCI_BUS_ID", {"cuda:1"}),
        ((3, 3), None, {"cuda:0", "cuda:1"}),
    ],
)
def test_the_fastest_comes_first_unless_told_otherwise(
    modes: tuple[int, ...], order: str | None, refused: set[str]
) -> None:
    """NVML goes by the bus, so with unlike GPUs a number tells which is meant only where it does not matter."""
    environ = {} if order is None else {"CUDA_DEVICE_ORDER": order}
    found = limits(Several(*modes, kinds=("T4", "H100")), **environ)
    assert {name for name in ("cuda:0", "cuda:1") if found.why_refused(name, 2)} == refused
