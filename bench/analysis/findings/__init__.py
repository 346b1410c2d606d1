"""Findings about one run: speed-ups, rooflines, kernels, footnotes, and its sentinels over time."""
