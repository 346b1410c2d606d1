"""What torch says of itself in a worker: version, build, BLAS, threads, precision. Facts, no choices."""

from __future__ import annotations

import re
from typing import Any

import torch


def torch_facts() -> dict[str, Any]:
    """Everything about torch that can change a number and that torch will tell."""
    cudnn: Any = torch.backends.cudnn  # these two carry no types
    mkldnn: Any = torch.backends.mkldnn
    config = torch.__config__.show()
    built = dict(re.findall(r"(BLAS_INFO|LAPACK_INFO|CXX_COMPILER|BUILD_TYPE)=([^,\n]+)", config))
    capability = re.search(r"CPU capability usage: (\S+)", config)
    return {
        "version": torch.__version__,
        "git": torch.version.git_version,
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "cudnn": cudnn.version() if cudnn.is_available() else None,
        "blas": built.get("BLAS_INFO"),
        "lapack": built.get("LAPACK_INFO"),
        "build_type": built.get("BUILD_TYPE"),
        "compiler": built.get("CXX_COMPILER"),
        "cpu_capability": capability[1] if capability else None,
        "mkldnn": mkldnn.is_available(),
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "grad_mode": torch.is_grad_enabled(),
    }
