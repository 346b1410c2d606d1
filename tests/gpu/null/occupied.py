"""Takes the one context of a null GPU in exclusive mode, then runs `python` with the words that follow."""

from __future__ import annotations

import subprocess
import sys

import torch

if __name__ == "__main__":
    torch.zeros(1, device="cuda")
    sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], check=False).returncode)
