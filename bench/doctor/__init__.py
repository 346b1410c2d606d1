"""Hazards: what on a machine makes its numbers noisy, looked for before a run by rules over recorded facts."""
