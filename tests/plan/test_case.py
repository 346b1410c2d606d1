"""A case holds facts; it makes tensors only once it has been given inputs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.errors import SuiteError
from bench.plan.case import Call, Case, Skip, Work, dtype_name, itemsize_bytes, with_inputs


class Recorder:
    """Inputs that answer with what they were asked for."""

    dtype = "the dtype"

    def __getattr__(self, name: str) -> Any:
        """Any maker."""
        return lambda *shape, **named: (name, shape, named)


def make(**changes: Any) -> Case:
    """A case of one axis on the CPU."""
    return dataclasses.replace(Case(id="s/o[n=4]", values={"n": 4}, device="cpu"), **changes)


def test_a_call_makes_the_call_with_its_arguments() -> None:
    """Positional and named arguments arrive as they were given, whatever their names."""
    call = Call(dict, {"a": 1}, function=2, self=3)
    assert call() == {"a": 1, "function": 2, "self": 3}
    assert call.args == ({"a": 1},)
    assert call.kwargs == {"function": 2, "self": 3}


def test_a_call_can_not_be_changed() -> None:
    """What is timed is what was built."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Call(print).function = repr  # type: ignore[misc]  # the mistake under test


def test_the_bytes_of_a_work_are_read_plus_written() -> None:
    """Both directions cross the memory bus."""
    assert Work(read_bytes=3, written_bytes=4).bytes == 7
    assert Work().bytes == 0


def test_a_case_gives_the_value_of_an_axis() -> None:
    """`case["n"]` is the value, not its label."""
    assert make()["n"] == 4


def test_an_unknown_axis_is_refused_with_the_known_ones() -> None:
    """The error names the case, the axis and what there is."""
    with pytest.raises(SuiteError, match=r"s/o\[n=4\] has no axis 'm'; known: n"):
        make()["m"]


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2), ("complex128", 16)])
def test_itemsize_follows_the_dtype(dtype: str, size: int) -> None:
    """Work models count bytes without torch."""
    assert make(dtype_name=dtype).itemsize == size


def test_itemsizes_are_those_of_torch() -> None:
    """A name tells them, also of dtypes that a later torch may bring; so work models need no torch."""
    import torch  # noqa: PLC0415 - the only test here that needs it

    dtypes = {value for value in vars(torch).values() if isinstance(value, torch.dtype)}
    sizes = {}
    for dtype in dtypes:
        try:
            sizes[dtype_name(dtype)] = dtype.itemsize
        except RuntimeError:  # torch says of some that they are undefined
            continue
    assert len(sizes) > 30
    assert {name: itemsize_bytes(name) for name in sizes} == sizes
    assert itemsize_bytes("float6_e3m2fn") == 1
    assert [itemsize_bytes(name) for name in ("floaty", "32", "", "xfloat8", "float23")] == [
        None
    ] * 5


def test_a_dtype_has_one_name() -> None:
    """Whether it is given as torch's object, its text, or its second name."""
    import torch  # noqa: PLC0415

    for value in vars(torch).values():
        if isinstance(value, torch.dtype):
            assert getattr(torch, dtype_name(value)) is value
    for text in ("half", "float", "double", "short", "int", "long", "chalf", "cfloat", "cdouble"):
        assert dtype_name(text) == dtype_name(getattr(torch, text)) != text


def test_a_case_without_inputs_makes_no_tensors() -> None:
    """A work model that asks for a tensor is told what it may use."""
    why = r"work model can't make tensors; use case\[axis\]"
    with pytest.raises(SuiteError, match=why):
        make().randn(2)
    with pytest.raises(SuiteError, match=why):
        _ = make().dtype


def test_a_case_with_inputs_hands_every_request_on() -> None:
    """The makers of a case are those of its inputs, arguments included."""
    recorder: Any = Recorder()
    case = with_inputs(make(), recorder)
    assert case.dtype == "the dtype"
    for name in ("randn", "rand", "zeros", "ones", "empty"):
        assert getattr(case, name)(2, 3) == (name, (2, 3), {"requires_grad": False})
        assert getattr(case, name)((2, 3), requires_grad=True) == (
            name,
            ((2, 3),),
            {"requires_grad": True},
        )
    assert case.ints(5, low=0, high=2) == ("ints", (5,), {"low": 0, "high": 2})


def test_inputs_do_not_change_what_a_case_is() -> None:
    """Two cases are the same case whether or not they can make tensors."""
    recorder: Any = Recorder()
    assert with_inputs(make(), recorder) == make()
    assert "Recorder" not in repr(with_inputs(make(), recorder))


def test_a_skip_carries_its_reason() -> None:
    """People read why."""
    assert str(Skip("needs two dimensions")) == "needs two dimensions"
