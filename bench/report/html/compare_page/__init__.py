"""The page of two or more runs side by side: a file per view."""
