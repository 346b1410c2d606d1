"""Planning: from suites to cases, on which devices, in which order, for how long. Measures nothing."""
