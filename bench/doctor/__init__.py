"""What on a machine makes its numbers noisy, looked for before a run: rules over recorded facts."""
