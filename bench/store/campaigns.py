"""Campaigns of a store: each one's frozen plan, read and written once, and the names that its parts may have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError, hint
from bench.records import codec, kinds
from bench.records.campaign import VERSION, Campaign, is_name

if TYPE_CHECKING:
    from bench.store.objects import Objects

FOLDER = "campaigns"
PLAN = "campaign.json"


def key(name: str, *parts: str) -> str:
    """The key of something that belongs to a campaign."""
    return "/".join((FOLDER, name, *parts))


def create(objects: Objects, campaign: Campaign) -> None:
    """Write a plan, which then never changes.

    Raises:
        StoreError: there is a campaign of that name, or the store can't be written.
    """
    text = codec.encode(codec.facts_of(campaign))
    pretty = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    if not objects.create(key(campaign.name, PLAN), (pretty + "\n").encode()):
        message = (
            f"there is a campaign {campaign.name!r} in {objects}, and its plan never changes; "
            f"go on with it: bench fleet run {campaign.name}, or choose another --name"
        )
        raise StoreError(message)


def load(objects: Objects, name: str) -> Campaign:
    """The plan of a campaign.

    Raises:
        StoreError: there is none of that name, or it can't be read.
    """
    data = objects.read(key(name, PLAN)) if is_name(name) else None
    if data is None:
        known = names(objects)
        say = hint(name, known) if known else "it holds none; make one with: bench fleet plan"
        message = f"there is no campaign {name!r} in {objects}; {say}"
        raise StoreError(message)
    try:
        campaign = _read(json.loads(data))
    except (ValueError, TypeError, RecursionError, AttributeError) as error:
        said = f": {error}" if isinstance(error, TypeError) else ""
        message = f"{objects}/{key(name, PLAN)} can't be read as the plan of a campaign{said[:150]}"
        raise StoreError(message) from error
    if campaign.version > VERSION or campaign.name != name:
        message = f"{objects}/{key(name, PLAN)} is of a newer version, or of another campaign"
        raise StoreError(message)
    if fault := campaign.fault():
        message = f"{objects}/{key(name, PLAN)} is no plan that can be followed: {fault}"
        raise StoreError(message)
    return campaign


def _read(facts: Any) -> Campaign:
    """The plan in a JSON value.

    Raises:
        TypeError: something in it is not of its kind.
    """
    campaign = codec.decode(Campaign, facts)
    for name in ("nodes", "devices"):
        told = facts[name]
        if not isinstance(told, dict) or not all(isinstance(of, list) for of in told.values()):
            message = f"{name} can't be {told!r:.60}"
            raise TypeError(message)
    kinds.check(campaign)
    return campaign


def names(objects: Objects) -> list[str]:
    """The campaigns of a store."""
    keys = (one.key.split("/") for one in objects.found(FOLDER))
    return sorted({parts[1] for parts in keys if parts[2:] == [PLAN]})
