"""The claims that the course's texts make or leave open about time and memory, as data.

A text is named by its file. To add a claim, see docs/claims.md.
"""

from __future__ import annotations

from bench.analysis.claims import texts
from bench.analysis.claims.claim import Cases, Claim, Source
from bench.analysis.claims.gpu_judge import Copies, overtakes
from bench.analysis.claims.judges import cheaper, constant, same, smaller


def free(id_: str, sentence: str, op: str, sources: tuple[Source, ...]) -> Claim:
    """An op costs the same at every size."""
    needs = (Cases(op=op),)
    return Claim(
        id=f"{id_}-is-free", sentence=sentence, sources=sources, needs=needs, judge=constant()
    )


def on_both(op: str, **where: str) -> tuple[Cases, Cases]:
    """The same cases on the CPU and on the GPU."""
    return Cases(op=op, where=where), Cases(op=op, where=where, device="cuda")


def gpu_wins(id_: str, does: str, op: str, *, brought: int, **where: str) -> tuple[Claim, Claim]:
    """The GPU is faster with its matrices there; and if so many are brought and one is fetched."""
    memory = {"memory": "pageable", "into": "existing"}
    ways = [
        Cases(op=f"transfer/{to}", where=memory, device="cuda") for to in ("to_device", "to_host")
    ]
    loads = [Copies(number=number, elements=lambda n: n * n) for number in (brought, 1)]
    resident = Claim(
        id=f"gpu-{id_}",
        sentence=f"A GPU {does} faster than the CPU, its data being there.",
        sources=texts.ON_GPUS,
        needs=on_both(op, **where),
        judge=overtakes(),
    )
    copied = Claim(
        id=f"gpu-{id_}-copied",
        sentence=f"A GPU {does} faster even if its data is brought and the result fetched.",
        sources=texts.MOVING,
        needs=(*on_both(op, **where), *ways),
        judge=overtakes(*loads),
    )
    return resident, copied


def spellings(suite: str, *calls: str) -> tuple[Cases, ...]:
    """The ways to write one product."""
    return tuple(Cases(op=f"{suite}/spelling", where={"call": call}) for call in calls)


def by_broadcasting(what: str) -> Claim:
    """Broadcasting costs less time than materialising."""
    return Claim(
        id=f"broadcast-{what}",
        sentence=f"Adding a {what} by broadcasting takes less time than copying it to full size first.",
        sources=texts.BROADCASTING,
        needs=(Cases(op=f"broadcast/{what}"), Cases(op=f"broadcast/{what}_materialised")),
        judge=cheaper(),
    )


def in_dtypes(id_: str, what: str, op: str) -> list[Claim]:
    """The smaller dtype is faster: float32 against float64, half types against float32."""
    pairs = (("float32", "float64"), ("bfloat16", "float32"), ("float16", "float32"))
    return [
        Claim(
            id=f"{id_}-{fast}-{slow}",
            sentence=f"{what} takes less time in {fast} than in {slow}.",
            sources=texts.DTYPES,
            needs=(Cases(op=op, dtype=fast), Cases(op=op, dtype=slow)),
            judge=cheaper(),
        )
        for fast, slow in pairs
    ]


COURSE: tuple[Claim, ...] = (
    free(
        "view",
        "Giving a tensor another shape with view costs the same at every size.",
        "view/view",
        (texts.RESIZING, Source(text=texts.SUMMARY, place="reshaping with view")),
    ),
    free("transpose", "Transposing costs the same at every size.", "view/t", texts.TRANSPOSING),
    free(
        "reshape",
        "reshape costs the same at every size where the elements lie in order.",
        "view/reshape",
        (Source(text=texts.SLIDES, place="arange and reshape"),),
    ),
    Claim(
        id="order-is-copied",
        sentence="Bringing a transposed matrix into order copies it: transposing alone costs less.",
        sources=texts.TRANSPOSING,
        needs=(Cases(op="view/t"), Cases(op="view/contiguous")),
        judge=cheaper(),
    ),
    free(
        "from-numpy",
        "torch.from_numpy costs the same at every size, since it shares the memory.",
        "creation/from_numpy",
        (texts.SHARED, Source(text=texts.COLAB, place="a tensor from a NumPy array")),
    ),
    Claim(
        id="tensor-copies",
        sentence="torch.from_numpy costs less than torch.tensor of the same array, which copies.",
        sources=(
            texts.SHARED,
            Source(text=texts.SUMMARY, place="NumPy interoperability by torch.tensor"),
        ),
        needs=(Cases(op="creation/from_numpy"), Cases(op="creation/copy_numpy")),
        judge=cheaper(),
    ),
    Claim(
        id="numpy-shares",
        sentence="x.numpy() costs less than np.array(x), which copies.",
        sources=(texts.SHARED,),
        needs=(Cases(op="interop/numpy"), Cases(op="interop/array")),
        judge=cheaper(),
    ),
    Claim(
        id="matmul-spellings",
        sentence="The three ways to write a matrix product cost the same, within 5 %.",
        sources=(Source(text=texts.COLAB, place="matrix multiplication"),),
        needs=spellings("matmul", "@", "Tensor.matmul", "torch.matmul"),
        judge=same(),
    ),
    Claim(
        id="mul-spellings",
        sentence="The three ways to write an element-wise product cost the same, within 5 %.",
        sources=(Source(text=texts.COLAB, place="element-wise product"),),
        needs=spellings("mul", "*", "Tensor.mul", "torch.mul"),
        judge=same(),
    ),
    by_broadcasting("row"),
    by_broadcasting("column"),
    Claim(
        id="broadcast-memory",
        sentence="Adding a row by broadcasting takes less memory than copying it to full size first.",
        sources=texts.BROADCASTING,
        needs=(Cases(op="broadcast/row"), Cases(op="broadcast/row_materialised")),
        judge=smaller(),
    ),
    *gpu_wins("elementwise", "multiplies element by element", "mul/matrices", brought=2),
    *gpu_wins("matmul", "multiplies matrices", "matmul/square", brought=2),
    *gpu_wins("backward", "goes forward and backward", "backward/cube", brought=1, grads="fresh"),
    Claim(
        id="gpu-one-unit",
        sentence="A GPU takes as long for thousands of products as for a few hundred.",
        sources=texts.THOUSAND,
        needs=(Cases(op="mul/matrices", device="cuda"),),
        judge=constant(up_to=64, least_growth=4),
    ),
    Claim(
        id="loop-is-slower",
        sentence="A Python loop over 1,000 elements takes longer than one product of tensors.",
        sources=texts.THOUSAND,
        needs=(Cases(op="loop/tensor_mul"), Cases(op="loop/list_loop")),
        judge=cheaper(near=1000),
    ),
    Claim(
        id="loop-thousandfold",
        sentence="A Python loop over 1,000 elements takes 1,000 times as long as one product.",
        sources=texts.THOUSAND,
        needs=(Cases(op="loop/tensor_mul"), Cases(op="loop/list_loop")),
        judge=cheaper(at_least=1000, near=1000),
    ),
    Claim(
        id="items-are-slow",
        sentence="Adding up a tensor costs less than adding up its elements by .item() in a loop.",
        sources=texts.SCALARS,
        needs=(Cases(op="loop/tensor_sum"), Cases(op="loop/item_sum")),
        judge=cheaper(),
    ),
    Claim(
        id="item-waits",
        sentence=".item() makes the host wait for a GPU: it takes at least twice as long as on the CPU.",
        sources=texts.SCALARS,
        needs=on_both("interop/item"),
        judge=cheaper(at_least=2),
    ),
    Claim(
        id="zero-grad-none",
        sentence="Dropping gradients (set_to_none) costs less than filling them with zeros.",
        sources=(Source(text=texts.SUMMARY, place="zero_grad before every backward pass"),),
        needs=(Cases(op="training/zero_grad_none"), Cases(op="training/zero_grad_zero")),
        judge=cheaper(),
    ),
    Claim(
        id="graph-costs",
        sentence="The same forward pass costs less without a graph for gradients than with one.",
        sources=(Source(text=texts.GRAPHS, place="tensors store what they depend on"),),
        needs=(Cases(op="graph/no_grad"), Cases(op="graph/requires_grad")),
        judge=cheaper(),
    ),
    Claim(
        id="in-place-time",
        sentence="Multiplying in place takes less time than into a new tensor.",
        sources=texts.ASSIGNING,
        needs=(Cases(op="mul/in_place"), Cases(op="mul/matrices")),
        judge=cheaper(),
    ),
    Claim(
        id="in-place-memory",
        sentence="Multiplying in place takes less memory than into a new tensor.",
        sources=texts.ASSIGNING,
        needs=(Cases(op="mul/in_place"), Cases(op="mul/matrices")),
        judge=smaller(),
    ),
    *in_dtypes("mul", "An element-wise product", "mul/matrices"),
    *in_dtypes("matmul", "A matrix product", "matmul/square"),
    Claim(
        id="rows-join-cheaper",
        sentence="Joining matrices one below the other costs less than side by side.",
        sources=(Source(text=texts.COLAB, place="joining, whose cost is left open"),),
        needs=(Cases(op="cat/rows"), Cases(op="cat/columns")),
        judge=cheaper(),
    ),
    Claim(
        id="shape-is-free",
        sentence="Asking for a shape costs less than a tenth of adding two matrices.",
        sources=(
            Source(text=texts.COLAB, place="attributes of a tensor"),
            Source(text=texts.SUMMARY, place="printing shapes"),
        ),
        needs=(Cases(op="metadata/shape"), Cases(op="elementwise/add")),
        judge=cheaper(at_least=10),
    ),
)
