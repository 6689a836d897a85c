"""A scenario as an SVG: zones, fixes with circles, time below. The same bytes on every machine.

Colours are Okabe and Ito's, told apart by the colour-blind; each state has its own shape and word,
too, so that the picture is read without colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ringfence.engine.events import at_of
from ringfence.engine.explain import LONDON, said_time
from ringfence.geo.drawing import outline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.engine import Violation
    from tests.spec.scenario import Scenario, Seen

WIDTH, MAP, LEFT = 720, 300, 16
BAR = 22
COLOURS = {
    "clear": "#0072B2",
    "possible": "#E69F00",
    "confirmed": "#D55E00",
    "no_data": "#595959",
    "not_in_force": "#009E73",
}
WORDS = {
    "clear": "clear",
    "possible": "possible",
    "confirmed": "confirmed",
    "no_data": "no data",
    "not_in_force": "not in force",
    "doubted": "not believed",
    "hers": "the victim’s device",
}
SHAPES = {
    "clear": '<circle cx="{x}" cy="{y}" r="4"/>',
    "possible": '<path d="M{x} {y}m0 -5l5 9h-10z"/>',
    "confirmed": '<path d="M{x} {y}m-4 -4h8v8h-8z"/>',
    "no_data": '<path d="M{x} {y}m0 -5l5 5l-5 5l-5 -5z"/>',
    "not_in_force": '<path d="M{x} {y}m-5 0h10"/>',
    "doubted": '<path d="M{x} {y}m-4 -4l8 8m0 -8l-8 8"/>',
    "hers": '<circle cx="{x}" cy="{y}" r="5"/>',
}
FILLED = 'fill="{}" stroke="#fff" stroke-width="0.8"'
PAINT = {
    "not_in_force": 'stroke="{}" stroke-width="3"',
    "doubted": 'stroke="{}" stroke-width="2"',
    "hers": 'fill="#fff" stroke="{}" stroke-width="2"',
}
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    'height="{height}" role="img" font-family="Helvetica,Arial,sans-serif" font-size="12">'
)
M_IN_DEGREE = 111_253.0
LEAST_SPAN_M = 120.0


@dataclass(frozen=True)
class Frame:
    """Degrees to pixels: north up, the same scale both ways."""

    lon: float
    lat: float
    px_per_m: float

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        east_m = (lon - self.lon) * M_IN_DEGREE * cos(radians(self.lat))
        north_m = (lat - self.lat) * M_IN_DEGREE
        return WIDTH / 2 + east_m * self.px_per_m, MAP / 2 - north_m * self.px_per_m


def draw(case: Scenario) -> str:
    """The whole picture."""
    seen, told = case.seen, list(case.violations)
    axis_y = MAP + 34 if seen else 30
    height = axis_y + BAR * len(told) + 62
    parts = [
        HEAD.format(width=WIDTH, height=height),
        f"<title>{escape(f'Case {case.number}: {case.title}')}</title>",
        f"<desc>{escape(case.shows)}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    if seen:
        parts += _map(case, seen)
    parts += _legend(case, axis_y - 12)
    parts += _axis(case, told, axis_y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _map(case: Scenario, seen: list[Seen]) -> list[str]:
    rings = [
        (rule, ring) for rule in case.rules if rule.shape for ring in _rings(outline(rule.shape))
    ]
    places = [p for _, ring in rings for p in ring] + [(s.lon, s.lat) for s in seen]
    frame = _frame(places)
    parts = [
        f'<clipPath id="m"><rect width="{WIDTH}" height="{MAP}"/></clipPath>',
        f'<g clip-path="url(#m)"><rect width="{WIDTH}" height="{MAP}" fill="#f8f8f8"/>',
    ]
    for rule, ring in rings:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.at(*p) for p in ring))
        fill = "#D55E00" if rule.kind == "exclusion" else "#0072B2"
        parts.append(
            f'<polygon points="{line}" fill="{fill}" fill-opacity="0.10" stroke="{fill}" '
            'stroke-width="2" stroke-dasharray="7 3"/>'
        )
        x, y = frame.at(*max(ring, key=lambda p: (p[1], -p[0])))
        label = f"{rule.kind} zone" if rule.kind == "exclusion" else f"{rule.kind}: to be inside"
        label_y = min(max(y + 16, 16), MAP - 6)
        label_x = min(max(x + 6, 6), WIDTH - 170)
        parts.append(f'<text x="{label_x:.1f}" y="{label_y:.1f}" fill="{fill}">{label}</text>')
    for one in seen:
        x, y = frame.at(one.lon, one.lat)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{one.radius_m * frame.px_per_m:.1f}" '
            f'fill="{_colour(one)}" fill-opacity="0.04" stroke="{_colour(one)}" '
            'stroke-opacity="0.35"/>'
        )
    parts += [_mark(_sort(one), *frame.at(one.lon, one.lat)) for one in seen]
    return [*parts, *_scale(frame), "</g>"]


def _rings(geometry: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """The outer and inner rings of a GeoJSON Polygon or MultiPolygon."""
    parts = geometry["coordinates"]
    polygons = parts if geometry["type"] == "MultiPolygon" else [parts]
    return [[(p[0], p[1]) for p in ring] for polygon in polygons for ring in polygon]


def _frame(places: list[tuple[float, float]]) -> Frame:
    west, east = min(p[0] for p in places), max(p[0] for p in places)
    south, north = min(p[1] for p in places), max(p[1] for p in places)
    lon, lat = (west + east) / 2, (south + north) / 2
    wide_m = max((east - west) * M_IN_DEGREE * cos(radians(lat)), LEAST_SPAN_M)
    high_m = max((north - south) * M_IN_DEGREE, LEAST_SPAN_M)
    return Frame(lon, lat, min((WIDTH - 60) / wide_m, (MAP - 50) / high_m))


def _scale(frame: Frame) -> list[str]:
    metres = next(m for m in (2000, 1000, 500, 200, 100, 50, 20) if m * frame.px_per_m < 160)
    end = WIDTH - 14
    begin = end - metres * frame.px_per_m
    return [
        f'<path d="M{begin:.1f} {MAP - 10}H{end}" stroke="#222" stroke-width="2"/>',
        f'<text x="{end}" y="{MAP - 15}" text-anchor="end">{metres} m</text>',
    ]


def _sort(one: Seen) -> str:
    return "hers" if one.hers else "doubted" if one.doubted else one.state


def _colour(one: Seen) -> str:
    return COLOURS.get(_sort(one), "#222")


def _mark(sort: str, x: float, y: float) -> str:
    """One shape for each sort: it is told apart without its colour."""
    shape = SHAPES[sort].format(x=f"{x:.1f}", y=f"{y:.1f}")
    return f"{shape[:-2]} {PAINT.get(sort, FILLED).format(COLOURS.get(sort, '#222'))}/>"


def _legend(case: Scenario, y: int) -> list[str]:
    there = {_sort(one) for one in case.seen}
    parts, x = [], LEFT + 4
    for sort in [s for s in WORDS if s in there]:
        parts.append(_mark(sort, x, y - 4))
        parts.append(f'<text x="{x + 10}" y="{y}">{WORDS[sort]}</text>')
        x += 34 + 7 * len(WORDS[sort])
    if case.seen:
        parts.append(f'<text x="{x}" y="{y}" fill="#444">circle: 95 % of the true place</text>')
    return parts


def _axis(case: Scenario, told: list[Violation], top: int) -> list[str]:
    begin, end = case.span_ms
    px = (WIDTH - 2 * LEFT) / max(1, end - begin)

    def x_of(at_ms: float) -> float:
        return LEFT + (min(max(at_ms, begin), end) - begin) * px

    parts = []
    for row, one in enumerate(told):
        parts += _bar(one, top + BAR * row, x_of, end)
    y = top + BAR * len(told) + 14
    parts.append(f'<path d="M{LEFT} {y}H{WIDTH - LEFT}" stroke="#222"/>')
    for at in sorted({*case.batch.time_ms.tolist()}):
        if begin <= at <= end:
            parts.append(f'<path d="M{x_of(at):.1f} {y}v-6" stroke="#222" stroke-opacity="0.5"/>')
    for at, anchor in ((begin, "start"), ((begin + end) // 2, "middle"), (end, "end")):
        clock = f"{at_of(at).astimezone(LONDON):%H:%M}"
        parts.append(f'<path d="M{x_of(at):.1f} {y}v6" stroke="#222"/>')
        parts.append(f'<text x="{x_of(at):.1f}" y="{y + 20}" text-anchor="{anchor}">{clock}</text>')
    words = f"{said_time(begin)[:10]}, London; each tick is a report"
    parts.append(
        f'<text x="{WIDTH / 2:.1f}" y="{y + 36}" text-anchor="middle" fill="#444">{words}</text>'
    )
    return parts


def _bar(one: Violation, y: int, x_of, end: int) -> Iterable[str]:
    x0 = x_of(_ms(one.begin_at))
    x1 = x_of(end if one.end_at is None else _ms(one.end_at))
    colour = COLOURS[one.state]
    style = "" if one.state == "confirmed" else ' stroke-dasharray="4 3"'
    opacity = "0.35" if one.state == "confirmed" else "0.12"
    yield (
        f'<rect x="{x0:.1f}" y="{y}" width="{max(2.0, x1 - x0):.1f}" height="15" fill="{colour}" '
        f'fill-opacity="{opacity}" stroke="{colour}"{style}/>'
    )
    if one.confirmed_at is not None:
        x = x_of(_ms(one.confirmed_at))
        yield f'<path d="M{x:.1f} {y - 2}v19" stroke="#222" stroke-width="2"/>'
    open_ = ", open" if one.end_at is None else ""
    text = f"{one.kind}, {one.how.replace('_', ' ')}: {one.state}{open_}"
    anchor, x = ("start", x0 + 5) if x0 < WIDTH / 2 else ("end", min(x0 - 5, WIDTH - LEFT))
    yield f'<text x="{x:.1f}" y="{y + 12}" text-anchor="{anchor}">{escape(text)}</text>'


def _ms(at) -> int:
    return round(at.timestamp() * 1000)
