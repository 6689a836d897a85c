from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.desk.accounts.models import User
from ringfence.desk.audit.queries import verify
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.models import ConditionVersion, Fitting, Order, Tag, Victim, Wearer
from ringfence.desk.cases.queries import engine_conditions, tag_by_token_hash, wearer_of
from ringfence.desk.cases.tokens import token_hash
from ringfence.desk.config.demo import MARK, own_folder
from ringfence.desk.config.demo_data import STAFF, load_staff, load_world
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.kit.clock import now
from ringfence.engine.conditions import Condition
from ringfence.sim.world import build_world
from ringfence.trail.conditions_file import read_features

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(tmp_path, settings):
    settings.DATA = tmp_path
    return tmp_path


def test_a_world_is_recorded_whole(data):
    world = build_world(7, now() + timedelta(seconds=5), wearers=6)
    tokens = load_world(world)
    assert set(tokens) == {tag.id for tag in world.tags}
    assert Wearer.objects.count() == Order.objects.count() == Fitting.objects.count() == 6
    assert Victim.objects.count() == len(world.victims)
    tag = tag_by_token_hash(token_hash(tokens[world.tags[0].id]))
    assert tag is not None
    worn_by = wearer_of(tag, now())
    assert worn_by is not None
    assert worn_by.crn == world.people[0].id
    assert _plain(engine_conditions()) == _plain(read_features(world.conditions))
    assert (data / "streets.geojson").stat().st_size > 1000
    assert verify() == []


def _plain(rules: list[Condition]) -> list[Condition]:
    """In one order, and without whom they protect, which files say elsewhere."""
    return sorted((replace(rule, victim=None) for rule in rules), key=lambda rule: rule.id)


def test_a_second_demo_on_the_same_folder_changes_only_what_the_script_times(data):
    world = build_world(7, now() + timedelta(seconds=5), wearers=6)
    first = load_world(world)
    versions = ConditionVersion.objects.count()
    later = build_world(7, now() + timedelta(seconds=35), wearers=6)
    second = load_world(later)
    assert Tag.objects.count() == 6
    assert not set(first.values()) & set(second.values())
    assert ConditionVersion.objects.count() == versions + 1
    newest = ConditionVersion.objects.latest("id")
    assert newest.condition.key == f"{world.people[1].id}-curfew"
    assert newest.from_at == later.at + timedelta(seconds=20)


def test_made_up_people_never_mix_with_real_ones(data, ola):
    add_wearer(by=ola, crn="X000001", name="Wes Weller")
    with pytest.raises(CantStartError, match="X000001 in this data folder is not the made-up"):
        load_world(build_world(7, now(), wearers=4))
    assert Wearer.objects.count() == 1


def test_passwords_that_everybody_knows_stay_out_of_a_real_folder(tmp_path):
    own_folder(tmp_path)
    (tmp_path / "ringfence.sqlite3").touch()
    own_folder(tmp_path)
    (tmp_path / MARK).unlink()
    with pytest.raises(CantStartError, match="holds a database that is no demo's"):
        own_folder(tmp_path)


def test_the_made_up_staff_may_sign_in(db):
    load_staff()
    load_staff()
    assert User.objects.count() == len(STAFF)
    for name, role, password in STAFF:
        user = User.objects.get(username=name)
        assert user.role == role
        assert user.check_password(password)
