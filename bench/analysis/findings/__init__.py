"""Findings about one run: speed-ups, rooflines, kernels, footnotes, and the course of its sentinels."""
