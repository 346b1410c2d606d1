"""What rows mean: read from the store, never measured here. No torch, and no words about layout."""

from __future__ import annotations
