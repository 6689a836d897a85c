"""The names of signals: the contract's, and three beside them (decision 0043)."""

from __future__ import annotations

import pytest

from ringfence.engine.fix import Signal

CONTRACT = [
    "strap_cut",
    "strap_ok",
    "case_open",
    "battery_low",
    "battery_critical",
    "charging",
    "power_off",
    "power_on",
    "gnss_jammed",
    "gnss_lost",
    "beacon_seen",
    "motion",
    "no_motion",
    "sos",
]
BESIDE = ["network_jammed", "mock_position", "power_cut"]


@pytest.mark.parametrize("name", CONTRACT + BESIDE)
def test_each_name_is_one_signal_and_is_spelled_the_same(name: str) -> None:
    assert Signal.parse(name).names() == [name]


def test_there_are_no_others_that_a_tag_may_say() -> None:
    said = {s.name.lower() for s in Signal if s.name} - {"tamper_inspected"}
    assert said == {*CONTRACT, *BESIDE}
