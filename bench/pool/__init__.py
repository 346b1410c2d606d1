"""The pool of worker processes and the protocol they speak, seen from the session. No torch."""
