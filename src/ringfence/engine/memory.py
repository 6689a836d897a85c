"""What the engine remembers: one row a wearer, one row a wearer and rule, all of fixed size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER: Final = -(2**62)
"""An instant before everything."""
FROZEN_AFTER: Final = 30
"""So many equal satellite fixes: a receiver at rest still changes the last digits [M: 99 %]."""

OPEN_FIELDS = [
    ("begin_ms", np.int64),
    ("confirmed_ms", np.int64),
    ("first_ms", np.int64),
    ("confirming_ms", np.int64),
    ("deepest_ms", np.int64),
    ("last_ms", np.int64),
    ("probability", np.float64),
    ("depth_m", np.float64),
    ("radius_m", np.float64),
    ("fixes", np.int32),
    ("cell_fixes", np.int32),
    ("doubts", np.int32),
    ("how", np.int8),
    ("ended_by", np.int8),
    ("in_row", np.int8),
    ("on_way", np.int8),
    ("own_m", np.float32),
    ("other_m", np.float32),
    ("age_s", np.float32),
    ("closing_mps", np.float32),
]
"""A violation as a row; `first_ms` … are instants of the fixes that carry it, `radius_m` is the
circle of the deepest. Of a proximity: the two circles and the age of the older place at the
nearest, and how fast the two closed in when it began or was confirmed; NaN = not known. `in_row`:
how many fixes in a row lay past the edge when it was confirmed (at most `MOST_IN_ROW`; 0 = the rule
came into force then); `on_way`: the last of them carried on the way that the fixes before it
show (1), or lay within reach at their pace (2). Of a zone confirmed so: how far past the edge the
track put the tag (`own_m`), and its 95 % circle (`other_m`)."""

MOST_IN_ROW: Final = 100

WEARER_ROW: Final = np.dtype(
    [
        ("clock_ms", np.int64),
        ("heard_ms", np.int64),
        ("located_ms", np.int64),
        ("fix_ms", np.int64),
        ("raw_ms", np.int64),
        ("item_ms", np.int64),
        ("lat", np.float64),
        ("lon", np.float64),
        ("raw_lat", np.float64),
        ("raw_lon", np.float64),
        ("track_ms", np.int64),
        ("track_lat", np.float64),
        ("track_lon", np.float64),
        ("east_mps", np.float64),
        ("north_mps", np.float64),
        ("var_pp", np.float64),
        ("var_pv", np.float64),
        ("var_vv", np.float64),
        ("rest_lat", np.float64),
        ("rest_lon", np.float64),
        ("rest_ms", np.int64),
        ("radius_m", np.float64),
        ("raw_radius_m", np.float64),
        ("raw_speed_mps", np.float64),
        ("speed_mps", np.float64),
        ("lone_ms", np.int64),
        ("lone_lat", np.float64),
        ("lone_lon", np.float64),
        ("lone_radius_m", np.float64),
        ("item_key", np.int32, (8,)),
        ("rest_fixes", np.int32),
        ("repeats", np.int32),
        ("raw_doubts", np.int32),
        ("raw_source", np.int32),
        ("source", np.int32),
        ("quiet", np.int32),
        ("lone_source", np.int32),
        ("contradicted", np.int32),
        ("agreed", np.int32),
        ("steady", np.int16),
        ("paced", np.int16),
    ],
    align=True,
)
"""One wearer; or a victim's device, as one wearer's stream shows it. `clock_ms`: advanced to here.
`heard_ms`: last report. `located_ms`: last report with a position. `fix_ms` … `source`: the last
believed fix. `raw_…`: the last fix, believed or not. `track_…` … `var_vv`: where
the filter over the fixes puts the tag, its speed, and the variances of both. `rest_…`: the place
where the tag rests. `item_…`: the last item read, so that
its duplicate is known. `steady`: another fix bears out the last. `paced`: the last said its speed.
`lone_…`: the last fix that none of another sort (satellite or not) was compared with, and how many
in a row `contradicted` or `agreed`."""

SLOT_ROW: Final = np.dtype(
    [
        # What each fix reads or writes lies together.
        ("log_odds", np.float64),
        ("run_ms", np.int64),
        ("far_lon", np.float64),
        ("far_lat", np.float64),
        ("away_m", np.float32),
        ("most_m", np.float32),
        ("ahead_m", np.float32),
        ("run_fixes", np.int32),
        ("with_it", np.int16),
        ("against", np.int16),
        ("run_cells", np.int16),
        ("state", np.int8),
        ("settled", np.int8),
        ("seen", np.int8),
        ("open", np.int8),
        ("arrived", np.int8),
        ("strayed", np.int8),
        ("past", np.int8),
        ("inside", np.int8),
        ("due", np.int16),
        ("block", np.int64),
        ("last_depth_m", np.float64),
        *OPEN_FIELDS,
        ("apart_ms", np.int64),
        ("apart_m", np.float64),
        ("closing_now_mps", np.float64),
    ],
    align=True,
)
"""One wearer and rule. `run_ms`, `run_fixes`: first of the fixes in a row past the
edge, and how many; `run_cells` of them by cell. `settled`: far away and
sure of it. `seen`: 0 = the rule is new to this wearer. `open`: the row holds a violation.
`arrived`: was on the right side since the rule's time began. `apart_…`: how far apart a pair was
the last time that its closing speed was measured. `ahead_m`: how far past the edge the track puts
the tag, if the last fix carried on its way; else NaN. `strayed`: it lay within reach, not ahead.
Of a zone also what `far` knows: at `far_lon`, `far_lat` its edge was `away_m` away at least (0 =
not known), `most_m` deep past at most; on which side of it (`past`), and of the shape (`inside`);
which of the shape's blocks of edges was the nearest (−1 = not known). `due`: the last fix is judged
without measuring, and `last_depth_m`, `ahead_m` are still to be measured if they are asked for. No
byte lies between the fields: those are not copied."""

EVENT_ROW: Final = np.dtype(
    [
        *OPEN_FIELDS,
        ("at_ms", np.int64),
        ("slot", np.int32),
        ("wearer", np.int32),
        ("act", np.int32),
        ("spare", np.int32),
    ],
    align=True,
)
"""One thing said, with the whole violation as it stood at `at_ms`."""


def plain(rows: np.recarray) -> NDArray[np.void]:
    """The same rows, not copied, without attributes: those cost ten times what a field does."""
    return rows.view(np.dtype((np.void, rows.dtype)), np.ndarray)


def new_wearers(count: int) -> np.recarray:
    """Rows of wearers of whom nothing was heard."""
    rows = np.zeros(count, WEARER_ROW)
    for name in (
        "clock_ms",
        "heard_ms",
        "located_ms",
        "fix_ms",
        "raw_ms",
        "item_ms",
        "rest_ms",
        "track_ms",
        "lone_ms",
    ):
        rows[name] = NEVER
    return rows.view(np.recarray)


def new_slots(count: int) -> np.recarray:
    """Rows of rules that saw nothing yet."""
    rows = np.zeros(count, SLOT_ROW)
    rows["apart_ms"], rows["closing_now_mps"], rows["block"] = NEVER, np.nan, -1
    return rows.view(np.recarray)


def forget_far(row: np.record) -> None:
    """Forget how far a rule's edge was: the next fix is measured."""
    row["away_m"], row["block"] = 0.0, -1


def new_events(count: int) -> np.recarray:
    """Room for events."""
    return np.zeros(count, EVENT_ROW).view(np.recarray)
