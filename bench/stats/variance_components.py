"""Variance components: how far visits, devices of a node, and nodes lie apart, as standard deviations.

The model is y = m + node + device in node + node × visit + rest: devices of a node are measured in the same visit
and share its hour, so that visits are crossed with devices and nested in nodes (Searle, Casella & McCulloch,
"Variance Components", 1992, chapters 4 and 5). Each component is found as there, from contrasts in which the
others cancel or are subtracted, but the size of a contrast is told by its median, not its mean square: one slow
device in a hundred would else be most of the spread of devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.outlying_unit import scatter
from bench.stats.trimmed_mean import trimmed_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Places = NDArray[np.intp]

_MOST_UNTRIMMED = 2
_TRIMMED_VARIANCE = 1.17
"""The variance of a trimmed mean over that of the mean, for normal values: 1.35 for three of them, which leaves the
median, 1.13 to 1.28 for four to sixteen (simulated)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Standard deviations; None where the values can't tell, 0 where the others explain all there is."""

    visits: float | None
    """Of one device, from visit to visit."""
    devices: float | None
    """Of one node."""
    nodes: float | None
    """With a single device each, which can't be told from its node, of both."""


def components(levels: Reals, nodes: Places) -> Components:
    """The components of a table.

    Args:
        levels: devices × visits, NaN where nothing was measured.
        nodes: the node of each device, as a number.
    """
    visits = scatter(steps(levels))
    counts = (~np.isnan(levels)).sum(axis=1)
    known = counts > 0
    if visits is None or not known.any():
        return Components(visits=visits, devices=None, nodes=None)
    each = float(np.mean(1 / counts[known]))
    rest = _rest(levels, nodes)
    own = (visits**2 if rest is None else min(rest, visits) ** 2) * each
    shared = visits**2 * each - own
    means = np.nansum(levels[known], axis=1) / counts[known]
    by_node, per_node = _by_node(means, nodes[known])
    found = _rooted(scatter(_apart(means, nodes[known])), own)
    beneath = own + (found or 0.0) ** 2
    return Components(
        visits=visits,
        devices=found,
        nodes=_rooted(_around(by_node), beneath * per_node + shared),
    )


def steps(levels: Reals) -> Reals:
    """From each visit to the next, as wide as one visit varies by itself.

    Differences of neighbours, so that what changes slowly over the visits counts little (von Neumann 1941).
    """
    return np.asarray(np.diff(levels, axis=1) / math.sqrt(2))


def _rest(levels: Reals, nodes: Places) -> float | None:
    """What a visit does to one device and not to its neighbour of the same node."""
    order = np.argsort(nodes, kind="stable")
    same = np.diff(nodes[order]) == 0
    return scatter((np.diff(steps(levels[order]), axis=0)[same] / math.sqrt(2)).ravel())


def _apart(means: Reals, nodes: Places) -> Reals:
    """From each device to each other one of its node, as wide as one of them varies."""
    order = np.argsort(nodes, kind="stable")
    ordered, of = means[order], nodes[order]
    most = int(np.unique(nodes, return_counts=True)[1].max())
    found = [
        (ordered[lag:] - ordered[:-lag])[of[lag:] == of[:-lag]] / math.sqrt(2)
        for lag in range(1, most)
    ]
    return np.concatenate([np.empty(0), *found])


def _by_node(means: Reals, nodes: Places) -> tuple[Reals, float]:
    """The centre of each node's devices, and the variance of such a centre over that of one device."""
    _, places, counts = np.unique(nodes, return_inverse=True, return_counts=True)
    order = np.argsort(places, kind="stable")
    table = np.full((len(counts), counts.max()), np.nan)
    within = np.arange(len(means)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[places[order], within] = means[order]
    waste = np.where(counts > _MOST_UNTRIMMED, _TRIMMED_VARIANCE, 1.0)
    return trimmed_means(table), float(np.mean(waste / counts))


def _around(values: Reals) -> float | None:
    """The scatter of values around their median, which was found from them."""
    found = scatter(values - np.median(values))
    return None if found is None else found * math.sqrt(len(values) / (len(values) - 1))


def _rooted(total: float | None, less: float) -> float | None:
    """What is left of a standard deviation without this variance."""
    return None if total is None else math.sqrt(max(total**2 - less, 0.0))
