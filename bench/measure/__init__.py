"""Measuring: fresh worker processes that time calls. The only room that may import torch.

`protocol` and `pool` are what the outside talks to, and are torch-free; the rest runs in a worker.
"""
