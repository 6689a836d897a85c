"""Need to know: an alert of nearness, every page and file around it, and not her place in any."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from prometheus_client import generate_latest

from ringfence.desk.alerts.models import Alert, Severity
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_condition
from ringfence.desk.cases.carrying_actions import end_carrying, give_device
from ringfence.desk.cases.models import Carrying, Tag
from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.config.exporting import export_violations
from ringfence.desk.kit.models import Change
from ringfence.desk.monitoring.detect import Detector
from ringfence.desk.monitoring.exporting import export_fixes
from ringfence.desk.monitoring.models import Correction, Violation
from ringfence.trail.writers import Format
from tests.desk.monitoring.conftest import (  # noqa: F401 -- fixtures
    Sent,
    at,
    deliver,
    fitted,
    fresh_caches,
    tag,
)
from tests.desk.monitoring.test_nearness import NEAR

pytestmark = pytest.mark.django_db
HER_LAT, HER_LON = 51.5312, -0.1234
HER_PLACE = re.compile(r"51\.531[12]|0\.123[34]|515312|515311|123[34]\d{3}\b|Vera|Vance|\bP1\b")
"""To four decimals or in 1e-7 degrees, her name, her device's name."""


@pytest.fixture
def phone(eve) -> Tag:
    return add_tag(by=eve, name="P1")[0]


@pytest.fixture
def carried(eve, phone, vera) -> Carrying:
    return give_device(by=eve, tag=phone, victim=vera, consent="form", from_at=at(-60))


def past_her(minute: int) -> tuple[float, float]:
    """He walks by, 55 m to the north of her at the nearest."""
    return HER_LAT + 0.0005, HER_LON + (3000.0 - 84.0 * minute) / 69_250.0


def at_home(n: int) -> tuple[float, float]:
    """A receiver on a table says never the same twice."""
    return HER_LAT, HER_LON + (n % 2) / 69_250.0


@pytest.fixture
def alert(ola, licence, vera, carried, tag, fitted, phone) -> Alert:  # noqa: F811
    add_condition(by=ola, order=licence, rule=NEAR, victim=vera, title="Not near Vera Vance")
    detector = Detector()
    for n in range(38):
        deliver(tag, [Sent(at(n), past_her(n))])
        deliver(phone, [Sent(at(n + 0.4), at_home(n))])
        detector.detect()
        open_alerts()
    return Alert.objects.get()


def test_an_approach_is_one_alert_which_becomes_graver(alert):
    assert Violation.objects.filter(kind="proximity", state="confirmed").count() == 2
    assert alert.severity == Severity.CRITICAL
    assert alert.title == "Near a protected person"
    assert not alert.late
    said = list(alert.moments.order_by("id").values_list("what", "text"))
    assert said[0] == ("opened", "Coming near a protected person")
    assert ("upgraded", "Near a protected person: now critical") in said
    assert not {what for what, _ in said} & {"corrected", "reopened"}


def test_the_page_says_how_near_to_whose_device_and_how_old_its_place_was(alert, otto, client):
    client.force_login(otto)
    page = client.get(reverse("alert", args=[alert.public_id])).content.decode()
    found = Violation.objects.get(how="entered")
    nearest_m = 300.0 - found.depth_m
    assert f"{nearest_m:.0f} m from V1’s device; the ordered distance is 300 m" in page
    assert "this is the early warning at twice that" in page
    assert "the older place 24 s old" in page or "the older place 36 s old" in page
    assert "51.53170" in page  # his own


def answers(alert: Alert, client: Client) -> dict[str, str]:
    """Everything that a browser may ask for about him."""
    wearer = alert.wearer
    assert wearer is not None
    client.post(
        reverse("wearer-reason", args=[wearer.public_id]),
        {"purpose": "supervision", "reason": "Appointment"},
    )
    days = f"?from={at(-60):%Y-%m-%dT%H:%M}&to={at(90):%Y-%m-%dT%H:%M}"
    paths = [
        *(reverse(name) for name in ("control-room", "alerts", "queue", "wearers")),
        *(reverse(name) for name in ("wearers-table", "zones")),
        *(
            reverse(name, args=[alert.public_id])
            for name in ("alert", "alert-trail", "alert-zones")
        ),
        *(
            reverse(name, args=[wearer.public_id]) + query
            for name in ("wearer", "wearer-trail", "wearer-zones")
            for query in ("", days, "?days=1", f"?alert={alert.public_id}")
        ),
    ]
    said = {path: client.get(path, follow=True) for path in paths}
    assert {answer.status_code for answer in said.values()} == {200}
    return {path: answer.content.decode() for path, answer in said.items()}


def test_no_page_and_no_map_says_where_she_is(alert, otto, ola):
    for person in (otto, ola):
        client = Client()
        client.force_login(person)
        said = answers(alert, client)
        assert any("51.5317" in text for text in said.values())
        for path, text in said.items():
            found = HER_PLACE.search(text.replace("Not near Vera Vance", ""))
            assert found is None, (path, found)


def test_the_title_of_a_condition_about_her_is_shown_on_no_alert(alert, otto, client):
    client.force_login(otto)
    page = client.get(reverse("alert", args=[alert.public_id])).content.decode()
    assert "Distance from a protected person, to V1" in page
    assert "Vera" not in page


def test_her_last_place_stays_hers_when_a_change_has_him_judged_again(
    alert, carried, eve, otto, client
):
    end_carrying(by=eve, carrying=carried, to_at=at(20), reason="consent withdrawn")
    while Detector().detect():
        pass
    open_alerts()
    assert Correction.objects.exists()
    client.force_login(otto)
    page = client.get(reverse("alert", args=[alert.public_id])).content.decode()
    assert "protected person’s device was given or taken back" in page
    assert f"carrying {carried.pk} ended, recorded by eve" in page
    assert HER_PLACE.search(page) is None


def test_neither_rows_that_wake_pages_nor_metrics_nor_the_log_know_her(alert, capsys):
    rows = json.dumps(list(Change.objects.values("topic", "ref")))
    assert {alert.wearer.public_id, alert.public_id} >= set(
        Change.objects.values_list("ref", flat=True)
    )
    told = capsys.readouterr()
    for text in (rows, generate_latest().decode(), told.out, told.err):
        assert HER_PLACE.search(text) is None


def test_violations_and_states_keep_no_place_of_hers(alert, tmp_path):
    out = tmp_path / "violations.jsonl"
    export_violations(out, by="shell:test")
    kept = json.dumps(list(Correction.objects.values("before", "after", "cause")))
    fix = json.dumps(alert.wearer.state.fix) + json.dumps(alert.wearer.state.standings)
    for text in (out.read_text(), kept, fix):
        assert HER_PLACE.search(text) is None


@pytest.mark.parametrize("format_", [Format.CSV, Format.GPX, Format.MF_JSON])
def test_an_export_leaves_her_out_and_says_so(alert, phone, tmp_path: Path, format_):
    out = tmp_path / "fixes"
    written, withheld = export_fixes(out, by="shell:test", format_=format_)
    assert (written.rows, withheld.victims) == (38, 38)
    assert HER_PLACE.search(out.read_text()) is None
    _, withheld = export_fixes(out, by="shell:test", format_=format_, tag=phone)
    assert withheld.victims == 38
    assert HER_PLACE.search(out.read_text().replace(str(phone.name), "")) is None


def test_her_reports_are_exported_when_asked_for_and_that_is_recorded(alert, tmp_path: Path):
    out = tmp_path / "fixes.csv"
    written, withheld = export_fixes(out, by="shell:test", victims=True)
    assert (written.rows, withheld.victims) == (76, 0)
    hers = [line for line in out.read_text().splitlines() if line.startswith("P1,")]
    assert len(hers) == 38
    assert all(line.endswith(",victim,") and "51.5312" in line for line in hers)
    assert Entry.objects.filter(event="fixes.exported").latest("id").detail["victims"] is True


def test_what_she_carried_before_is_nobodys_again(alert, carried, eve, phone, tmp_path: Path):
    end_carrying(by=eve, carrying=carried, to_at=at(20), reason="handed back")
    deliver(phone, [Sent(at(60), (HER_LAT + 1, HER_LON))])
    out = tmp_path / "fixes.csv"
    _, withheld = export_fixes(out, by="shell:test")
    assert withheld.victims == 20
    assert out.read_text().count("nobody") == 19


def test_each_approach_is_an_alert_of_its_own(
    alert,
    tag,  # noqa: F811
    phone,
):
    """Hours later he comes again: another approach, another alert."""
    detector = Detector()
    later = timedelta(hours=5)
    for n in range(30):
        deliver(tag, [Sent(at(38 + n), (HER_LAT + 0.03 + 0.0001 * (n % 2), HER_LON))])
        deliver(phone, [Sent(at(38.4 + n), at_home(n))])
    detector.detect()
    open_alerts()
    for n in range(38):
        deliver(tag, [Sent(at(n) + later, past_her(n))])
        deliver(phone, [Sent(at(n + 0.4) + later, at_home(n))])
        detector.detect()
        open_alerts()
    assert Alert.objects.filter(title__contains="a protected person").count() == 2
