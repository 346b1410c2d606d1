"""The worker: fresh processes that build calls and time them. The only package that may import torch.

`bench.pool` starts them and talks to them; `python -m bench.worker` is one.
"""
