"""Samples of which only the sentinels matter."""

from __future__ import annotations

import pandas as pd


def samples(looks: int = 30) -> pd.DataFrame:
    """A look a second of both sentinels of the CPU, around 100 µs and 2 µs."""
    return pd.DataFrame(
        {
            "device": "cpu",
            "worker": [i % 3 for i in range(looks)],
            "round": [i // 3 for i in range(looks)],
            "at_s": [float(i) for i in range(looks)],
            "sentinel_compute_s": [1e-4 + i * 1e-7 for i in range(looks)],
            "sentinel_barrier_s": 2e-6,
            "sentinel_launch_s": None,
        }
    )
