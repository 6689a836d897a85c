"""Refusals of the alerts room: what can't be done to an alert, and what to do instead."""

from __future__ import annotations


class AlertRefusedError(ValueError):
    """An alert can't take this step now; the text says why, and what can be done."""


class NoSuchAlertError(AlertRefusedError):
    """No alert has this id."""
