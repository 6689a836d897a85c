"""`python -m bench.doors.fleet FOLDER COUNT`: tags on wearers who each must keep out of one zone.

Prints their tokens as JSON. Tag n is `Tn`, its device `35…n`, its wearer `Wn`.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringfence.desk.config.opening import open_desk

TOGETHER = 100
"""In one transaction."""
BY = "system:bench"
SINCE = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def main(folder: Path, count: int) -> list[str]:
    open_desk(folder)

    from ringfence.desk.kit.acting import action  # noqa: PLC0415 -- needs Django set up

    tokens: list[str] = []
    for first in range(0, count, TOGETHER):
        some = range(first, min(first + TOGETHER, count))
        tokens += action(lambda some=some: [_one(n) for n in some])()
    return tokens


def _one(n: int) -> str:
    from ringfence.desk.cases.actions import (  # noqa: PLC0415
        add_condition,
        add_order,
        add_wearer,
    )
    from ringfence.desk.cases.device_actions import add_device  # noqa: PLC0415
    from ringfence.desk.cases.tag_actions import add_tag, fit_tag  # noqa: PLC0415
    from ringfence.engine.conditions import Condition, Kind  # noqa: PLC0415

    tag, token = add_tag(by=BY, name=f"T{n}")
    add_device(by=BY, tag=tag, device_id=device(n), protocol="queclink")
    wearer = add_wearer(by=BY, crn=f"W{n}")
    fit_tag(by=BY, tag=tag, wearer=wearer, from_at=SINCE)
    order = add_order(by=BY, wearer=wearer, reference=f"O{n}", type="licence", from_at=SINCE)
    lat, lon = zone(n)
    place = {"type": "Point", "coordinates": [lon, lat]}
    rule = Condition(
        f"c{n}", f"W{n}", Kind.EXCLUSION, SINCE, geometry=place, radius_m=200, buffer_m=100
    )
    add_condition(by=BY, order=order, rule=rule)
    return token


def zone(n: int) -> tuple[float, float]:
    """Latitude and longitude of the middle of wearer n's zone."""
    return 51.5 + n // 100 * 1e-3, -0.1 + n % 100 * 1e-3


def device(n: int) -> str:
    return f"3500000000{n:05}"


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), int(sys.argv[2])), sys.stdout)
