"""Rows for people: pages, figures, tables and files. What is said comes from rows; nothing is measured."""

from __future__ import annotations
