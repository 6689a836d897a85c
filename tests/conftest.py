"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from hypothesis import settings

# A busy machine is slow, not wrong.
settings.register_profile("ringfence", deadline=None)
settings.load_profile("ringfence")

ROOT = Path(__file__).parent.parent
LIVE = ROOT / "tests" / "live"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, first those that start platforms: none ends long alone."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LIVE not in item.path.parents)


@pytest.fixture(scope="session", autouse=True)
def passwords_at_full_cost() -> Iterator[dict[str, int]]:
    """Passwords cost little here, a quarter of a second each elsewhere: what that is set by."""
    full = {"time_cost": Argon2PasswordHasher.time_cost}
    full["memory_cost"] = Argon2PasswordHasher.memory_cost
    full["parallelism"] = Argon2PasswordHasher.parallelism
    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, least)
        yield full


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; a test that asks skips where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the shared real data is not beside this checkout")
    return path
