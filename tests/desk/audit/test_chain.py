from __future__ import annotations

import pytest
from django.db import connection

from ringfence.desk.audit import actions as audit
from ringfence.desk.audit.actions import MissingReasonError, record_look
from ringfence.desk.audit.chain import FIRST, hash_of
from ringfence.desk.audit.events import Event
from ringfence.desk.audit.models import Entry
from ringfence.desk.audit.queries import Fault, entries_for, head, verify
from ringfence.desk.kit.acting import NotAnActionError, action

pytestmark = pytest.mark.django_db


@action
def note(count: int, **said: object) -> None:
    for number in range(count):
        audit.record(
            by="ola",
            event=Event.WEARER_ADDED,
            subject=f"wearer:{number}",
            reason="“für” £ 😀",
            detail={"n": number, "half": 0.5, "list": [1, None, True], **said},
        )


def rewrite(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_untouched_chain_is_whole():
    note(5)
    assert verify() == []
    assert head().entries == 5
    first = Entry.objects.earliest("id")
    assert first.previous_hash == FIRST
    assert head().hash == Entry.objects.latest("id").hash


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'because'",
        "actor = 'oz'",
        "subject = 'wearer:x'",
        "event = 'user.added'",
        "at = '2020-01-01 00:00:00'",
        """detail = '{"n": 7}'""",
    ],
)
def test_a_row_edited_behind_its_back_is_found(change: str):
    note(5)
    third = Entry.objects.order_by("id")[2].pk
    rewrite(f"UPDATE audit_entry SET {change} WHERE id = {third}")  # noqa: S608
    assert verify() == [Fault(third, "what it says was changed after it was written")]


def test_a_deleted_row_is_found():
    note(5)
    ids = list(Entry.objects.order_by("id").values_list("id", flat=True))
    rewrite(f"DELETE FROM audit_entry WHERE id = {ids[2]}")  # noqa: S608
    assert verify() == [Fault(ids[3], "an entry before it is missing or was replaced")]


def test_a_row_edited_together_with_its_hash_is_found_at_the_next():
    note(3)
    second, third = list(Entry.objects.order_by("id"))[1:]
    second.reason = "other"
    rewrite(
        f"UPDATE audit_entry SET reason = 'other', hash = '{hash_of(second)}' "  # noqa: S608
        f"WHERE id = {second.pk}"
    )
    assert [fault.entry for fault in verify()] == [third.pk]


def test_nobody_writes_an_entry_outside_an_action():
    with pytest.raises(NotAnActionError):
        audit.record(by="oz", event=Event.WEARER_ADDED, subject="wearer:1")


def test_an_entry_is_never_saved_again_nor_deleted():
    note(1)
    entry = Entry.objects.get()
    entry.reason = "on second thoughts"
    with pytest.raises(TypeError, match="append-only"):
        action(entry.save)()
    with pytest.raises(TypeError, match="append-only"):
        action(entry.delete)()


@pytest.mark.parametrize("field", ["lat", "coordinates", "name", "token"])
def test_private_fields_stay_out_however_deep(field: str):
    with pytest.raises(ValueError, match=field):
        note(1, nested=[{"deep": {field: 1}}])
    assert not Entry.objects.exists()


def test_looking_at_a_person_needs_a_reason():
    with pytest.raises(MissingReasonError):
        record_look(by="ola", subject="wearer:abc", reason="  ", purpose="review")
    record_look(by="ola", subject="wearer:abc", reason="weekly review", purpose="review")
    look = entries_for("wearer:abc").get()
    assert (look.actor, look.event, look.reason) == ("ola", "person.looked_at", "weekly review")
    assert look.detail == {"purpose": "review"}
