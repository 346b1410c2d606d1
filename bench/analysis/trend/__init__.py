"""One case over the runs of a machine: its series, and the steps in it."""
