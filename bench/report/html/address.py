"""The address of a case on a page: the same in every report, so that a link still means it in the next one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Addressed(Protocol):
        """What has an address: a row, or a verdict on one."""

        @property
        def case(self) -> str:
            """The case's id."""

        @property
        def device(self) -> str:
            """Where it was measured."""


def anchor(one: Addressed) -> str:
    """`c-0123456789`, of a case on a device."""
    identity = f"{one.case}@{one.device}".encode()
    return "c-" + hashlib.blake2s(identity, digest_size=5).hexdigest()
