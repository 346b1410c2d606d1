"""A fingerprint is equal for equal code of an op: edits around it change nothing, edits of what it uses do."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plan import discover
from bench.plan.fingerprint import identified, is_changed
from bench.plan.plan import expand
from bench.plan.selection import Selection

ROOT = Path(__file__).parents[2]
SUITE = '''
"""Two ops and what they use."""
from __future__ import annotations

import functools
import math, operator
import torch
from bench import Axis, Call, Case, Suite, Work

SCALE = 3
SHIFT = 7
UNUSED = 1
SIZES = [4, 8]
torch.set_printoptions(precision=4)


class Layer:
    """Holds a factor."""

    factor = SHIFT

    def __call__(self, x):
        return x * self.factor


def scaled(x: torch.Tensor) -> torch.Tensor:
    """A helper."""
    return x * SCALE


def twice(x):
    return scaled(scaled(x))


suite = Suite("two", axes=[Axis("n", SIZES)])


@suite.op
def first(case: Case) -> Call:
    """Uses helpers."""
    return Call(twice, case.randn(case["n"]))


@suite.op(axes=[Axis("call", {"@": operator.matmul, "mm": lambda a, b: torch.mm(a, b), "own": scaled})])
def second(case: Case) -> Call:
    """Uses a class, and functions on an axis."""
    return Call(Layer(), case.randn(case["n"]), case["call"])


@first.work
def first_work(case: Case) -> Work:
    return Work(flop=2 * case["n"])


@first.reference
def first_reference(x):
    return x * 9
'''
FIRST, SECOND = {"first"}, {"second"}
OWN = {"second[call=own]"}


def codes(text: str, tmp_path: Path, name: str = "two") -> dict[str, str]:
    """Op, and its function on an axis where it has one → the fingerprint of its cases."""
    path = tmp_path / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    loaded = [discover.load(path)]
    plan = identified(expand(loaded, Selection(short_axes=False), {}), loaded)
    found: dict[str, set[str]] = {}
    for case in plan.cases:
        call = f"[call={case.labels['call']}]" if "call" in case.labels else ""
        assert case.fingerprint
        found.setdefault(case.op + call, set()).add(case.fingerprint)
    assert all(len(of) == 1 for of in found.values())  # sizes are in the case's id
    return {op: of.pop() for op, of in found.items()}


def changed(old: str, new: str, tmp_path: Path) -> set[str]:
    """What has another fingerprint after an edit."""
    before, after = codes(old, tmp_path), codes(new, tmp_path)
    assert before.keys() <= after.keys() or after.keys() <= before.keys()
    return {op for op in before.keys() & after.keys() if before[op] != after[op]}


def ops_of(found: set[str]) -> set[str]:
    """The ops without their axes."""
    return {one.partition("[")[0] for one in found}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return scaled(scaled(x))", "return scaled(  # again\n        scaled(x))"),
        ('"""A helper."""', '"""A helper that multiplies."""'),
        ('"""A helper."""\n    return', "return"),
        ("def scaled(x: torch.Tensor) -> torch.Tensor:", "def scaled(x):"),
        ("SCALE = 3", "SCALE: int = 3"),
        ("SIZES = [4, 8]", "SIZES = [4, 8, 16]"),
        ("UNUSED = 1", "UNUSED = 2"),
        ("return x * 9", "return x * 9.0"),
        ("flop=2 *", "flop=3 *"),
        ("import math, operator", "import operator\nimport numpy as np"),
        ("import torch\n", "import torch\nimport torch.nn\nfrom torch import nn\n"),
        ('{"@": operator.matmul,', '{"@": operator.matmul, "b": torch.bmm,'),
        ("from bench import Axis,", "from bench import Skip, Axis,"),
        (
            "@first.work\n",
            "@suite.op\ndef third(case):\n    return Call(scaled, SHIFT)\n\n\n@first.work\n",
        ),
        ("@first.work\n", "print('loaded')\n\n\n@first.work\n"),
        (
            "@first.reference\n",
            "if __name__ == '__main__':\n    torch.manual_seed(1)\n\n\n@first.reference\n",
        ),
        (
            "@first.reference\n",
            "for op in (first, second):\n    op.work(lambda case: Work(flop=1))\n\n\n@first.reference\n",
        ),
    ],
    ids=[
        "a comment",
        "a docstring",
        "no docstring",
        "annotations",
        "an annotated constant",
        "a value of an axis",
        "an unused constant",
        "a reference",
        "a work model",
        "imports",
        "a module of a package",
        "another function on an axis",
        "another name of a package",
        "an op",
        "a word printed",
        "a part for a program",
        "work models for several",
    ],
)
def test_an_edit_elsewhere_changes_nothing(old: str, new: str, tmp_path: Path) -> None:
    """What is neither the op's code nor what it uses."""
    assert old in SUITE
    assert changed(SUITE, SUITE.replace(old, new), tmp_path) == set()


@pytest.mark.parametrize(
    ("old", "new", "which"),
    [
        ("SCALE = 3", "SCALE = 4", FIRST | OWN),
        ("return x * SCALE", "return SCALE * x", FIRST | OWN),
        ("return scaled(scaled(x))", "return scaled(x)", FIRST),
        ("SHIFT = 7", "SHIFT = 8", SECOND),
        ("return x * self.factor", "return x + self.factor", SECOND),
        ('case.randn(case["n"]))\n\n\n@suite.op(', 'case.rand(case["n"]))\n\n\n@suite.op(', FIRST),
        ('"@": operator.matmul', '"@": torch.matmul', {"second[call=@]"}),
        ("torch.mm(a, b)", "torch.mm(b, a)", {"second[call=mm]"}),
        ("precision=4", "precision=5", FIRST | SECOND),
        ("SHIFT = 7", "SHIFT = 7\nSHIFT += 1", SECOND),
        ("SHIFT = 7", "SHIFT = 7\nif math.pi > 3:\n    SHIFT = 9", SECOND),
        ("UNUSED = 1", "torch.manual_seed(0)", FIRST | SECOND),
        ("UNUSED = 1", "_ = torch.manual_seed(0)", FIRST | SECOND),
        ("UNUSED = 1", "torch.backends.mkldnn.enabled = True", FIRST | SECOND),
        ("UNUSED = 1", "def setup():\n    torch.manual_seed(1)\n\n\nsetup()", FIRST | SECOND),
        ("@suite.op\ndef first", "@suite.op\n@torch.no_grad()\ndef first", FIRST),
        ("def twice(x):", "@functools.cache\ndef twice(x):", FIRST),
        ("def twice(x):", "def twice(x, k=UNUSED):", FIRST),
    ],
)
def test_an_edit_of_what_an_op_uses_changes_it(
    old: str, new: str, which: set[str], tmp_path: Path
) -> None:
    """Directly or through others, on its axes too; no other op, and no other function of an axis."""
    assert old in SUITE
    found = changed(SUITE, SUITE.replace(old, new), tmp_path)
    assert found == which or ops_of(found) == which


def test_a_version_takes_the_place_of_the_code(tmp_path: Path) -> None:
    """Equal ones are the same code by word of the author."""
    numbered = SUITE.replace("@suite.op\ndef first", '@suite.op(version="2")\ndef first')
    assert changed(numbered, numbered.replace("SCALE = 3", "SCALE = 5"), tmp_path) == OWN
    assert changed(numbered, numbered.replace('"2"', '"3"'), tmp_path) == FIRST
    assert codes(numbered, tmp_path)["first"] == "version 2"


LOOP = """
import torch
from bench import Axis, Call, Suite

suite = Suite("made", axes=[Axis("n", [4])])


def named(function, factor):
    def build(case):
        return Call(lambda x: function(x) * factor, case.randn(case["n"]))

    build.__name__ = function.__name__
    return build


def doubled(x):
    return x * 2


for function, factor in [(torch.neg, 1), (torch.abs, 2), (doubled, 3)]:
    suite.op(named(function, factor))
"""


def test_ops_that_are_made_in_a_loop_are_told_by_what_they_enclose(tmp_path: Path) -> None:
    """Another one in the loop changes none of them."""
    more = LOOP.replace("(doubled, 3)]", "(doubled, 3), (torch.exp, 4)]")
    assert len(set(codes(LOOP, tmp_path).values())) == 3
    assert changed(LOOP, more, tmp_path) == set()
    assert changed(LOOP, LOOP.replace("(torch.abs, 2)", "(torch.abs, 5)"), tmp_path) == {"abs"}
    assert changed(LOOP, LOOP.replace("return x * 2", "return x + x"), tmp_path) == {"doubled"}
    assert changed(LOOP, LOOP.replace("(x) * factor", "(x) + factor"), tmp_path) == {
        "neg",
        "abs",
        "doubled",
    }


def test_what_can_not_be_told_makes_the_whole_file_count(tmp_path: Path) -> None:
    """An object that shows no more than its address may be anything; a comment or a reference is still nothing."""
    opaque = LOOP.replace("(torch.abs, 2)", "(torch.abs, object())")
    assert changed(opaque, opaque + "\nOTHER = 1\n", tmp_path) == {"abs"}
    assert changed(opaque, opaque + "\n# OTHER = 1\n", tmp_path) == set()
    reference = "\n\n@suite.ops['abs'].reference\ndef reference(x):\n    return x\n"
    assert changed(opaque, opaque + reference, tmp_path) == set()


LAYERS = """
import functools
import numpy as np
import torch
from torch import nn
from bench import Axis, Call, Suite

suite = Suite("layers")
BASE = 2


def base(x):
    return x * BASE


class Net(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.depth = depth

    def forward(self, x):
        return x


@suite.op(axes=[Axis("call", {
    "add": lambda x: x + 1, "twice": lambda x: (lambda y: y * 2)(x), "base": functools.partial(base, 5),
    "net": nn.Sequential(Net(3), nn.Linear(2, 2)), "ufunc": np.add, "op": torch.ops.aten.add.Tensor,
    "dtype": torch.float32, "layout": torch.channels_last, "device": torch.device("cpu"),
    "zeros": torch.zeros(3), "method": torch.Tensor.add, "pair": (1, base),
})])
def layer(case):
    return Call(case["call"], 1)
"""


@pytest.mark.parametrize(
    ("old", "new", "which"),
    [
        ("x + 1", "x + 3", {"add"}),
        ('"add": lambda x: x + 1, ', "", set()),
        ("y * 2", "y * 3", {"twice"}),
        ("(base, 5)", "(base, 6)", {"base"}),
        ("BASE = 2", "BASE = 3", {"base", "pair"}),
        ("Net(3)", "Net(4)", {"net"}),
        ("Linear(2, 2)", "Linear(2, 3)", {"net"}),
        ("return x\n", "return -x\n", {"net"}),
        ("np.add", "np.subtract", {"ufunc"}),
        ("add.Tensor", "add.Scalar", {"op"}),
        ("torch.float32", "torch.float64", {"dtype"}),
        ("channels_last", "contiguous_format", {"layout"}),
        ('device("cpu")', 'device("meta")', {"device"}),
        ("zeros(3)", "zeros(4)", {"zeros"}),
        ("torch.Tensor.add", "torch.add", {"method"}),
        ("(1, base)", "(2, base)", {"pair"}),
    ],
)
def test_what_stands_on_an_axis_counts_for_its_own_cases(
    old: str, new: str, which: set[str], tmp_path: Path
) -> None:
    """Functions, layers with all that is in them, dtypes: anything torch has."""
    assert old in LAYERS
    found = changed(LAYERS, LAYERS.replace(old, new), tmp_path)
    assert found == {f"layer[call={label}]" for label in which}


def test_a_random_tensor_of_the_file_is_known_by_the_statement_that_makes_it(
    tmp_path: Path,
) -> None:
    """Its values differ from process to process, which is no change."""
    weights = LOOP.replace(
        "def doubled(x):\n    return x * 2",
        "W = torch.randn(4)\n\n\ndef doubled(x):\n    return x * W",
    )
    assert changed(weights, weights, tmp_path) == set()
    assert changed(weights, weights.replace("randn(4)", "rand(4)"), tmp_path) == {"doubled"}
    closed = LOOP.replace("(torch.abs, 2)", "(torch.abs, torch.randn(4))")
    assert changed(closed, closed, tmp_path) == set()


def test_a_name_that_is_bound_twice_is_the_one_that_was_seen(tmp_path: Path) -> None:
    """The order of statements counts where it decides a value."""
    before = SUITE.replace("SHIFT = 7\n", "SHIFT = 7\nUSED = SHIFT\nSHIFT = 9\n")
    before = before.replace("factor = SHIFT", "factor = USED")
    after = before.replace("USED = SHIFT\nSHIFT = 9\n", "SHIFT = 9\nUSED = SHIFT\n")
    assert ops_of(changed(before, after, tmp_path)) == SECOND


def test_annotations_count_where_a_decorator_can_read_them(tmp_path: Path) -> None:
    """A kernel language takes constants from them."""
    plain = SUITE.replace(
        "def twice(x):", "def read(f):\n    return f\n\n\n@read\ndef twice(x: int):"
    )
    assert changed(plain, plain.replace("x: int", "x: float"), tmp_path) == FIRST


def _shuffled(text: str, seed: int) -> str:
    """The file with functions and classes in another order, new comments, blank lines and docstrings."""
    order = random.Random(seed)  # noqa: S311 - an order, not a secret
    tree = ast.parse(text)
    lines = text.splitlines()

    def source(node: ast.stmt) -> str:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return "\n".join(lines[first - 1 : node.end_lineno])

    free = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list]
    parts = [source(n) for n in tree.body if n not in free]
    at = next(i for i, part in enumerate(parts) if part.startswith("suite ="))
    for node in free:
        docstring = f'    """Text {order.random()}."""\n'
        head, _, body = source(node).partition("\n")
        said = body if '"""' in body else docstring + body
        parts.insert(order.randint(at - 2, at), f"{head}  # {order.random()}\n{said}")
    return "\n".join(part + "\n" * order.randint(1, 4) + f"# {order.random()}\n" for part in parts)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_comments_docstrings_and_the_order_of_functions_never_change_it(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever they are."""
    place = tmp_path_factory.mktemp("suites")
    assert changed(SUITE, _shuffled(SUITE, seed), place) == set()


@settings(max_examples=25, deadline=None)
@given(depth=st.integers(1, 6), value=st.integers(-(10**6), 10**6), data=st.data())
def test_a_constant_changes_all_that_use_it_and_nothing_else(
    depth: int, value: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Through any number of functions."""
    place = tmp_path_factory.mktemp("suites")
    uses = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    chain = "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n\n\n" for i in range(depth))
    ops = "".join(
        f"@suite.op\ndef op{i}(case):\n    return Call({'f0' if used else 'other'}, 1)\n\n\n"
        for i, used in enumerate(uses)
    )
    text = (
        "from bench import Call, Suite\n\nsuite = Suite('s')\nK = 0.5\n\n\n"
        f"{chain}def f{depth}(x):\n    return x + K\n\n\ndef other(x):\n    return x\n\n\n{ops}"
    )
    assert changed(text, text.replace("K = 0.5", f"K = {value}"), place) == {
        f"op{i}" for i, used in enumerate(uses) if used
    }


def test_a_case_is_changed_only_where_its_code_is(tmp_path: Path) -> None:
    """A worker may load the file after it was edited: a comment is none of its business."""
    path = tmp_path / "two.py"
    path.write_text(SUITE, encoding="utf-8")
    loaded = [discover.load(path)]
    plan = identified(expand(loaded, Selection(), {}), loaded)
    path.write_text(SUITE.replace("SCALE = 3", "SCALE = 4  # more"), encoding="utf-8")
    later = discover.load(path)
    assert {case.op for case in plan.cases if is_changed(later, case)} == {"first", "second"}
    assert {case.labels.get("call") for case in plan.cases if is_changed(later, case)} == {
        None,
        "own",
    }
    path.write_text(SUITE.replace("def first(", "def renamed(").replace("@first.", "@renamed."))
    assert {c.op for c in plan.cases if is_changed(discover.load(path), c)} == {"first"}
    path.write_text(SUITE + "\n# a word\n", encoding="utf-8")
    assert not any(is_changed(discover.load(path), case) for case in plan.cases)


DIGEST = """
import hashlib, pathlib, sys, types
sys.path.insert(0, "bench/plan")
name = "statements"
import importlib.util
spec = importlib.util.spec_from_file_location(name, "bench/plan/statements.py")
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
digest = hashlib.sha256()
for path in sorted(pathlib.Path("suites").glob("*.py")) + sorted(pathlib.Path("bench").rglob("*.py")):
    found = module.Statements(path.read_bytes(), lambda _: False)
    for one in found.all:
        told = found.text(one), sorted(one.binds), sorted(one.uses), one.acts
        digest.update(repr(told).encode())
print(digest.hexdigest())
"""


def _pythons() -> list[str]:
    """Other versions of Python on this machine, as pyenv keeps them."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    here = f"3.{sys.version_info.minor}."
    found = {p.name.rpartition(".")[0]: p for p in sorted(root.glob("3.1[1-9].*"))}
    return [str(p / "bin" / "python") for p in found.values() if not p.name.startswith(here)]


@pytest.mark.slow
def test_all_versions_of_python_tell_the_same() -> None:
    """A suite that is run under another Python is the same code."""
    others = [python for python in _pythons() if Path(python).is_file()]
    if not others:
        pytest.skip("there is no other version of Python here")
    digests = {
        subprocess.run([python, "-c", DIGEST], cwd=ROOT, check=True, capture_output=True).stdout
        for python in (sys.executable, *others)
    }
    assert len(digests) == 1
