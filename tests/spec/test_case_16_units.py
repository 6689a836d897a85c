"""Case 16: one unit for each quantity."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ringfence.engine import Batch
from ringfence.gateway.report import Report
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=16,
    title="Degrees here, radians there",
    elsewhere="A direction was radians in one place and degrees in another, so that wearers "
    "seemed to walk the wrong way [S].",
    decides="Metres, seconds, metres a second, degrees clockwise from north; degrees WGS84 "
    "only at the edges. Names end in their unit, codecs convert once, at the door, and a "
    "column whose unit is not known is refused.",
    held_by=(
        ("tests/gateway/codecs/test_queclink.py::test_a_position_keeps_its_own_time_and_our_units"),
        "tests/gateway/codecs/test_teltonika.py::test_a_record_becomes_a_fix_in_our_units",
        (
            "tests/gateway/codecs/test_megastek.py::test_an_ankle_tags_frame_becomes_a_fix"
            "_in_our_units"
        ),
        ("tests/trail/test_formats.py::test_a_bare_speed_has_a_unit_only_in_the_ministrys_rows"),
    ),
)


UNITS = ("_ms", "_m", "_mps", "_deg", "_e7", "_pct")
WITHOUT = {"wearer", "victim", "source", "signals", "digest", "seq", "satellites", "hdop"}
"""Counts, names and ratios."""


@pytest.mark.parametrize("names", [{f.name for f in fields(Batch)}, {*Report._fields}])
def test_every_quantity_names_its_unit(names: set[str]) -> None:
    assert not [n for n in names - WITHOUT if not n.endswith(UNITS)]
