"""Cache states: whether calls find their data in the CPU's and GPU's caches.

Workers need these two names and not the schema of rows, whose module takes pyarrow.
"""

from __future__ import annotations

HOT = "hot"
"""Calls back to back: the caches hold what the last call left there."""
COLD = "cold"
"""The caches are emptied before each call: they hold none of its data."""
