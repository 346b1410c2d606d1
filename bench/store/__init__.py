"""Result store: a journal while a run goes on, an immutable folder when it is done.

One run, one writer, one folder, its manifest written last; copying folders merges machines.
"""
