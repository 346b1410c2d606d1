"""From suites to planned cases: which cases, on which devices, in which order, for how long. Measures nothing."""
