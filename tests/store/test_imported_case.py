"""A test of pytest-benchmark as a case: the same id in every run, whatever the file holds of its parameters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.store.imported_case import LONGEST_ID, ImportedCase, case_of, told_apart

FILE = "tests/speed/test_ops.py"


def case(fullname: str = f"{FILE}::test_op[x]", **told: Any) -> ImportedCase:
    """The case of a test."""
    return case_of({"fullname": fullname, **told})


def held(text: str) -> str:
    """What a file has for a value with this repr."""
    return f"UNSERIALIZABLE[{text}]"


@pytest.mark.parametrize(
    ("fullname", "suite", "op"),
    [
        (f"{FILE}::test_op[8-f32]", "tests/speed/test_ops", "test_op"),
        (f"{FILE}::TestA::test_op", "tests/speed/test_ops", "TestA.test_op"),
        ("a.py::test_c[x::y/z]", "a", "test_c"),
        ("odd[1]/a.py::test_c[b.py::x]", "odd[1]/a", "test_c"),
        ("lone[a::b]", "lone", "lone"),
    ],
)
def test_the_id_is_the_name_of_the_test(fullname: str, suite: str, op: str) -> None:
    """The group is no part of it: it may change while the test does not."""
    found = case(fullname, group="mine")
    assert (found.id, found.suite, found.op) == (fullname, suite, op)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8, "8"),
        (None, "None"),
        ("ij,jk->ik", "ij,jk->ik"),
        ([4, 8], "4x8"),
        ([0.5, "a"], "0.5, a"),
        ([held("torch.float16"), 2], "float16, 2"),
        (held("torch.float32"), "float32"),
        (held("torch.channels_last"), "channels_last"),
        (held("dtype('int8')"), "int8"),
        (held("<class 'numpy.float64'>"), "float64"),
        (held("<built-in method add of type object at 0x7f05554cea40>"), "add"),
        (held("<built-in function sin>"), "sin"),
        (held("<function relu at 0x7f0555d21940>"), "relu"),
        (held("<function make.<locals>.inner at 0x7f0555d21940>"), "inner"),
        (held("<bound method A.run of <a.A object at 0x7f0555d21940>>"), "A.run"),
        (held("<method 'add' of 'torch._C.TensorBase' objects>"), "add"),
        (held("<ufunc 'add'>"), "add"),
        (held("<Mode.FAST: 1>"), "Mode.FAST"),
        (held("device(type='xpu', index=1)"), "xpu:1"),
        (held("<function <lambda> at 0x7f0555d21940>"), "p0"),
        (held("<a.Config object at 0x7f0555d21940>"), "p0"),
        ([1, [2, 3]], "p0"),
        ({"a": 1}, "p0"),
        (list(range(3000)), "p0"),
        ("x" * 9000, "p0"),
    ],
)
def test_a_value_is_what_it_is_or_what_pytest_calls_it(value: Any, text: str) -> None:
    """A name where its repr holds one, else its part of the test's id, which is the same in every run."""
    assert case("a.py::t[p0]", params={"what": value}).params == {"what": text}
    assert case("a.py::t[16-p0]", params={"n": 16, "what": value}).params["what"] == text


def test_a_value_without_a_name_and_a_part_of_the_id_has_no_address() -> None:
    """The id has fewer parts than there are parameters, as with `parametrize("a,b", …, ids=["both"])`."""
    partial = "functools.partial(<function f at 0x7f05>, <a.B object at 0xdeadbeef>)"
    found = case("a.py::t[both]", params={"a": held(partial), "b": held("<Mock id='1397'>")})
    assert found.params == {"a": "functools.partial(<function f>, <a.B object>)", "b": "<Mock>"}


@pytest.mark.parametrize(
    ("told", "dtype", "device"),
    [
        ({"params": {"dtype": held("torch.bfloat16")}}, "bfloat16", "cpu"),
        ({"params": {"dtype": "torch.float16", "device": "cuda"}}, "float16", "cuda"),
        ({"params": {"dtype": "bf16", "device": held("device(type='mps')")}}, "bfloat16", "mps"),
        ({"params": {"dtype": "fp16"}}, "float16", "cpu"),
        ({"params": {"dtype": "mixed"}}, "mixed", "cpu"),
        ({"params": {"precision": held("torch.complex64")}}, "complex64", "cpu"),
        ({"params": {"a": held("torch.int8"), "b": held("torch.float32")}}, "", "cpu"),
        ({"params": {"where": held("device(type='cuda', index=1)")}}, "", "cuda:1"),
        ({"extra_info": {"dtype": held("torch.float64"), "device": "cuda:0"}}, "float64", "cuda:0"),
        ({"params": {"device": "/dev/sda"}}, "", "cpu"),
        ({"params": {"device": "cpu"}, "extra_info": {"device": "cuda"}}, "", "cpu"),
        ({"extra_info": [1]}, "", "cpu"),
        ({}, "", "cpu"),
    ],
)
def test_dtype_and_device_are_read_where_the_file_has_them(
    told: dict[str, Any], dtype: str, device: str
) -> None:
    """Out of a parameter of that name, a parameter of that kind, or what the test noted."""
    found = case("a.py::t[a-b]", **told)
    assert (found.dtype, found.device) == (dtype, device)


def test_a_device_is_no_axis() -> None:
    """It has a column, by which tables put devices side by side; what is none stays an axis."""
    assert case("a.py::t[x-1]", params={"device": "cuda", "n": 1}).params == {"n": "1"}
    assert case("a.py::t[x]", params={"device": "/dev/sda"}).params == {"device": "/dev/sda"}


def test_addresses_in_a_test_s_own_name_are_left_out() -> None:
    """As with `ids=repr`; other hexadecimal numbers are values."""
    assert case("a.py::t[<f at 0x7f05554cea40>-0xff]").id == "a.py::t[<f>-0xff]"


def test_no_two_cases_are_one() -> None:
    """A name that comes again gets a number; axes that read alike get the test's ids beside them."""
    again = told_apart([case(), case(), case()])
    assert [one.id.removeprefix(case().id) for one in again] == ["", "#2", "#3"]
    functions = {"f": held("<a.F object at 0x1>"), "g": 1}
    alike = told_apart([case(f"a.py::t[{ids}]", params=functions) for ids in ("one", "two")])
    assert [one.params["test"] for one in alike] == ["one]", "two]"]


def test_a_test_without_a_name_is_refused() -> None:
    """There is nothing to tell it by."""
    with pytest.raises(ValueError, match="it has no name"):
        case_of({"name": ""})


@given(
    name=st.text(min_size=1, max_size=600),
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.text().map(held),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)
def test_whatever_stands_in_a_file_becomes_short_printable_text(name: str, value: Any) -> None:
    """That a terminal shows and every file holds."""
    found = case(f"a.py::t[{name}]", params={"what": value, "n": 1}, extra_info={"x": value})
    texts = [found.id, found.suite, found.op, *found.params, *found.params.values()]
    assert all(text.isprintable() and len(text) <= LONGEST_ID for text in texts)
    assert case(f"a.py::t[{name}]", params={"what": value, "n": 1}).id == found.id


@given(st.integers(min_value=1, max_value=16**12), st.integers(min_value=1, max_value=16**12))
def test_an_address_changes_nothing(one: int, other: int) -> None:
    """Of two runs of one test."""
    both = [
        case(
            "a.py::t[p0-p1]",
            params={"f": held(f"<function <lambda> at {at:#x}>"), "g": held(f"[<A at {at:#x}>]")},
        )
        for at in (one, other)
    ]
    assert both[0] == both[1]
