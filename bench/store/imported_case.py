"""Imported case: a test of pytest-benchmark as a case of ours, with id, axes, dtype and device.

Its id is the test's own name (`path/to/test_x.py::test_y[ids]`), which is the same in every run. What the file holds
of the parameters' values is not: addresses change from run to run, and a list of numbers may be pages long.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LONGEST_ID, _LONGEST_VALUE = 200, 60
"""Characters: ids stand in tables and file names, and values of axes in one cell."""
CPU = "cpu"
"""The device of a test that says nothing else: the CPU waits, and reads the clock."""
_PLACEHOLDER = re.compile(r"UNSERIALIZABLE\[(.*)\]", re.DOTALL)
"""What pytest-benchmark writes for a value that JSON can't hold, around its repr."""
_ADDRESS = re.compile(r"(?: at |@)0x[0-9a-fA-F]+| id='\d+'")
_ENCLOSING = re.compile(r"[^\s<]*<locals>\.")
_NAMES = tuple(
    map(
        re.compile,
        (
            r"torch\.(\w+)",
            r"dtype\('([^']+)'\)",
            r"<class '(?:[^']*\.)?([^'.]+)'>",
            r"<(?:[\w-]+ )*(?:function|method|ufunc|wrapper|method-wrapper) '?([\w.]+)'?(?: of .*)?>",
            r"<([\w.]+): .*>",
        ),
    )
)
"""Reprs that hold a name: a constant of torch, a dtype of NumPy, a class, a function, a member of an enum."""
_DEVICE_REPR = re.compile(r"device\(type='(\w+)'(?:, index=(\d+))?\)")
_DEVICE = re.compile(r"(?:cpu|gpu|cuda|rocm|hip|xpu|mps|hpu|mtia|npu|tpu|xla|vulkan)(?::\d+)?")
_DTYPE = re.compile(r"bfloat16|float\d+\w*|q?u?int\d+|complex\d+|bool")
_SHORT_DTYPE = re.compile(r"(?:bf|fp|f)(16|32|64)")
_LONG = MappingProxyType({"half": "float16", "double": "float64", "bf16": "bfloat16"})
_DTYPE_NAMES = "dtype", "torch_dtype", "data_type"
_DEVICE_NAMES = "device", "torch_device"
_TEST = "test"
"""The axis that tells tests apart whose parameters read alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCase:
    """What a row says of its case and device."""

    id: str
    suite: str
    op: str
    params: Mapping[str, str]
    dtype: str
    device: str


def printable(value: object) -> str:
    """The text of a value, with an escape for each character that a terminal can't show or a file can't hold."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
    return "".join(shown)


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; nothing where something else stands in its place."""
    return value if isinstance(value, dict) else {}


def told_apart(cases: Iterable[ImportedCase]) -> list[ImportedCase]:
    """The cases of one file: no two with the same id, or with the same axes on a device."""
    found = [_numbered(case, again) for case, again in _counted(cases)]
    seen = Counter(map(_place, found))
    return [_with_test(case) if seen[_place(case)] > 1 else case for case in found]


def _counted(found: Iterable[ImportedCase]) -> Iterator[tuple[ImportedCase, int]]:
    """Each with how many there have been of its id, it included."""
    seen: Counter[str] = Counter()
    for case in found:
        seen[case.id] += 1
        yield case, seen[case.id]


def _numbered(case: ImportedCase, again: int) -> ImportedCase:
    return case if again == 1 else dataclasses.replace(case, id=f"{case.id}#{again}")


def _place(case: ImportedCase) -> tuple[object, ...]:
    """What tables of rows tell a case by."""
    return case.suite, case.op, case.device, *sorted(case.params.items())


def _with_test(case: ImportedCase) -> ImportedCase:
    own = case.id.partition("[")[2] or case.id
    return dataclasses.replace(case, params={**case.params, _TEST: _bounded(own, _LONGEST_VALUE)})


def case_of(told: Mapping[str, Any]) -> ImportedCase:
    """The case of a test, as its file has it.

    Raises:
        ValueError: it has no name.
    """
    name = _readable(told.get("fullname") or told.get("name") or "")
    if not name:
        message = "it has no name"
        raise ValueError(message)
    file, op = _parts(name)
    extra = {str(k): _value(v, None) for k, v in mapping(told.get("extra_info")).items()}
    params = _params(told, name)
    device = _found(told, params, extra, _DEVICE_NAMES, _device)
    dtype = _found(told, params, extra, _DTYPE_NAMES, _dtype)
    return ImportedCase(
        id=_bounded(name, LONGEST_ID),
        suite=_bounded(file.removesuffix(".py"), LONGEST_ID),
        op=_bounded(op, LONGEST_ID),
        params={k: v for k, v in params.items() if k not in _DEVICE_NAMES or not _device(v)},
        dtype=dtype or params.get("dtype", ""),
        device=device or CPU,
    )


def _parts(name: str) -> tuple[str, str]:
    """The file that a test stands in; the test without its parameters, behind its class if it has one."""
    file, _, test = (
        name.partition("::") if re.match(r"[^\[]*::|.*?\.py::", name) else (name, "", "")
    )
    bare = file.partition("[")[0]
    return (file, ".".join(test.partition("[")[0].split("::"))) if test else (bare, bare)


def _params(told: Mapping[str, Any], name: str) -> dict[str, str]:
    """Its parameters by name; where they have none, what stands in brackets."""
    inside = re.search(r"\[(.*)\]", name)
    ids = inside[1] if inside else ""
    params = told.get("params")
    if not (isinstance(params, dict) and params):
        return {"param": _bounded(ids, _LONGEST_VALUE)} if ids else {}
    parts = [ids] if len(params) == 1 else ids.split("-")
    own: list[str | None] = [*parts] if len(parts) == len(params) else [None] * len(params)
    return {
        _bounded(_readable(axis), _LONGEST_VALUE): _value(value, part or None)
        for (axis, value), part in zip(params.items(), own, strict=True)
    }


def _value(value: Any, part: str | None) -> str:
    """A parameter's value as one short text: what it is, else its part of the test's id, else its repr.

    Args:
        value: as the file has it.
        part: of the id, if it is known; pytest keeps it the same in every run.
    """
    text = _plain(value)
    if text is None or len(text) > _LONGEST_VALUE:
        text = part or _readable(_shown(value))
    return _bounded(text, _LONGEST_VALUE)


def _plain(value: Any) -> str | None:
    """What a value is, where that is a name, a number or a list of such."""
    if isinstance(value, list):
        items = [_plain(one) for one in value]
        known = [one for one in items if one is not None]
        whole = len(known) == len(items) > 0 and not any(isinstance(v, list) for v in value)
        numbers = all(type(one) is int for one in value)
        return ("x" if numbers else ", ").join(known) if whole else None
    if isinstance(value, dict):
        return None
    inner = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return _name(_readable(inner[1])) if inner else _readable(value)


def _shown(value: Any) -> str:
    """The text of any value, without the marks of what JSON could not hold."""
    return re.sub(r"UNSERIALIZABLE\[(.*?)\](?=['\",\]}]|$)", r"\1", str(value), flags=re.DOTALL)


def _name(text: str) -> str | None:
    """The name that a repr holds, if there is one."""
    if device := _DEVICE_REPR.fullmatch(text):
        return device[1] if device[2] is None else f"{device[1]}:{device[2]}"
    bare = _ENCLOSING.sub("", text)
    return next((found[1] for name in _NAMES if (found := name.fullmatch(bare))), None)


def _readable(value: object) -> str:
    """A text on one line that has no address in it."""
    return _ADDRESS.sub("", printable(value)).strip()


def _bounded(text: str, most: int) -> str:
    """The text, or its beginning with a hash of all of it."""
    if len(text) <= most:
        return text
    digest = hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
    end = f"…{digest}" + ("]" if text.endswith("]") else "")
    return text[: most - len(end)] + end


def _found(
    told: Mapping[str, Any],
    params: Mapping[str, str],
    extra: Mapping[str, str],
    names: Sequence[str],
    read: Callable[[str], str],
) -> str:
    """The dtype or device of a test: by the name of a parameter, by what a parameter is, by `extra_info`."""
    values = mapping(told.get("params")).values()
    held = [v for raw, v in zip(values, params.values(), strict=False) if _is_placeholder(raw)]
    only = {read(text) for text in held} - {""}
    said = [
        *(params[name] for name in names if name in params),
        *(held if len(only) == 1 else ()),
        *(extra[name] for name in names if name in extra),
    ]
    return next(filter(None, map(read, said)), "")


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and bool(_PLACEHOLDER.fullmatch(value))


def _device(text: str) -> str:
    return text if _DEVICE.fullmatch(text) else ""


def _dtype(text: str) -> str:
    """A dtype as torch names it, out of that name or a short one."""
    bare = text.rpartition(".")[2]
    if short := _SHORT_DTYPE.fullmatch(bare):
        return _LONG.get(bare, f"float{short[1]}")
    return _LONG.get(bare, bare if _DTYPE.fullmatch(bare) else "")
