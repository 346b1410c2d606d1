"""A package of its own, so that none of that name which something else installed is found in its place."""
