"""Comparison of runs: what may be compared, the ratio of each case, verdicts, and the gate."""
