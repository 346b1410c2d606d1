"""A device on which no kernel runs: each call is accepted, and all memory stays zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils._python_dispatch import TorchDispatchMode

from bench.worker.tensor_tree import tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class IdleDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it whatever torch computes is zero, in the shape that it should have had."""

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Shapes and views as they should be, and no values."""
        del types
        result = func(*args, **(kwargs or {}))
        for tensor in tensors_in(result):
            tensor.data.zero_()  # behind autograd's back, as memory does that nothing was written to
        return result
