"""Pages as people meet them: who sees what, what they must say first, and what forms answer."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from ringfence.desk.alerts.models import Alert, Moment, Notice
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_condition, add_wearer
from ringfence.desk.cases.tag_actions import add_tag, fit_tag
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import from_ms, now, to_ms
from ringfence.desk.monitoring.models import Report, WearerState
from tests.desk.conftest import START_AT


@pytest.fixture
def as_user(client: Client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def tagged(ola, wes, vera, licence, square):
    """Wes wears a tag, keeps out of Vera's zone, and is drifting at home near its edge."""
    add_condition(by=ola, order=licence, rule=square, victim=vera, title="Secret Road 1")
    tag, _token = add_tag(by="system:test", name="T1")
    fit_tag(by="system:test", tag=tag, wearer=wes, from_at=START_AT)
    at_ms = to_ms(now())
    WearerState.objects.create(
        wearer=wes,
        profile="standard/1",
        state=b"",
        judged_ms=at_ms,
        wake_ms=at_ms + 1,
        standing="possible",
        standings=[
            {
                "wearer": "X000001",
                "condition": "c1",
                "version": 1,
                "state": "possible",
                "probability": 0.31,
                "distance_m": 35.0,
                "since_at": None,
                "why": "Last fix 35 m inside the edge, but its circle is 180 m",
            }
        ],
        last_report_ms=at_ms,
        last_received_ms=at_ms,
        fix={
            "time_ms": at_ms,
            "lat": 51.505,
            "lon": -0.095,
            "accuracy_m": 180.0,
            "source": "cell",
            "speed_mps": 1.4,
            "course_deg": 90.0,
        },
        battery_pct=64.0,
    )
    return tag


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_stranger_is_led_to_the_sign_in_page(client, db):
    for path in ("/", "/alerts", "/wearers", "/map/wearers", "/map/zones.geojson"):
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/sign-in?next="), path


def test_the_sign_in_form_says_what_to_do_about_an_error(client, db):
    answer = client.post("/sign-in", {"username": "", "password": ""})
    assert "There is a problem" in text_of(answer)
    assert "Enter your user name" in text_of(answer)
    answer = client.post("/sign-in", {"username": "nobody", "password": "wrong"})
    assert "The user name or the password is not right" in text_of(answer)


def test_too_many_wrong_passwords_lock_the_door_and_say_for_how_long(client, db):
    for _ in range(5):
        answer = client.post("/sign-in", {"username": "otto", "password": "wrong"})
    assert answer.status_code == 429
    assert "Wait 15 minutes" in text_of(answer)


def test_the_control_room_shows_the_queue_and_the_wearers(as_user, otto, alert, tagged):
    shown = text_of(as_user(otto).get("/"))
    assert "Entered exclusion zone, 84 m inside" in shown
    assert "Wes Weller" in shown
    assert "Possible violation" in shown
    assert "its circle is 180 m" in shown


def test_the_map_is_drawn_from_the_rows_of_the_table(as_user, otto, tagged, wes):
    page = as_user(otto).get("/map/wearers").content.decode()
    point = json.loads(re.search(r'data-point="([^"]+)"', page)[1].replace("&#34;", '"'))
    assert (point["lat"], point["lon"], point["accuracy_m"]) == (51.505, -0.095, 180.0)
    assert point["state"] == "possible"
    assert point["moving"] is True
    assert point["url"] == f"/wearers/{wes.public_id}"


def test_watching_everybody_is_logged_once_a_session(as_user, otto, db):
    client = as_user(otto)
    client.get("/")
    client.get("/")
    assert Entry.objects.filter(subject="room:control", event="person.looked_at").count() == 1


def test_a_victims_zone_is_named_by_its_number_alone(as_user, otto, tagged):
    zones = as_user(otto).get("/map/zones.geojson").content.decode()
    assert "Protected zone V1" in zones
    assert "Secret Road" not in zones
    assert {f["properties"]["part"] for f in json.loads(zones)["features"]} == {"zone", "buffer"}


def test_a_quiet_feed_is_called_stale_and_a_fresh_one_is_not(as_user, otto, tagged):
    client = as_user(otto)
    assert "more than 15 minutes" not in text_of(client.get("/map/wearers"))
    WearerState.objects.update(last_received_ms=to_ms(now()) - 16 * 60_000)
    assert "more than 15 minutes" in text_of(client.get("/map/wearers"))


def test_a_cut_strap_outweighs_where_the_tag_lies(as_user, otto, find, tagged):
    WearerState.objects.update(standing="clear", standings=[])
    client = as_user(otto)
    assert "Clear" in text_of(client.get("/map/wearers"))
    find(kind="tamper", how="strap_cut", condition_key="")
    shown = text_of(client.get("/map/wearers"))
    assert "Confirmed violation" in shown
    assert "the tag may not be where the wearer is" in shown


def test_an_alert_is_delivered_when_an_open_page_says_so(as_user, otto, alert):
    client = as_user(otto)
    assert "data-undelivered" in client.get("/alerts/queue").content.decode()
    assert client.post("/alerts/seen", {"alert": [alert.public_id]}).status_code == 204
    assert Notice.objects.get().delivered_at is not None
    assert "data-undelivered" not in client.get("/alerts/queue").content.decode()


def test_looking_at_an_alert_is_looking_at_a_person(as_user, otto, alert, wes):
    client = as_user(otto)
    client.get(f"/alerts/{alert.public_id}")
    client.get(f"/alerts/{alert.public_id}")
    looks = Entry.objects.filter(subject=f"wearer:{wes.public_id}", event="person.looked_at")
    assert [(e.actor, e.reason) for e in looks] == [("otto", f"alert {alert.public_id} (open)")]


def test_the_alerts_page_explains_itself(as_user, otto, find, tagged):
    find(why=["Two fixes 80 m inside"], doubts=["A reflected signal"])
    open_alerts()
    shown = text_of(as_user(otto).get(f"/alerts/{Alert.objects.get().public_id}"))
    assert "Two fixes 80 m inside" in shown
    assert "A reflected signal" in shown
    assert "almost certain (99.8 %)" in shown
    assert "protected zone V1" in shown
    assert "Secret Road" not in shown
    assert "version 1 in force since 01/03/2026 00:00" in shown


def test_the_fix_that_made_it_certain_is_marked(as_user, otto, tagged, find):
    report_fixes(tagged, 5)
    times = [from_ms(r.time_ms) for r in Report.objects.order_by("time_ms")]
    find(begin_at=times[1], first_fix_at=times[1], confirmed_at=times[2], deepest_fix_at=times[3])
    open_alerts()
    path = f"/alerts/{Alert.objects.get().public_id}"
    fixes = as_user(otto).get(f"{path}/trail.json").json()["fixes"]
    named = [fix["mark_text"].split(" ")[0] for fix in fixes]
    assert named == ["", "First", "Confirmed", "Deepest", ""]
    assert "Confirmed fix of this alert" in text_of(as_user(otto).get(path))


def test_an_alert_is_seen_through_from_page_to_page(as_user, otto, alert):
    client, path = as_user(otto), f"/alerts/{alert.public_id}"
    shown = text_of(client.post(f"{path}/acknowledge", follow=True))
    assert "You acknowledged this alert" in shown
    answer = client.post(f"{path}/verdict", {"disposition": "", "reason": ""})
    assert answer.status_code == 422
    assert "Select what you found" in text_of(answer)
    assert "Enter the reason for your verdict" in text_of(answer)
    client.post(f"{path}/verdict", {"disposition": "true", "reason": "He said so himself"})
    shown = text_of(client.post(f"{path}/close", follow=True))
    assert "The alert is closed" in shown
    alert.refresh_from_db()
    assert (alert.state, alert.disposition, alert.closed_by) == ("closed", "true", "otto")


def test_the_second_operator_is_told_who_was_first(as_user, otto, alert, django_user_model):
    client = as_user(otto)
    client.post(f"/alerts/{alert.public_id}/acknowledge")
    as_user(django_user_model.objects.create_user("olu", role="operator"))
    shown = text_of(client.post(f"/alerts/{alert.public_id}/acknowledge", follow=True))
    assert "otto acknowledged it first" in shown


def test_a_note_needs_words(as_user, otto, alert):
    client = as_user(otto)
    answer = client.post(f"/alerts/{alert.public_id}/note", {"text": " "})
    assert answer.status_code == 422
    assert "Enter a note" in text_of(answer)
    client.post(f"/alerts/{alert.public_id}/note", {"text": "Rang him: no answer"})
    assert Moment.objects.get(what="note").text == "Rang him: no answer"


def test_nothing_is_written_by_following_a_link(as_user, otto, alert):
    client = as_user(otto)
    for step in ("acknowledge", "note", "verdict", "close"):
        assert client.get(f"/alerts/{alert.public_id}/{step}").status_code == 405
    assert client.get("/alerts/seen").status_code == 405


def test_an_officer_reads_alerts_but_does_not_take_them(as_user, ola, alert):
    client = as_user(ola)
    assert "A control room operator acknowledges it" in text_of(
        client.get(f"/alerts/{alert.public_id}")
    )
    assert client.post(f"/alerts/{alert.public_id}/acknowledge").status_code == 403


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("eve", "/", 302),
        ("eve", "/alerts", 403),
        ("eve", "/wearers", 200),
        ("eve", "/map/zones.geojson", 403),
        ("ada", "/", 302),
        ("ada", "/wearers", 403),
        ("oz", "/", 302),
        ("oz", "/alerts", 403),
        ("oz", "/wearers", 403),
        ("oz", "/help/reading", 200),
    ],
)
def test_each_role_sees_its_own_pages_only(as_user, request, tagged, who, path, status):
    assert as_user(request.getfixturevalue(who)).get(path).status_code == status


def test_a_wearers_page_asks_why_first_and_logs_the_answer(as_user, ola, tagged, wes):
    client, path = as_user(ola), f"/wearers/{wes.public_id}"
    assert client.get(path).headers["Location"] == f"{path}/reason"
    assert client.get(f"{path}/trail.json").status_code == 302
    answer = client.post(f"{path}/reason", {"purpose": "", "reason": ""})
    assert answer.status_code == 422
    assert "Enter why you need to see this person’s record" in text_of(answer)
    said = {"purpose": "supervision", "reason": "Appointment tomorrow"}
    assert client.post(f"{path}/reason", said).headers["Location"] == path
    assert client.get(path).status_code == 200
    look = Entry.objects.filter(event="person.looked_at").get()
    assert (look.actor, look.reason, look.detail["purpose"]) == (
        "ola",
        "Appointment tomorrow",
        "supervision",
    )


def test_an_open_alert_is_reason_enough_for_its_own_wearer_only(as_user, otto, alert, wes, ola):
    other = add_wearer(by=ola, crn="X000002", name="Will Ward")
    client = as_user(otto)
    assert client.get(f"/wearers/{other.public_id}?alert={alert.public_id}").status_code == 302
    assert client.get(f"/wearers/{wes.public_id}?alert={alert.public_id}").status_code == 200
    assert client.get(f"/wearers/{wes.public_id}/trail.json").status_code == 200
    # Without the alert it is another purpose, which wants words of its own.
    assert client.get(f"/wearers/{wes.public_id}").status_code == 302


def test_a_closed_alert_is_no_reason_to_see_where_somebody_is_now(as_user, otto, alert, wes):
    client, path = as_user(otto), f"/alerts/{alert.public_id}"
    client.post(f"{path}/acknowledge")
    client.post(f"{path}/verdict", {"disposition": "false", "reason": "A reflection"})
    client.post(f"{path}/close")
    assert client.get(path).status_code == 200
    for data in ("trail.json", "zones.geojson"):
        answer = client.get(f"/wearers/{wes.public_id}/{data}")
        assert answer.headers.get("Location") == f"/wearers/{wes.public_id}/reason", data


@pytest.mark.parametrize("data", ["trail.json", "zones.geojson"])
def test_data_fetched_without_its_page_is_logged_as_a_look(as_user, otto, alert, wes, data):
    as_user(otto).get(f"/alerts/{alert.public_id}/{data}")
    look = Entry.objects.get(event="person.looked_at")
    assert (look.actor, look.subject) == ("otto", f"wearer:{wes.public_id}")


def test_the_list_of_alerts_is_logged_and_not_kept_by_browsers(as_user, otto, alert):
    answer = as_user(otto).get("/alerts")
    assert "no-store" in answer.headers["Cache-Control"]
    assert Entry.objects.filter(subject="room:control", event="person.looked_at").count() == 1


def test_the_drifters_page_says_why_there_is_no_alert(as_user, ola, tagged, wes):
    client = as_user(ola)
    client.post(f"/wearers/{wes.public_id}/reason", {"purpose": "supervision", "reason": "Drift"})
    shown = text_of(client.get(f"/wearers/{wes.public_id}"))
    assert "Last fix 35 m inside the edge, but its circle is 180 m" in shown
    assert "unlikely (31 %)" in shown
    assert "64 %" in shown
    assert "Secret Road" not in shown


def test_the_equipment_team_sees_the_tag_and_no_trail(as_user, eve, tagged, wes):
    client = as_user(eve)
    client.post(f"/wearers/{wes.public_id}/reason", {"purpose": "equipment", "reason": "Strap"})
    shown = text_of(client.get(f"/wearers/{wes.public_id}"))
    assert "T1" in shown
    assert "Your role does not see trails" in shown
    assert client.get(f"/wearers/{wes.public_id}/trail.json").status_code == 403


def test_a_long_trail_is_paged_and_says_how_long_it_is(as_user, ola, tagged, wes):
    report_fixes(tagged, 250)
    client, path = as_user(ola), f"/wearers/{wes.public_id}"
    client.post(f"{path}/reason", {"purpose": "supervision", "reason": "Trail"})
    shown = text_of(client.get(path))
    assert "250 reports, 1 to 100 here" in shown
    assert "250 reports, 201 to 250 here" in text_of(client.get(f"{path}?page=3"))
    assert len(client.get(f"{path}/trail.json").json()["fixes"]) == 250


def test_a_tagless_address_answers_404_in_our_own_words(as_user, otto):
    answer = as_user(otto).get("/alerts/nonsense")
    assert answer.status_code == 404
    assert "Page not found" in text_of(answer)


def test_no_page_holds_script_or_style_of_its_own(as_user, otto, alert, tagged, wes):
    client = as_user(otto)
    for path in ("/", "/alerts", f"/alerts/{alert.public_id}", "/wearers", "/help/reading"):
        page = client.get(path)
        html = page.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html), path
        assert "default-src 'none'" in page.headers["Content-Security-Policy"], path


def test_no_address_on_a_page_names_a_person(as_user, otto, alert, tagged):
    client = as_user(otto)
    for path in ("/", "/wearers", f"/alerts/{alert.public_id}"):
        links = re.findall(
            r'(?:href|action|data-[a-z-]+url)="([^"]*)"', client.get(path).content.decode()
        )
        assert links
        assert not [one for one in links if "X000001" in one or "Wes" in one]


@action
def report_fixes(tag, count):
    from ringfence.desk.monitoring.models import Frame  # noqa: PLC0415 -- only here

    first_ms = to_ms(now()) - count * 60_000
    frame = Frame.objects.create(tag=tag, door="test", peer="", received_ms=first_ms, raw=b"")
    Report.objects.bulk_create(
        Report(
            tag=tag,
            frame=frame,
            digest=i,
            time_ms=first_ms + i * 60_000,
            received_ms=first_ms + i * 60_000 + 900,
            lat_e7=515_050_000 + i,
            lon_e7=-950_000,
            accuracy_m=8.0,
            source=1,
        )
        for i in range(count)
    )


@pytest.mark.parametrize(
    ("url", "subject"),
    [
        ("/", "room:control"),
        ("/alerts", "room:control"),
        ("/alerts/queue", "room:control"),
        ("/map/wearers", "room:control"),
        ("/map/zones.geojson", "room:control"),
        ("/wearers", "register:wearers"),
    ],
)
def test_watching_everybody_is_logged_once_whatever_shows_it(
    tagged, otto, as_user, url, subject
) -> None:
    client = as_user(otto)
    for _ in range(2):
        assert client.get(url).status_code == 200
    assert (
        Entry.objects.filter(event="person.looked_at", subject=subject, actor="otto").count() == 1
    )


@pytest.mark.parametrize("after", ["²", "9" * 40, "-1", "x"])
def test_events_after_nonsense_begin_now(otto, as_user, after) -> None:
    assert as_user(otto).get("/events", {"after": after}).status_code == 200
