"""A zone out of a file, and trails out of a file: what `ringfence backtest` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ringfence.trail.conditions_file import ConditionsFileError, read_conditions
from ringfence.trail.judging import InputError
from ringfence.trail.readers import read_fixes
from ringfence.trail.table import FixesFileError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ringfence.engine import Batch, Condition

DAY_MS = 86_400_000


def read_zone(path: Path, zone: str | None = None) -> Condition:
    """The one condition of a GeoJSON file, or the one with an id.

    Raises:
        InputError: the file can't be used, or doesn't say which.
    """
    try:
        found = read_conditions(path)
    except ConditionsFileError as error:
        raise InputError([f"{path}: {fault}" for fault in error.faults]) from None
    except OSError as error:
        raise InputError([f"{path}: {error.strerror}"]) from None
    named = [c for c in found if zone in (None, c.id)]
    if len(named) == 1:
        return named[0]
    ids = ", ".join(c.id for c in found)
    raise InputError([f"{path}: {len(named)} conditions fit: name one by --zone out of {ids}"])


def read_trails(
    path: Path, *, days: float, wearer: str | None = None, until_ms: int | None = None
) -> dict[str, Batch]:
    """The last days of each wearer's trail in a file, by name.

    Args:
        path: fixes of any format.
        days: how many, back from `until_ms`.
        wearer: of this one only.
        until_ms: None = the last fix that is taken.

    Raises:
        InputError: the file can't be used.
    """
    try:
        fixes = read_fixes(path)
    except (FixesFileError, ValueError) as error:
        raise InputError([f"{path}: {error}"]) from None
    except OSError as error:
        raise InputError([f"{path}: {error.strerror}"]) from None
    trails = {}
    for number, name in enumerate(fixes.wearers):
        own = fixes.batch.take(np.flatnonzero(fixes.batch.wearer == number))
        if name not in fixes.victims and wearer in (None, name) and len(own):
            last_ms = int(own.time_ms.max()) if until_ms is None else until_ms
            span = (own.time_ms <= last_ms) & (own.time_ms > last_ms - round(days * DAY_MS))
            trails[name] = own.take(np.flatnonzero(span))
    if not trails:
        raise InputError([f"{path}: no fixes of {wearer or 'any wearer'}: check the CRN"])
    return trails


def at_ms(at: datetime | None) -> int | None:
    """UTC epoch ms of an instant, if there is one."""
    return None if at is None else round(at.timestamp() * 1000)
