"""Reports put where others can read them: a folder, a bucket, a branch of git. Nothing is ever removed.

A site is built first and compared with what is there; only what differs is written.
"""
