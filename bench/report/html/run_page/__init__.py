"""The page of one run: a file per view, its figures beside it."""
