"""A worker process, `python -m bench.worker`: one JSON line in, one line out, over streams nobody else writes to.

Garbage is collected between cases only, never within one. It is switched off before torch is imported: that
import makes so many objects that stay that looking through them again and again takes a sixth of its time.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import time
from typing import TYPE_CHECKING, TextIO

from bench.pool import protocol
from bench.pool.process import MEMORY_VARIABLE
from bench.records.memory_policy import SYSTEM
from bench.worker import c_allocator
from bench.worker.parent import requests_of_parent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.worker.worker import Worker


def serve(worker: Worker, requests: Iterable[str], replies: TextIO) -> None:
    """Say hello, then answer each request until there are no more, or no more can be answered."""
    _send(replies, worker.hello())
    for line in requests:
        reply = worker.answer(protocol.decode(line))
        _send(replies, reply)
        if isinstance(reply, protocol.Refused) and reply.ends_worker:
            return


def _send(replies: TextIO, reply: protocol.WorkerReply) -> None:
    replies.write(protocol.encode(reply) + "\n")
    replies.flush()


def main() -> None:
    """Talk over the standard streams; what a suite prints goes to standard error.

    Does not return: taking torch apart object by object would take longer than half its import. What
    suites have registered to be called at the end is called.
    """
    gc.disable()
    requests = requests_of_parent(sys.stdin)
    memory = c_allocator.apply(os.environ.get(MEMORY_VARIABLE, SYSTEM))
    from bench.worker.worker import Worker  # noqa: PLC0415 - torch, once no garbage is collected

    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    gc.freeze()  # what torch's import made stays; looking through it took 70 ms a case
    serve(Worker(time.perf_counter_ns, memory=memory), requests, replies)
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
