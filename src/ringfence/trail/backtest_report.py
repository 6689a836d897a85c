"""What a zone would have done, for people and for machines. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ringfence.trail.instants import write_instant
from ringfence.trail.violations_file import violation_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.engine import Backtest, Violation


def as_json(done: Backtest) -> str:
    """All of it."""
    said = {
        "zone": done.zone.id,
        "kind": str(done.zone.kind),
        "from": write_instant(done.from_at) if done.from_at else None,
        "to": write_instant(done.to_at) if done.to_at else None,
        "wearers": list(done.wearers),
        "alerts": len(done.alerts),
        "possible": len(done.violations) - len(done.alerts),
        "by_day": {day.isoformat(): count for day, count in done.by_day.items()},
        "by_hour": list(done.by_hour),
        "burden": {
            name: {
                "fixes": burden.fixes,
                "inside_fixes": burden.inside_fixes,
                "buffer_fixes": burden.buffer_fixes,
                "inside_share": round(burden.inside_share, 4),
                "buffer_share": round(burden.buffer_share, 4),
            }
            for name, burden in done.burden.items()
        },
        "violations": [json.loads(violation_line(v)) for v in done.violations],
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def as_text(done: Backtest) -> str:
    """How often, when and for what."""
    return "\n".join(_lines(done))


def _lines(done: Backtest) -> Iterator[str]:
    span = "no reports"
    if done.from_at and done.to_at:
        span = f"{write_instant(done.from_at)} to {write_instant(done.to_at)}"
    yield f"zone {done.zone.id} ({done.zone.kind}), {span}"
    yield f"would have alerted: {len(done.alerts)}; only possible: {_possible(done)}"
    for name, burden in done.burden.items():
        yield (
            f"{name}: {burden.fixes:,} fixes, {burden.inside_fixes:,} inside "
            f"({100 * burden.inside_share:.1f} % of the known time), {burden.buffer_fixes:,} in "
            f"the ring ({100 * burden.buffer_share:.1f} %)"
        )
    if done.alerts:
        days = ", ".join(f"{day:%d/%m/%Y} {count}" for day, count in done.by_day.items())
        hours = ", ".join(f"{hour:02}:00 {n}" for hour, n in enumerate(done.by_hour) if n)
        yield f"by day: {days}"
        yield f"by local hour: {hours}"
        yield ""
        yield from (_line(v) for v in done.alerts)


def _possible(done: Backtest) -> int:
    return len(done.violations) - len(done.alerts)


def _line(found: Violation) -> str:
    depth = "" if found.depth_m is None else f", {found.depth_m:,.0f} m past the edge"
    end = write_instant(found.end_at) if found.end_at else "open"
    return (
        f"{found.wearer} {write_instant(found.begin_at)} to {end}: "
        f"{found.how.replace('_', ' ')}{depth}, {100 * found.probability:.1f} % probable"
    )
