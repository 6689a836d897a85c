"""`python -m bench.objects`: the law over plain Python objects, as JSON: its rate and its words.

The engine's functions run as they are (`NUMBA_DISABLE_JIT=1`); only what they work on is made of
Python's own floats, lists, and objects with attributes, since numpy's records would be several
times slower when asked one by one.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.law import DAY, OBJECTS_WEARERS, made_up, told
from ringfence.engine import (
    Batch,
    Plan,
    deadlines,
    initial_state,
    kernel,
    measuring,
    pairs,
    states,
)
from ringfence.engine.evaluate import _items, _law, _until
from ringfence.geo import distance
from ringfence.geo.edges import BLOCK
from ringfence.geo.nearest import Nearest, Spot


def main() -> None:
    """Judge the day of a few wearers, twice; print what was said and the better rate."""
    for module in (kernel, deadlines, pairs):
        module.np = SimpleNamespace(**vars(np) | {"float64": float, "int64": int})  # type: ignore[attr-defined]
    states.ACTS, states.FOLLOWING = by_two(states.ACTS), by_two(states.FOLLOWING)  # type: ignore[assignment]
    distance.search = measuring.search = search  # type: ignore[assignment]
    measuring.with_block = with_block  # type: ignore[assignment]
    day, batch = made_up(OBJECTS_WEARERS, DAY)
    best_s, events = min((judged(day, batch) for _ in range(2)), key=lambda told: told[0])
    json.dump({"rate": len(batch) / best_s, "events": told(events)}, sys.stdout)


def judged(day: Plan, batch: Batch) -> tuple[float, Any]:
    outside = np.zeros(len(batch), np.bool_)
    _, items = _items(day, batch, outside, _until(day, None))
    law = _law(day, initial_state(day), 10_000)
    law, items = (
        of_objects(law),
        items._replace(**{n: getattr(items, n).tolist() for n in items._fields}),
    )
    begun = time.process_time()
    if not kernel.run(law, items, [0, 0]):
        raise RuntimeError("more events than there is room for")
    return time.process_time() - begun, law.events[: law.said[0]]


def of_objects(law: Any) -> Any:
    """The plan and the state as lists of objects."""
    shapes, edges, banded, starts, boxes = law.edges
    rows = [dict(zip(shapes.dtype.names, row.tolist(), strict=True)) for row in shapes]
    return law._replace(
        first_slot=law.first_slot.tolist(),
        first_pair=law.first_pair.tolist(),
        pair_victim=law.pair_victim.tolist(),
        boxes=by_two(law.boxes),
        spans=by_two(law.spans),
        edges=(rows, by_index(edges), by_two(banded), starts.tolist(), by_index(boxes)),
        cursors=law.cursors.tolist(),
        wake_ms=law.wake_ms.tolist(),
        said=[0],
        sure=by_two(law.sure),
        **{
            name: objects(getattr(law, name))
            for name in ("rows", "wearers", "slots", "pairs", "events")
        },
    )


def objects(rows: np.ndarray) -> list[SimpleNamespace]:
    names = rows.dtype.names or ()
    return [
        SimpleNamespace(
            **{
                n: list(v) if isinstance(v, (tuple, np.ndarray)) else v
                for n, v in zip(names, row, strict=True)
            }
        )
        for row in rows.tolist()
    ]


def by_two(table: np.ndarray) -> dict[tuple[int, int], float]:
    """A table by row and column, as the law asks for it."""
    return {(i, j): v for i, row in enumerate(table.tolist()) for j, v in enumerate(row)}


def by_index(table: np.ndarray) -> dict[tuple[int, ...], float]:
    """The same, with three numbers."""
    return dict(zip(np.ndindex(table.shape), table.ravel().tolist(), strict=True))


def search(arrays: Any, shape: int, spot: Spot, found: Nearest) -> Nearest:
    """`nearest.search` as Python does it best: one by one, and nothing of what lies too far."""
    shapes, edges, _, _, boxes = arrays
    row = shapes[shape]
    for block in range(row["blocks"]):
        group, lane = divmod(block, BLOCK)
        if gap2(boxes, row["first_group"] + group, lane, spot) <= found.first2:
            found = with_block(edges, spot, found, row["first_block"] + block)
    return found


def with_block(edges: Any, spot: Spot, found: Nearest, block: int) -> Nearest:
    """As `nearest.with_block`, of the nearest block only."""
    best2 = least2(edges, block, spot)
    return found._replace(first2=best2, first=block) if best2 < found.first2 else found


def gap2(boxes: Any, group: int, lane: int, spot: Spot) -> float:
    """As in `nearest._nearest_lane`."""
    south_by, north_by = boxes[group, 1, lane] - spot.lat, boxes[group, 3, lane] - spot.lat
    least = spot.east + min(spot.east_slope * south_by, spot.east_slope * north_by)
    x = max(boxes[group, 0, lane] - spot.lon, spot.lon - boxes[group, 2, lane], 0.0) * least
    y = max(south_by, -north_by, 0.0) * spot.north * 0.98
    return float((x * x + y * y) * (1.0 - 1e-9))


def least2(edges: Any, block: int, spot: Spot) -> float:
    """As `nearest._least2`."""
    east, north = spot.east, spot.north
    best2 = float("inf")
    for k in range(BLOCK):
        lon, lat = edges[block, 0, k], edges[block, 1, k]
        dlon, dlat = lon - spot.lon, lat - spot.lat
        along_lon, along_lat = edges[block, 2, k] - lon, edges[block, 3, k] - lat
        ex, ey = along_lon * east, along_lat * north
        t = -(dlon * east * ex + dlat * north * ey) / (ex * ex + ey * ey)
        t = min(1.0, max(0.0, t))
        dlon += t * along_lon
        dlat += t * along_lat
        x = dlon * (east + spot.east_slope * dlat)
        y = dlat * (north + spot.north_slope * dlat)
        best2 = min(best2, x * x + y * y)
    return best2


if __name__ == "__main__":
    main()
