"""Fleets: one plan measured by many machines, through a scheduler, over ssh, or here."""
