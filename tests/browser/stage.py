"""Sets a data folder up for the browser tests: staff, wearers, zones and tags, before it starts.

Run as `python -m tests.browser.stage DATA`; prints the tags' tokens as JSON. A process of its own,
since Django's settings hold one data folder a process.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringfence.desk.config.opening import set_up_django

START_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
PASSWORD = "correct horse battery"
UNWORN = "T9"
"""A tag that is on nobody."""
CAST = {
    "X000001": ("Wes Weller", "high", (-0.0400, 51.5362)),
    "X000002": ("Wade Winter", "medium", (-0.1420, 51.4560)),
    "X000003": ("Will Ward", "very_high", (-0.1570, 51.5270)),
    "X000004": ("Walt Wynn", "low", (0.0000, 51.4770)),
    "X000006": ("Wolf Wray", "high", (-0.0880, 51.4440)),
    "X000005": ("Wilf Wood", "medium", (-0.2060, 51.5130)),
}
"""Made-up people, each with the centre of the zone that they must keep out of."""


def main(data: Path) -> dict[str, str]:
    """Fill the folder."""
    set_up_django(data)

    from ringfence.desk.accounts.actions import add_user  # noqa: PLC0415 -- Django must be set up
    from ringfence.desk.config.schema import migrate  # noqa: PLC0415

    migrate(data)
    for name, role in (("otto", "operator"), ("ola", "officer"), ("eve", "equipment")):
        add_user(by="system:test", username=name, role=role, password=PASSWORD)
    from ringfence.desk.cases.tag_actions import add_tag  # noqa: PLC0415

    tokens = {crn: _wearer(crn, number) for number, crn in enumerate(CAST, 1)}
    tokens[UNWORN] = add_tag(by="system:test", name=UNWORN)[1]
    return tokens


def _wearer(crn: str, number: int) -> str:
    from ringfence.desk.cases.actions import (  # noqa: PLC0415
        add_condition,
        add_order,
        add_victim,
        add_wearer,
    )
    from ringfence.desk.cases.tag_actions import add_tag, fit_tag  # noqa: PLC0415
    from ringfence.engine.conditions import Condition, Kind  # noqa: PLC0415

    by = "system:test"
    name, risk, centre = CAST[crn]
    wearer = add_wearer(by=by, crn=crn, name=name, risk=risk, relationship="ex_partner")
    victim = add_victim(by=by, label=f"V{number}", name="")
    order = add_order(
        by=by, wearer=wearer, reference=f"LIC-{number}", type="licence", from_at=START_AT
    )
    zone = {"type": "Point", "coordinates": list(centre)}
    rule = Condition(
        f"zone-{number}", crn, Kind.EXCLUSION, START_AT, geometry=zone, radius_m=300, buffer_m=150
    )
    add_condition(by=by, order=order, rule=rule, victim=victim)
    tag, token = add_tag(by=by, name=f"T{number}")
    fit_tag(by=by, tag=tag, wearer=wearer, from_at=START_AT)
    return token


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201 -- the answer
