"""Measurements of two sides: `bench ab` and the search of `bench crossover`, interleaved so that drift cancels."""
