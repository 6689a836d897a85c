"""The cast: Wes wears a tag, Vera is to be protected, Ola supervises, Oz has no business here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.desk.accounts.models import User
from ringfence.desk.cases.actions import add_order, add_victim, add_wearer
from ringfence.desk.cases.models import Order, Victim, Wearer
from ringfence.desk.kit.logs import set_up_logs
from ringfence.engine.conditions import Condition, Kind

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-0.1, 51.5], [-0.09, 51.5], [-0.09, 51.51], [-0.1, 51.51], [-0.1, 51.5]]],
}
START_AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="session")
def logs() -> None:
    """As in a running platform: without this, structlog prints local variables."""
    set_up_logs()


def person(name: str, role: str) -> User:
    return User.objects.create_user(username=name, password=None, role=role)


@pytest.fixture
def ola(db: None) -> User:
    """Probation practitioner."""
    return person("ola", "officer")


@pytest.fixture
def otto(db: None) -> User:
    """Control room operator."""
    return person("otto", "operator")


@pytest.fixture
def eve(db: None) -> User:
    """Equipment team."""
    return person("eve", "equipment")


@pytest.fixture
def ada(db: None) -> User:
    """Auditor."""
    return person("ada", "auditor")


@pytest.fixture
def oz(db: None) -> User:
    """Outsider: can sign in, has no role."""
    return person("oz", "")


@pytest.fixture
def wes(ola: User) -> Wearer:
    return add_wearer(by=ola, crn="X000001", name="Wes Weller", risk="high")


@pytest.fixture
def vera(ola: User) -> Victim:
    return add_victim(by=ola, label="V1", name="Vera Vance")


@pytest.fixture
def licence(ola: User, wes: Wearer) -> Order:
    return add_order(by=ola, wearer=wes, reference="LIC-1", type="licence", from_at=START_AT)


@pytest.fixture
def square() -> Condition:
    """An exclusion zone for Wes."""
    return Condition("c1", "X000001", Kind.EXCLUSION, START_AT, geometry=SQUARE, buffer_m=100.0)
