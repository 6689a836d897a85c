from __future__ import annotations

import math

import numpy as np
import pytest

from ringfence.engine.fix import Source
from ringfence.sim.errors import CELL_MOST_M, Drift, ErrorModel


def errors_of(source: Source, every_s: int, tags: int, fixes: int) -> np.ndarray:
    """East, north and claim of each fix; shape (tags, fixes, 3)."""
    made = []
    for seed in range(tags):
        model = ErrorModel(np.random.default_rng(seed))
        mistakes = [model.mistake(source, k * every_s) for k in range(fixes)]
        made.append([(m.east_m, m.north_m, m.claimed_m) for m in mistakes])
    return np.array(made)


@pytest.fixture(scope="module")
def cell() -> np.ndarray:
    return errors_of(Source.CELL, 300, 100, 100)


@pytest.fixture(scope="module")
def satellite() -> np.ndarray:
    return errors_of(Source.GNSS, 60, 40, 600)


def off_m(errors: np.ndarray) -> np.ndarray:
    return np.hypot(errors[..., 0], errors[..., 1])


def test_cell_fixes_are_as_far_off_as_a_real_tags(cell: np.ndarray) -> None:
    assert np.percentile(off_m(cell), 90) == pytest.approx(175, rel=0.08)
    assert np.percentile(off_m(cell), 99) == pytest.approx(235, rel=0.08)
    assert off_m(cell).max() <= CELL_MOST_M + 1e-6


def test_cell_errors_drift_instead_of_jumping(cell: np.ndarray) -> None:
    east = cell[..., 0]
    alike = np.corrcoef(east[:, :-1].ravel(), east[:, 1:].ravel())[0, 1]
    hours_later = np.corrcoef(east[:, :-24].ravel(), east[:, 24:].ravel())[0, 1]
    assert alike == pytest.approx(math.exp(-300 / 1500), abs=0.05)
    assert abs(hours_later) < 0.1


@pytest.mark.parametrize("which", ["cell", "satellite"])
def test_claims_are_honest_19_times_of_20(which: str, request: pytest.FixtureRequest) -> None:
    errors = request.getfixturevalue(which)
    held = (off_m(errors) <= errors[..., 2]).mean()
    assert held == pytest.approx(0.95, abs=0.015)


def test_once_in_a_while_a_satellite_fix_is_confidently_wrong(satellite: np.ndarray) -> None:
    wrong = satellite[off_m(satellite) > 100]
    assert len(wrong) / satellite[..., 0].size == pytest.approx(0.0015, rel=0.5)
    assert (wrong[:, 2] <= 8).all()
    assert ((off_m(wrong) > 149) & (off_m(wrong) < 251)).all()


def test_other_satellite_fixes_are_good_to_ten_metres(satellite: np.ndarray) -> None:
    assert np.percentile(off_m(satellite), 95) < 10


def test_a_scripted_drift_fades_in_holds_and_fades_out() -> None:
    drift = Drift(100, 200, 150, 0)
    assert [drift.strength(s) for s in (99, 100, 105, 110, 150, 195, 200, 201)] == [
        0, 0, 0.5, 1, 1, 0.5, 0, 0,
    ]  # fmt: skip


def test_a_home_beacon_is_near(request: pytest.FixtureRequest) -> None:
    beacon = errors_of(Source.RF, 300, 5, 100)
    assert np.percentile(off_m(beacon), 95) < 30
    assert (beacon[..., 2] == 30).all()
