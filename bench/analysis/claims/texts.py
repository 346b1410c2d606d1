"""The course's five texts, by their file names, and the places in them that claims come from.

A place is told in our own words; where a text says nothing about cost, the place says so.
"""

from __future__ import annotations

from bench.analysis.claims.claim import Source

COLAB, GRAPHS = "000_15ed7aa2ef90c09e.txt", "001_806e0a696666c64a.txt"
SLIDES, SUMMARY = "002_56d957f2701a2c5d.txt", "003_b766e306f0c6dd12.txt"
NOTEBOOK = "004_a08c3a32dad0da75.txt"
TEXTS = (COLAB, GRAPHS, SLIDES, SUMMARY, NOTEBOOK)

RESIZING = Source(text=NOTEBOOK, place="resizing with view")
SHARED = Source(text=NOTEBOOK, place="NumPy support")
TRANSPOSING = (
    Source(text=NOTEBOOK, place="transpose"),
    Source(text=SLIDES, place="rows and columns switched"),
)
ON_GPUS = (
    Source(text=COLAB, place="what tensors have over NumPy"),
    Source(text=SLIDES, place="about GPUs"),
    Source(text=NOTEBOOK, place="key features: GPU acceleration"),
)
MOVING = (*ON_GPUS, Source(text=SLIDES, place="moving a tensor, whose cost is left open"))
BROADCASTING = (
    Source(text=NOTEBOOK, place="why broadcasting is useful"),
    Source(text=SUMMARY, place="a bias added to a batch"),
    Source(text=SLIDES, place="broadcasting, told as duplicating"),
)
THOUSAND = (Source(text=SLIDES, place="two vectors of 1,000 elements on CPU and GPU"),)
DTYPES = (
    Source(text=SLIDES, place="dtypes, whose cost is left open"),
    Source(text=SUMMARY, place="explicit dtypes"),
)
ASSIGNING = (Source(text=SLIDES, place="assigning to a slice; what is saved is left open"),)
SCALARS = (
    Source(text=SUMMARY, place="scalars out of tensors"),
    Source(text=SLIDES, place="from PyTorch to Python"),
)
