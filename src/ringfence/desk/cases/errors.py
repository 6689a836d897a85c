"""Refusals of the cases room."""

from __future__ import annotations


class CaseError(ValueError):
    """What was asked for can't be; the text names the field and says what to do instead."""


class OverlapError(CaseError):
    """A tag on two people, or two tags on one person, at the same time."""
