from __future__ import annotations

import re

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from ringfence.desk.accounts.actions import AccountError, add_user, set_password
from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.passwords import new_password
from ringfence.desk.accounts.permission import NotPermittedError, actor_name, permitted
from ringfence.desk.accounts.roles import ROLES, Permission
from ringfence.desk.audit.models import Entry

KEEPER = "shell:root"


def test_a_new_user_gets_a_password_once(db):
    user, password = add_user(by=KEEPER, username="ola", role="officer")
    assert re.fullmatch(r"([a-z]{6}-){2}[a-z]{6}", password)
    assert user.password.startswith("argon2")
    assert user.check_password(password)
    entry = Entry.objects.get()
    assert (entry.actor, entry.event, entry.detail) == (KEEPER, "user.added", {"role": "officer"})
    assert password not in repr(list(Entry.objects.values()))


def test_a_password_costs_who_guesses_100_mib_and_two_passes_each_time(
    db: None, monkeypatch: pytest.MonkeyPatch, passwords_at_full_cost: dict[str, int]
) -> None:
    for name, cost in passwords_at_full_cost.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)
    user, _ = add_user(by=KEEPER, username="ola", role="officer")
    assert "$m=102400,t=2,p=8$" in user.password


def test_passwords_do_not_repeat():
    assert len({new_password() for _ in range(200)}) == 200


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"role": "king"}, "role must be one of operator, officer"),
        ({"username": ""}, "user name must be"),
        ({"username": "two words"}, "user name must be"),
        ({"username": "OLA"}, "taken"),
        ({"password": "short"}, "at least 12 characters"),
        ({"password": "password1234"}, "too common"),
    ],
)
def test_an_account_that_can_t_be_is_refused(ola, said, why):
    with pytest.raises(AccountError, match=why):
        add_user(by=KEEPER, **{"username": "new", "role": "officer", **said})
    assert User.objects.count() == 1


def test_nobody_adds_staff_from_a_page(ola):
    with pytest.raises(NotPermittedError, match="ringfence users"):
        add_user(by=ola, username="friend", role="operator")


def test_a_new_password_replaces_the_old(db):
    user, old = add_user(by=KEEPER, username="ola", role="officer")
    new = set_password(by=KEEPER, user=user)
    assert user.check_password(new)
    assert not user.check_password(old)


def test_each_role_may_what_its_sentence_says(ola, otto, eve, ada, oz):
    assert permitted(otto, Permission.HANDLE_ALERT) == "otto"
    assert permitted(ola, Permission.EDIT_CONDITIONS) == "ola"
    assert permitted(eve, Permission.MANAGE_TAGS) == "eve"
    assert permitted(ada, Permission.READ_AUDIT) == "ada"
    for person, lacks in [
        (otto, Permission.EDIT_CONDITIONS),
        (ola, Permission.HANDLE_ALERT),
        (eve, Permission.SEE_TRAIL),
        (ada, Permission.SEE_WEARER),
        *((oz, permission) for permission in Permission),
    ]:
        with pytest.raises(NotPermittedError, match=f"lacks {lacks}"):
            permitted(person, lacks)


def test_every_permission_is_somebody_s():
    given = {permission for role in ROLES.values() for permission in role.permissions}
    assert given == set(Permission)


def test_who_has_left_may_nothing(ola):
    ola.is_active = False
    with pytest.raises(NotPermittedError):
        permitted(ola, Permission.SEE_WEARER)


def test_the_machine_is_named_by_its_stage():
    assert actor_name("system:detect") == "system:detect"
    with pytest.raises(ValueError, match="system:<stage>"):
        permitted("detect", Permission.SEE_WEARER)


def test_signing_in_and_out_leaves_a_trace(ola):
    client = Client()
    client.force_login(ola, backend="django.contrib.auth.backends.ModelBackend")
    client.logout()
    signed = list(Entry.objects.values_list("actor", "event"))
    assert signed == [("ola", "user.signed_in"), ("ola", "user.signed_out")]


@pytest.mark.parametrize(
    ("who", "leads_to"), [("eve", "/wearers"), ("ada", "/help/reading"), ("otto", None)]
)
def test_the_front_door_leads_each_role_to_a_page_that_it_may_see(who, leads_to, request, client):
    client.force_login(
        request.getfixturevalue(who), backend="django.contrib.auth.backends.ModelBackend"
    )
    answer = client.get("/")
    assert answer.get("Location") == leads_to
    assert client.get(leads_to or "/").status_code == 200


def test_a_wrong_password_is_recorded_without_what_was_typed(db):
    Client().post("/sign-in", {"username": "hunter2-oops", "password": "wrong"})
    entry = Entry.objects.get()
    assert (entry.actor, entry.event) == ("system:sign-in", "user.sign_in_refused")
    assert "hunter2" not in repr(list(Entry.objects.values()))


def test_five_wrong_passwords_close_the_door(db):
    _, password = add_user(by=KEEPER, username="ola", role="officer")
    client = Client()
    for _ in range(5):
        client.post("/sign-in", {"username": "ola", "password": "wrong"})
    answer = client.post("/sign-in", {"username": "ola", "password": password})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session
