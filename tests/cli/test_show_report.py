"""`ringfence show-report`: raw, decoded and judged, of whatever door, with a reason and a name."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from ringfence.desk.accounts.actions import add_user
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_condition, add_order, add_victim, add_wearer
from ringfence.desk.cases.carrying_actions import give_device
from ringfence.desk.cases.device_actions import add_device
from ringfence.desk.cases.models import Tag, Wearer
from ringfence.desk.cases.tag_actions import fit_tag, make_owntracks_key
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring import detect
from ringfence.desk.monitoring.gatekeeper import known_tag
from ringfence.desk.monitoring.inspecting import note_inspection
from ringfence.desk.monitoring.models import Frame, Quarantine, Report, fingerprint
from ringfence.desk.monitoring.prospects import reread_frame
from ringfence.desk.monitoring.quarantine_actions import redecode
from ringfence.desk.monitoring.storing import store
from ringfence.engine.conditions import Condition, Kind
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.report import Delivery
from tests.cli.conftest import Run
from tests.desk.conftest import SQUARE, START_AT
from tests.desk.monitoring.conftest import VISIT, at
from tests.gateway.codecs import queclink_frames, tag_frames

pytestmark = pytest.mark.django_db(transaction=True)
TIME = "2026-03-01T10:02:00Z"
RECEIVED_MS = tag_frames.AT_MS + 5_000
FIX = {"time": TIME, "lat": 51.5, "lon": -0.1, "accuracy_m": 8}
BODY = {"tag": "T1", "reports": [FIX, FIX | {"seq": 2}]}
LOCATION = b'{"_type":"location","tst":1772359320,"lat":51.5,"lon":-0.1,"SSID":"x"}'


@pytest.fixture
def tag(run: Run) -> Tag:
    assert run("tags", "add", "T1").exit_code == 0
    for name, role in (("ola", "officer"), ("eve", "equipment")):
        add_user(by="system:test", username=name, role=role)
    detect.forget()
    return Tag.objects.get()


def came(tag: Tag, door: str, raw: bytes, received_ms: int = RECEIVED_MS) -> Report:
    """Store bytes as their door would: decoded by its codec."""
    frame = Frame(tag=tag, door=door, received_ms=received_ms, raw=raw)
    reports = list(reread_frame(frame).reports)
    assert reports
    store([Delivery(known_tag(tag), door, "192.0.2.1", raw, received_ms, reports)])
    return Report.objects.earliest("id")


def show(run: Run, report: Report, by: str = "eve", code: int = 0) -> dict[str, Any]:
    words = ("show-report", str(report.pk), "--by", by, "--why", "a court asks", "--json")
    result = run(*words)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def sealed(tag: Tag) -> bytes:
    secret = make_owntracks_key(by="system:test", tag=tag)
    tag.refresh_from_db()
    data = b64encode(box_of(secret).encrypt(LOCATION)).decode()
    return json.dumps({"_type": "encrypted", "data": data}).encode()


POSITION = {"valid": True, "fixTime": TIME, "latitude": 51.5, "longitude": -0.1, "odd": 7}
DOORS = {
    "reports": json.dumps(BODY).encode(),
    "owntracks": LOCATION,
    "osmand": b"id=T1&lat=51.5&lon=-0.1&odd=7",
    "traccar": json.dumps({"position": POSITION, "device": {"uniqueId": "T1"}}).encode(),
    "mqtt": LOCATION,
    "queclink": queclink_frames.fri(),
    "teltonika": tag_frames.packet([tag_frames.record()]),
    "megastek": tag_frames.mgv(),
    "r16h": b"@GPSD,,R,20260301,100200,48.654321,N,9.123456,W,3.6,271,12,81,L,$",
}


@pytest.mark.parametrize("door", DOORS)
def test_every_doors_bytes_are_read_anew_and_agree(run: Run, tag: Tag, door: str) -> None:
    for imei in (tag_frames.IMEI, "350000000000025"):
        add_device(by="system:test", tag=tag, device_id=imei)
    report = came(tag, door, DOORS[door])
    said = show(run, report)
    assert said["decoded"]["stands"] == "agrees"
    assert said["decoded"]["report"] == said["stored"]
    assert bytes.fromhex(said["raw"]["hex"]) == DOORS[door]
    assert (said["raw"]["door"], said["raw"]["unchanged"]) == (door, True)
    if door in ("owntracks", "mqtt"):
        assert said["decoded"]["unnamed"] == {"SSID": "x"}
    if door in ("osmand", "traccar"):
        assert "odd" in said["decoded"]["unnamed"]


def test_a_report_that_came_before_its_time_agrees_with_its_bytes(run: Run, tag: Tag) -> None:
    said = show(run, came(tag, "reports", DOORS["reports"], RECEIVED_MS - 3_600_000), code=0)
    assert said["decoded"]["stands"] == "agrees"
    assert "two minutes after it came" in said["judged"]["no_part"]


def test_messagepack_too(run: Run, tag: Tag) -> None:
    assert show(run, came(tag, "reports", msgpack.encode(BODY)))["decoded"]["stands"] == "agrees"


def test_an_encrypted_message_is_opened_by_its_tags_key(run: Run, tag: Tag) -> None:
    said = show(run, came(tag, "owntracks", sealed(tag)))
    assert said["decoded"]["report"]["lat"] == 51.5
    make_owntracks_key(by="system:test", tag=tag)
    lost = show(run, Report.objects.get(), code=1)
    assert lost["decoded"]["stands"] == "absent"
    assert "decrypted" in lost["decoded"]["unusable"]


@pytest.mark.parametrize("zone", [(), ("--zone", "Europe/London")])
def test_an_imported_row_is_found_in_its_file(
    run: Run, tag: Tag, tmp_path: Path, zone: tuple[str, ...]
) -> None:
    times = ("2026-07-01T10:02:00", "2026-07-01T10:03:00")
    rows = [f"{time}{'' if zone else 'Z'},51.5,-0.1,{n}" for n, time in enumerate(times)]
    file = tmp_path / "fixes.csv"
    file.write_text("time,lat,lon,remark\n" + "\n".join(rows))
    done = run("import", "fixes", str(file), "--tag", "T1", "--reason", "moved", *zone)
    assert done.exit_code == 0, done.output
    said = show(run, Report.objects.latest("id"))
    assert said["decoded"]["stands"] == "agrees"
    assert said["decoded"]["unnamed"]["remark"] == "1"
    assert said["decoded"]["unnamed"]["time"].startswith(times[1])
    assert said["raw"]["peer"] == Entry.objects.get(event="fixes.imported").detail["sha256"]


def wes(tag: Tag) -> Wearer:
    wearer = add_wearer(by="system:test", crn="X000001", name="Wes Weller")
    order = add_order(
        by="system:test", wearer=wearer, reference="LIC-1", type="licence", from_at=START_AT
    )
    zone = Condition("c1", "X000001", Kind.EXCLUSION, START_AT, geometry=SQUARE)
    add_condition(by="system:test", order=order, rule=zone)
    fit_tag(by="system:test", tag=tag, wearer=wearer, from_at=at(-60))
    return wearer


def test_an_inspection_is_shown_as_what_it_is(run: Run, tag: Tag) -> None:
    report = action(note_inspection)(by="ola", wearer=wes(tag), at=now())
    assert report is not None
    said = show(run, report, by="ola")
    assert (said["raw"]["door"], said["decoded"]["stands"]) == ("desk", "agrees")


def test_it_says_how_a_report_was_judged(run: Run, tag: Tag) -> None:
    wes(tag)
    fixes = [
        {"time": s.at.isoformat(), "lat": s.place[0], "lon": s.place[1], "accuracy_m": 8}
        for s in VISIT
        if s.place
    ]
    came(tag, "reports", json.dumps({"tag": "T1", "reports": fixes}).encode(), to_ms(at(11)))
    first = Report.objects.get(time_ms=to_ms(at(3)))
    assert "not judged yet" in show(run, first, by="ola")["judged"]["no_part"]
    while detect.detect():
        pass
    judged = show(run, first, by="ola")["judged"]
    assert (judged["wearer"], judged["no_part"]) == ("X000001", "")
    (part,) = judged["violations"]
    assert part["as"][0] == "first"
    assert (part["kind"], part["condition"], part["state"]) == ("exclusion", "c1", "confirmed")
    shown = run("show-report", str(first.pk), "--by", "ola", "--why", "a court asks").stdout
    assert "first fix of violation" in shown or "first, " in shown
    outside = Report.objects.get(time_ms=to_ms(at(1)))
    assert show(run, outside, by="ola")["judged"]["violations"] == []


def test_a_doubt_is_told(run: Run, tag: Tag) -> None:
    wes(tag)
    fix = {"time": at(0).isoformat(), "lat": 51.5, "lon": -0.2}
    report = came(
        tag, "reports", json.dumps({"tag": "T1", "reports": [fix]}).encode(), to_ms(at(1))
    )
    detect.detect()
    assert "no accuracy given" in show(run, report, by="ola")["judged"]["doubts"]


def test_what_took_no_part_says_why(run: Run, tag: Tag) -> None:
    report = came(tag, "reports", DOORS["reports"])
    assert "nobody wore its tag" in show(run, report)["judged"]["no_part"]
    Report.objects.filter(pk=report.pk).update(time_ms=RECEIVED_MS + 121_000)
    said = show(run, report, code=1)
    assert "two minutes after it came" in said["judged"]["no_part"]
    assert (said["decoded"]["stands"], said["decoded"]["differs_in"]) == ("altered", ["time_ms"])


def test_another_reading_and_changed_bytes_are_told(run: Run, tag: Tag) -> None:
    report = came(tag, "reports", DOORS["reports"])
    Report.objects.filter(pk=report.pk).update(lat_e7=515_000_001, digest=5)
    said = show(run, report, code=1)
    assert (said["decoded"]["stands"], said["decoded"]["differs_in"]) == (
        "differs",
        ["digest", "lat_e7"],
    )
    words = ("show-report", str(report.pk), "--by", "eve", "--why", "a court asks")
    shown = run(*words).stdout
    assert "51.5000001" in shown
    assert "<- differs" in shown
    assert "reads this frame differently" in shown
    Frame.objects.update(raw=b"else")
    shown = run(*words).stdout
    assert "CHANGED: these are not the bytes that came" in shown


def test_what_came_out_of_the_quarantine_says_so(run: Run, tag: Tag) -> None:
    raw = queclink_frames.fri()
    item = Quarantine.objects.create(
        door="queclink", peer="192.0.2.7", received_ms=RECEIVED_MS, reason="unauthenticated",
        raw=raw, size=len(raw), sha256=fingerprint(raw),
    )  # fmt: skip
    add_device(by="system:test", tag=tag, device_id=queclink_frames.IMEI)
    redecode(by="system:test", item=item, why="fitted an hour before", tag="T1")
    report = Report.objects.get()
    origin = show(run, report)["raw"]["out_of_quarantine"]
    assert (origin["item"], origin["why"]) == (item.pk, "fitted an hour before")
    assert origin["tag_named_by_a_person"] is True
    shown = run("show-report", str(report.pk), "--by", "eve", "--why", "x").stdout
    assert "a person named the tag" in shown


def test_a_look_is_logged_before_anything_is_shown(run: Run, tag: Tag) -> None:
    report = came(tag, "reports", DOORS["reports"])
    show(run, report)
    entry = Entry.objects.get(event="person.looked_at")
    assert entry.actor.endswith(" for eve")
    assert (entry.subject, entry.reason) == (f"tag:{tag.pk}", "a court asks")
    wearer = wes(tag)
    fit = {"time": at(0).isoformat(), "lat": 51.5, "lon": -0.2}
    worn = json.dumps({"tag": "T1", "reports": [fit]}).encode()
    came(tag, "reports", worn, to_ms(at(1)))
    show(run, Report.objects.latest("id"), by="ola")
    assert Entry.objects.latest("id").subject == f"wearer:{wearer.public_id}"


@pytest.mark.parametrize(
    ("by", "why", "told"),
    [
        ("oz", "x", "nobody is called oz"),
        ("eve", "x", "the role of eve lacks see_trail"),
        ("ola", " ", "Say why"),
    ],
)
def test_who_may_not_or_says_no_reason_sees_nothing(
    run: Run, tag: Tag, by: str, why: str, told: str
) -> None:
    wes(tag)
    fix = {"time": at(0).isoformat(), "lat": 51.5, "lon": -0.2}
    raw = json.dumps({"tag": "T1", "reports": [fix]}).encode()
    report = came(tag, "reports", raw, to_ms(at(1)))
    result = run("show-report", str(report.pk), "--by", by, "--why", why)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert not Entry.objects.filter(event="person.looked_at").exists()


def test_a_report_that_is_not_there_is_refused(run: Run, tag: Tag) -> None:
    result = run("show-report", "99", "--by", "ola", "--why", "x")
    assert (result.exit_code, "there is no report 99" in result.stderr) == (2, True)


def test_where_a_victim_was_is_shown_to_whoever_asks_for_that_and_recorded_about_her(
    run: Run, tag: Tag
):
    """Ids are numbers in a row: nobody meets her place by a number too many."""
    vera = add_victim(by="system:test", label="V1", name="Vera Vance")
    give_device(by="system:test", tag=tag, victim=vera, consent="form", from_at=START_AT)
    report = came(tag, "reports", DOORS["reports"])
    words = ["show-report", str(report.pk), "--why", "a court asks", "--by"]
    for name in ("ola", "eve"):
        result = run(*words, name)
        assert result.exit_code == 2
        assert "51.5" not in result.output
    assert not Entry.objects.filter(event="person.looked_at").exists()
    result = run(*words, "eve", "--victim")
    assert result.exit_code == 2
    assert "lacks see_trail" in result.stderr
    result = run(*words, "ola", "--victim")
    assert result.exit_code == 0
    assert "JUDGED near victim V1" in result.stdout
    assert "no wearer with a tag had to keep away from her" in result.stdout
    assert "Vera" not in result.stdout
    look = Entry.objects.get(event="person.looked_at")
    assert (look.subject, look.reason) == (f"victim:{vera.public_id}", "a court asks")
