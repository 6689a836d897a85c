"""The quarantine's pages: for the equipment team, with a reason, and nothing by a mere click."""

from __future__ import annotations

import pytest
from django.test import Client

from ringfence.desk.accounts.models import User
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.device_actions import add_device
from ringfence.desk.cases.models import Tag
from ringfence.desk.monitoring.models import Quarantine, Report, fingerprint
from tests.gateway.codecs import queclink_frames

GOOD = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:02:00Z","lat":51.5,"lon":-0.1}]}'
WHY = {"why": "the codec is mended"}


def set_apart(raw: bytes = GOOD, **said: object) -> Quarantine:
    return Quarantine.objects.create(
        **{
            "door": "reports",
            "peer": "192.0.2.7",
            "received_ms": 1_772_359_330_000,
            "reason": "malformed",
            "raw": raw,
            "size": len(raw),
            "sha256": fingerprint(raw),
            **said,
        }
    )


@pytest.fixture
def page(client: Client, eve: User) -> Client:
    """Eve of the equipment team, who has said why she looks."""
    client.force_login(eve)
    client.post("/quarantine/reason", {"reason": "a new firmware"})
    return client


@pytest.mark.parametrize("who", ["ola", "otto", "ada", "oz"])
def test_it_is_for_the_equipment_team_alone(
    client: Client, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    item = set_apart()
    for path in ("", "/reason", f"/{item.pk}"):
        assert client.get(f"/quarantine{path}").status_code == 403
    assert client.post(f"/quarantine/{item.pk}/decode", WHY).status_code == 403
    assert not Entry.objects.filter(event="person.looked_at").exists()


def test_a_reason_is_asked_for_before_anything_is_shown(client: Client, eve: User) -> None:
    client.force_login(eve)
    item = set_apart()
    for path in ("/quarantine", f"/quarantine/{item.pk}"):
        assert client.get(path).headers["Location"] == "/quarantine/reason"
    refused = client.post("/quarantine/reason", {"reason": " "})
    assert (refused.status_code, "Enter why you need" in refused.text) == (422, True)
    assert client.post("/quarantine/reason", {"reason": "a new firmware"}).status_code == 302
    entry = Entry.objects.get(event="person.looked_at")
    assert (entry.actor, entry.subject) == ("eve", "register:quarantine")
    assert entry.reason == "a new firmware"


def test_each_item_that_is_opened_is_logged_once_with_that_reason(page: Client) -> None:
    item = set_apart()
    for _ in range(2):
        assert page.get(f"/quarantine/{item.pk}").status_code == 200
    entry = Entry.objects.get(subject=f"quarantine:{item.pk}")
    assert entry.reason == "a new firmware"


def test_the_list_counts_filters_and_never_cuts_without_saying_so(page: Client, tag: Tag) -> None:
    for _ in range(51):
        set_apart(tag=tag)
    set_apart(door="osmand", reason="unauthenticated")
    text = page.get("/quarantine").text
    assert "52 items, latest first; page 1 of 2" in text
    assert "1 item, latest first" in page.get("/quarantine?reason=unauthenticated").text
    assert "51 items" in page.get("/quarantine?door=reports&state=all").text
    assert "0 items" in page.get("/quarantine?state=resolved").text
    assert "52 items" in page.get("/quarantine?reason=nonsense&page=99").text
    assert "51.5" not in text, "the list holds no bytes"


def test_an_item_shows_its_bytes_and_what_it_comes_to(page: Client, tag: Tag) -> None:
    item = set_apart(tag=tag, detail="a field has a new name")
    text = page.get(f"/quarantine/{item.pk}").text
    assert "1 report of tag T1, of 01/03/2026 10:02:00" in text
    assert "00000000  7b 22 74 61 67" in text
    assert fingerprint(GOOD).hex() in text
    assert "a field has a new name" in text


def test_many_bytes_are_shown_in_part_and_it_is_said(page: Client) -> None:
    item = set_apart(b"\x00" * 5000)
    assert "the first 4,096 of 5,000" in page.get(f"/quarantine/{item.pk}").text
    assert "00001380" in page.get(f"/quarantine/{item.pk}?all=1").text


def test_bytes_are_text_on_the_page_and_never_markup(page: Client) -> None:
    item = set_apart(b"<script>alert(1)</script>", detail="<b>")
    text = page.get(f"/quarantine/{item.pk}").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_decoding_again_asks_why_and_says_what_came_of_it(page: Client, tag: Tag) -> None:
    item = set_apart(tag=tag)
    refused = page.post(f"/quarantine/{item.pk}/decode", {"why": ""})
    assert (refused.status_code, "Enter why you decode it again" in refused.text) == (422, True)
    assert not Report.objects.exists()
    done = page.post(f"/quarantine/{item.pk}/decode", WHY, follow=True)
    assert "1 report stored. Nothing is left to be done." in done.text
    assert "eve: 1 stored, 0 known already, of tag T1; nothing is left" in done.text
    assert page.get(f"/quarantine/{item.pk}/decode").status_code == 405
    twice = page.post(f"/quarantine/{item.pk}/decode", WHY, follow=True)
    assert "Nothing was stored" in twice.text
    assert Report.objects.count() == 1


def test_a_strangers_bytes_need_the_tags_name_typed(page: Client, tag: Tag) -> None:
    item = set_apart(queclink_frames.fri(), door="queclink", reason="unauthenticated")
    assert 'name="tag"' not in page.get(f"/quarantine/{item.pk}").text
    add_device(by="system:test", tag=tag, device_id=queclink_frames.IMEI)
    assert 'name="tag"' in page.get(f"/quarantine/{item.pk}").text
    for wrong in ({}, {"tag": "T2"}):
        refused = page.post(f"/quarantine/{item.pk}/decode", WHY | wrong)
        assert refused.status_code == 422
        assert "Enter the name of the tag" in refused.text
    assert not Report.objects.exists()
    done = page.post(f"/quarantine/{item.pk}/decode", WHY | {"tag": "T1"}, follow=True)
    assert "of tag T1, which eve named" in done.text
    assert Report.objects.get().tag_id == tag.pk


def test_a_click_makes_no_strangers_token_less_report_evidence(page: Client, tag: Tag) -> None:
    item = set_apart(reason="unauthenticated")
    done = page.post(f"/quarantine/{item.pk}/decode", WHY | {"tag": "T1"}, follow=True)
    assert "no valid token" in done.text
    assert not Report.objects.exists()


def test_what_is_not_there_is_not_found(page: Client) -> None:
    assert page.get("/quarantine/99").status_code == 404
