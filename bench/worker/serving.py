"""A worker's end of the conversation: a line in, a line out, over streams that nobody else writes to."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import time
from typing import TextIO

from bench.pool import protocol
from bench.worker.worker import Worker


def serve(worker: Worker, requests: TextIO, replies: TextIO) -> None:
    """Say hello, then answer each request until there are no more, or no more can be answered."""
    _send(replies, worker.hello())
    for line in requests:
        reply = worker.answer(protocol.decode(line))
        _send(replies, reply)
        if isinstance(reply, protocol.Refused) and reply.ends_worker:
            return


def _send(replies: TextIO, reply: protocol.Reply) -> None:
    replies.write(protocol.encode(reply) + "\n")
    replies.flush()


def main() -> None:
    """Talk over the standard streams; garbage is collected between cases only, never within one.

    Does not return: taking torch apart object by object would take longer than half its import. What
    guests have registered to be called at the end is called.
    """
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    gc.disable()
    gc.freeze()  # what torch's import made stays; looking through it took 70 ms a case
    serve(Worker(time.perf_counter_ns), sys.stdin, replies)
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
