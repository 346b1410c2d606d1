"""Publishing: reports in a folder, a bucket or a git branch, for others to read. Nothing is ever removed.

A site is built first and compared with what is there; only what differs is written.
"""
