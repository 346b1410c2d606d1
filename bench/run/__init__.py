"""A run, from a request to stored rows: schedule, machine state, stopping rule, outcome, summary."""
