"""Open pages are told what changed: once, in order, and without a gap after a lost line."""

from __future__ import annotations

import asyncio
import json

import pytest

from ringfence.desk.kit.clock import now
from ringfence.desk.kit.models import Change
from ringfence.desk.monitoring import bulletin
from ringfence.desk.monitoring.bulletin import event_stream, latest_change_id

pytestmark = pytest.mark.django_db(transaction=True)


def change(topic: str, ref: str) -> int:
    return int(Change.objects.create(topic=topic, ref=ref, at=now()).pk)


async def read(after: int | None, count: int, meanwhile=lambda: None) -> list[str]:
    """The first `count` events, heartbeats left out; `meanwhile` happens on an open line."""
    stream = event_stream(after)
    events: list[str] = []
    begun = False
    async for text in stream:
        if not begun:
            begun = True
            await asyncio.to_thread(meanwhile)
        if text.startswith("id:"):
            events.append(text)
        if len(events) == count:
            break
    await stream.aclose()
    return events


def said(event: str) -> list[tuple[str, str]]:
    data = event.split("data: ")[1]
    return [(one["topic"], one["ref"]) for one in json.loads(data)]


def run(what):
    return asyncio.run(asyncio.wait_for(what, 10))


def test_what_changes_while_a_page_is_open_reaches_it():
    first = change("wearer", "old")
    (event,) = run(read(first, 1, lambda: change("alert", "new")))
    assert said(event) == [("alert", "new")]


def test_a_page_that_was_away_hears_what_it_missed():
    last_seen = change("alert", "seen")
    change("alert", "missed")
    change("wearer", "moved")
    (event,) = run(read(last_seen, 1))
    assert said(event) == [("alert", "missed"), ("wearer", "moved")]
    assert event.startswith(f"id: {latest_change_id()}\n")


def test_a_page_that_was_away_too_long_is_told_to_look_at_everything():
    last_seen = change("alert", "seen")
    change("alert", "tidied away")
    Change.objects.all().delete()
    change("wearer", "moved")
    (event,) = run(read(last_seen, 1))
    assert sorted(said(event)) == [("alert", ""), ("wearer", "")]


def test_one_ref_changed_many_times_is_said_once():
    first = change("wearer", "old")

    def many() -> None:
        for _ in range(20):
            change("wearer", "busy")

    events = run(read(first, 1, many))
    assert said(events[0]).count(("wearer", "busy")) == 1


def test_an_event_names_no_person_and_no_place():
    first = change("wearer", "old")
    (event,) = run(read(first, 1, lambda: change("wearer", "opaque")))
    assert set(json.loads(event.split("data: ")[1])[0]) == {"topic", "ref"}


def test_a_quiet_line_beats_so_that_proxies_leave_it_open(monkeypatch):
    monkeypatch.setattr(bulletin, "HEARTBEAT_S", 0.2)

    async def first_beats() -> list[str]:
        stream = event_stream(latest)
        texts = [await anext(stream) for _ in range(3)]
        await stream.aclose()
        return texts

    latest = change("wearer", "old")
    assert run(first_beats())[1:] == [": still here\n\n", ": still here\n\n"]
