"""Measuring: fresh worker processes that time calls. The only room that may import torch.

`pool`, `process` and `protocol` are what the outside talks to, torch-free; the rest runs in a worker.
"""
