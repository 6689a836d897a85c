"""What keeps the platform from starting."""

from __future__ import annotations


class CantStartError(Exception):
    """One line for the person at the keyboard: what is wrong, and what to do."""
