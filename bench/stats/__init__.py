"""Statistics: confidence intervals, ratios, sequential tests, change points, crossings. Numbers in, numbers out."""
