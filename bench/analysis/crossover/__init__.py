"""Crossovers between devices, thread counts or machines, found in measured rows."""
