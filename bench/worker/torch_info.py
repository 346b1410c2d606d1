"""Torch's own facts in a worker: version, build, BLAS, threads, precision, devices. Facts, no choices.

What a torch does not know, or refuses to tell, is None. Where it sees no GPU, CUDA is not initialised.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


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
        "deterministic_warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "grad_mode": torch.is_grad_enabled(),
        "cuda_settings": _cuda_settings(),
        "cuda_devices": _cuda_devices(),
    }


def _cuda_settings() -> dict[str, Any]:
    """Settings that choose between kernels on CUDA; variables that do so are in the run's environment."""
    cuda: Any = torch.backends.cuda
    matmul, cudnn = cuda.matmul, torch.backends.cudnn
    asked: dict[str, Callable[[], Any]] = {
        "matmul_allow_tf32": lambda: matmul.allow_tf32,
        "matmul_fp32_precision": lambda: matmul.fp32_precision,
        "fp16_reduced_precision_reduction": lambda: matmul.allow_fp16_reduced_precision_reduction,
        "bf16_reduced_precision_reduction": lambda: matmul.allow_bf16_reduced_precision_reduction,
        "fp16_accumulation": lambda: matmul.allow_fp16_accumulation,
        "preferred_blas_library": lambda: cuda.preferred_blas_library().name,
        "cudnn_enabled": lambda: cudnn.enabled,
        "cudnn_allow_tf32": lambda: cudnn.allow_tf32,
        "cudnn_benchmark": lambda: cudnn.benchmark,
        "cudnn_deterministic": lambda: cudnn.deterministic,
    }
    return {name: _told(ask) for name, ask in asked.items()}


def _told(ask: Callable[[], Any]) -> Any:
    """The answer, or None: a setting that this torch lacks, or that it won't tell by the older of its names."""
    try:
        return ask()
    except (AttributeError, RuntimeError):
        return None


def _cuda_devices() -> list[dict[str, Any]]:
    """The GPUs that torch sees, in its own order."""
    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [
        {
            "name": one.name,
            "memory_bytes": one.total_memory,
            "multiprocessors": one.multi_processor_count,
            "l2_bytes": getattr(one, "L2_cache_size", None),
            "capability": f"{one.major}.{one.minor}",
        }
        for one in found
    ]
