"""`ringfence import fixes`: each row once, or refused by number; and back out as it came in."""

from __future__ import annotations

import csv
import json
import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from pyarrow import parquet
from typer.testing import Result

from ringfence import cli_import
from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.device_actions import add_device
from ringfence.desk.cases.models import Fitting, Tag
from ringfence.desk.cases.tag_actions import end_fitting, fit_tag, make_owntracks_key
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring import importing
from ringfence.desk.monitoring.detect import detect, forget
from ringfence.desk.monitoring.exporting import stored_fixes
from ringfence.desk.monitoring.import_rows import Choice
from ringfence.desk.monitoring.models import Frame, Report, Violation
from ringfence.desk.monitoring.queries import feed_age_s
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.codecs.ringfence_json import JSON, decode
from ringfence.gateway.report import Delivery, KnownTag
from ringfence.trail.reports import Reading
from tests.cli.conftest import Run

AT = datetime(2026, 3, 1, 10, 2, tzinfo=UTC)
SINCE = "2026-01-01T00:00:00Z"
WHY = ("--reason", "transfer from the former supplier")
HEADER = "tag,time,lat,lon,accuracy_m"


def good(minute: int = 0, tag: str = "T1") -> str:
    return f"{tag},{(AT + timedelta(minutes=minute)).isoformat()},51.5,-0.1,8"


@pytest.fixture
def t1(run: Run) -> Tag:
    assert run("tags", "add", "T1", "--wearer", "X000001", "--from", SINCE).exit_code == 0
    return Tag.objects.get(name="T1")


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "IDLE_S", 0.0)


def written(path: Path, *rows: str, header: str = HEADER) -> str:
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def refused(result: Result, *told: str) -> None:
    assert result.exit_code == 2
    for text in told:
        assert text in result.stderr
    assert not Report.objects.exists()
    assert not Entry.objects.filter(event__startswith="fixes.").exists()


def test_rows_become_reports_of_their_tag_with_who_took_them_in_and_why(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    before_ms = to_ms(now())
    result = run("import", "fixes", written(tmp_path / "a.csv", good(), good(1)), *WHY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "a.csv: 2 reports stored, 0 known already" in result.stdout
    first, _ = Report.objects.order_by("id")
    assert (first.tag, first.time_ms, first.lat_e7, first.lon_e7, first.accuracy_m) == (
        *(t1, to_ms(AT), 515_000_000, -1_000_000, 8.0),
    )
    assert before_ms <= first.received_ms <= to_ms(now())
    begun, done = Entry.objects.filter(event__startswith="fixes.").order_by("id")
    sha256 = begun.detail["sha256"]
    assert (begun.event, begun.detail) == (
        "fixes.import_begun",
        {"sha256": sha256, "usable": 2, "refused": 0, "tags": [t1.pk]},
    )
    assert done.event == "fixes.imported"
    assert done.detail == {"sha256": sha256, "accepted": 2, "duplicate": 0, "refused": 0}
    assert begun.subject == done.subject == f"file:{sha256[:32]}"
    assert {begun.reason, done.reason} == {WHY[1]}
    assert begun.actor.startswith("shell:")


def test_the_rows_as_they_stood_are_kept_as_evidence(run: Run, t1: Tag, tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        good() + ",44",
        good(1) + ",45",
        good(2, "T9") + ",46",
        header=HEADER + ",shoe",
    )
    run("import", "fixes", path, *WHY)
    frame = Frame.objects.get()
    assert (frame.door, frame.tag) == ("import", t1)
    assert frame.peer == Entry.objects.filter(event="fixes.imported").get().detail["sha256"]
    names, *rows = [json.loads(line) for line in bytes(frame.raw).decode().splitlines()]
    assert names == ["row", *HEADER.split(","), "shoe"]
    assert [(row[0], row[-1]) for row in rows] == [(2, "44"), (3, "45")]


def test_the_same_file_again_stores_nothing_twice(run: Run, t1: Tag, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", good(), good(1), good())
    assert "2 reports stored, 1 known already" in run("import", "fixes", path, *WHY).stdout
    again = run("import", "fixes", path, *WHY)
    assert "0 reports stored, 3 known already" in again.stdout
    assert again.exit_code == 0
    assert Report.objects.count() == 2
    assert Frame.objects.count() == 1


def test_a_report_that_a_door_took_is_known(run: Run, t1: Tag, tmp_path: Path) -> None:
    body = (
        b'{"tag":"T1","reports":[{"seq":1,"time":"2026-03-01T10:02:00Z","lat":51.5000001,'
        b'"lon":-0.1,"accuracy_m":8.3,"source":"gps","speed_mps":1.1,"signals":["strap_cut"]}]}'
    )
    sent = decode(body, JSON).reports
    store([Delivery(KnownTag(t1.pk, "T1"), "reports", "", body, to_ms(AT), sent)])
    for name in ("a.csv", "a.parquet", "a.geoparquet", "a.gpx", "a.mfjson"):
        out = str(tmp_path / name)
        assert run("export", "fixes", "--out", out).exit_code == 0
        result = run("import", "fixes", out, *WHY)
        assert "0 reports stored, 1 known already" in result.stdout, (name, result.stderr)
    assert Report.objects.count() == 1


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.geoparquet", "a.mfjson"])
def test_what_goes_out_comes_into_another_platform_the_same(
    run: Run, t1: Tag, tmp_path: Path, name: str
) -> None:
    rows = [
        f'{{"time":"2026-03-01T10:{n:02d}:00Z","seq":{n},"lat":{51.5 + n * 1e-7:.7f},"lon":-0.1,'
        f'"accuracy_m":{8.1 + n},"hdop":0.{n},"battery_pct":81,"satellites":9}}'
        for n in range(30)
    ]
    rows.append('{"time":"2026-03-01T10:30:00.500Z","signals":["strap_cut","battery_low"]}')
    body = f'{{"tag":"T1","reports":[{",".join(rows)}]}}'.encode()
    sent = decode(body, JSON).reports
    received_ms = to_ms(AT + timedelta(hours=1))
    store([Delivery(KnownTag(t1.pk, "T1"), "reports", "", body, received_ms, sent)])
    before = list(stored_fixes(by_tag=True))
    out = tmp_path / name
    run("export", "fixes", "--out", str(out))
    Report.objects.all().delete()
    Frame.objects.all().delete()
    result = run("import", "fixes", str(out), *WHY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(stored_fixes(by_tag=True)) == before
    assert sorted(Report.objects.values_list("digest", flat=True)) == sorted(r[0] for r in sent)


def test_a_gpx_says_how_many_reports_it_has_no_room_for(run: Run, t1: Tag, tmp_path: Path) -> None:
    written(tmp_path / "a.csv", good() + ",", "T1,2026-03-01T10:02:00Z,,,,sos",
            header=HEADER + ",signals")  # fmt: skip
    run("import", "fixes", str(tmp_path / "a.csv"), *WHY)
    result = run("export", "fixes", "--out", str(tmp_path / "a.gpx"))
    assert result.exit_code == 0
    assert "1 reports in" in result.stderr
    assert "1 reports without a position are not in a GPX" in result.stderr


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (("--out", "a.parquet"), b"PAR1"),
        (("--out", "a.GPX"), b"<?xml"),
        (("--out", "a.json"), b"{"),
        (("--out", "a.txt"), b"tag,wearer"),
        (("--out", "a.csv", "--format", "mf-json"), b"{"),
    ],
)
def test_the_format_is_as_asked_or_as_the_file_is_called(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], start: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("export", "fixes", *words)
    assert result.exit_code == 0, result.stderr
    assert Path(words[1]).read_bytes().startswith(start)


def test_geo_makes_a_parquet_file_a_geoparquet_one(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    assert run("export", "fixes", "--geo", "--out", str(out)).exit_code == 0
    assert b'"primary_column": "geometry"' in out.read_bytes()
    wrong = run("export", "fixes", "--geo", "--out", str(tmp_path / "a.csv"))
    assert (wrong.exit_code, "--geo is for Parquet" in wrong.stderr) == (2, True)
    unknown = run("export", "fixes", "--format", "xls", "--out", str(out))
    assert "--format xls is none of csv, parquet, geoparquet, gpx, mf-json" in unknown.stderr


def test_a_refused_row_is_named_and_the_rest_goes_in(run: Run, t1: Tag, tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        good(),
        good(1, "T9"),
        good(2, ""),
        "T1,2026-03-01T10:02:00Z,91.2345,-0.1,8",
        good(3) + ",9",
        good(4),
    )
    errors = tmp_path / "errors.csv"
    result = run("import", "fixes", path, *WHY, "--errors", str(errors))
    assert result.exit_code == 1
    assert "a.csv: 2 reports stored" in result.stdout
    assert "a.csv: 4 rows refused" in result.stderr
    told = list(csv.reader(errors.open()))
    assert told[0] == ["file", "row", "reason"]
    assert sorted((int(row), why.split(":")[0]) for _, row, why in told[1:]) == [
        (3, "its tag is not recorded"),
        (4, "no tag"),
        (5, "latitude is outside −90…90 degrees"),
        (6, "6 fields where the header has 5"),
    ]
    assert "91.2345" not in errors.read_text() + result.stderr
    assert Entry.objects.filter(event="fixes.imported").get().detail["refused"] == 4


def test_without_an_error_report_some_are_named_and_the_rest_is_counted(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", good(), *(good(n, "T9") for n in range(30)))
    result = run("import", "fixes", path, *WHY)
    assert result.stderr.count(" row ") == cli_import.SHOWN
    assert "10 more rows: its tag is not recorded" in result.stderr
    assert "--errors FILE lists each of them" in result.stderr


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    run("import", "fixes", written(tmp_path / "a.csv", good()), *WHY)
    path = written(tmp_path / "b.csv", good(), good(1), good(1), good(2, "T9"))
    entries = Entry.objects.count()
    result = run("import", "fixes", path, "--dry-run")
    assert result.exit_code == 1
    assert "1 reports would be stored, 2 are known already; nothing was written" in result.stdout
    assert (Report.objects.count(), Entry.objects.count()) == (1, entries)


def test_files_go_in_one_after_the_other_and_the_worst_decides_unless_none_is_good(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    a = written(tmp_path / "a.csv", good())
    b = written(tmp_path / "b.csv", good(1))
    assert run("import", "fixes", a, b, *WHY).exit_code == 0
    absent = str(tmp_path / "absent.csv")
    mixed = run("import", "fixes", a, absent, *WHY)
    assert (mixed.exit_code, "absent.csv: No such file" in mixed.stderr) == (1, True)
    assert run("import", "fixes", absent, absent, *WHY).exit_code == 2


def test_a_file_of_no_rows_is_all_in(run: Run, t1: Tag, tmp_path: Path) -> None:
    result = run("import", "fixes", written(tmp_path / "a.csv"), *WHY)
    assert (result.exit_code, "no rows in it" in result.stderr) == (0, True)


def test_a_file_of_which_no_row_is_usable_leaves_no_trace(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    refused(
        run("import", "fixes", written(tmp_path / "a.csv", good(0, "T9")), *WHY), "not recorded"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), ("say why with --reason",)),
        ((*WHY, "--tag", "T9"), ("tag T9 is not recorded", "ringfence tags list")),
        ((*WHY, "--tag", "T1", "--tags-column", "tag"), ("exclude each other",)),
        ((*WHY, "--tags-column", "device"), ("no column device (there are: tag, time,",)),
        ((*WHY, "--zone", "Europe/Londn"), ("is not a time zone", "Europe/London or UTC")),
        ((*WHY, "--twice", "third"), ("--twice is none of refuse, first, second",)),
        ((*WHY, "--errors", "/nowhere/e.csv"), ("/nowhere/e.csv: No such file",)),
    ],
)
def test_what_can_t_be_done_is_refused_with_what_to_do(
    run: Run, t1: Tag, tmp_path: Path, words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    refused(run("import", "fixes", written(tmp_path / "a.csv", good()), *words), *told)


def test_a_file_that_says_no_tag_needs_one(run: Run, t1: Tag, tmp_path: Path) -> None:
    row = good().partition(",")[2]
    path = written(tmp_path / "a.csv", row, header=HEADER.partition(",")[2])
    refused(run("import", "fixes", path, *WHY), "give --tag TAG if all are one tag's")
    assert run("import", "fixes", path, *WHY, "--tag", "T1").exit_code == 0


def test_times_without_a_zone_are_refused_until_a_person_says_which(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", "T1,2026-07-01 10:02:00,51.5,-0.1,8")
    refused(run("import", "fixes", path, *WHY), "say no time zone: give --zone Europe/London")
    assert run("import", "fixes", path, *WHY, "--zone", "Europe/London").exit_code == 0
    assert Report.objects.get().time_ms == to_ms(datetime(2026, 7, 1, 9, 2, tzinfo=UTC))


def test_a_time_that_happens_twice_is_named_also_where_it_is_taken(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", "T1,2026-10-25 01:30:00,51.5,-0.1,8")
    said = (*WHY, "--zone", "Europe/London", "--twice", "second")
    result = run("import", "fixes", path, *said)
    assert result.exit_code == 0
    assert "row 2: time happened twice, when the clock went back: the second taken" in result.stderr
    assert "1 rows taken with a time that happened twice" in result.stderr


def test_a_row_of_another_wearer_than_wore_the_tag_is_refused(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    by = "shell:test"
    end_fitting(by=by, fitting=Fitting.objects.get(), to_at=AT + timedelta(minutes=5))
    other = add_wearer(by=by, crn="X000002")
    fit_tag(by=by, tag=t1, wearer=other, from_at=AT + timedelta(minutes=5))
    header = HEADER + ",wearer"
    path = written(
        tmp_path / "a.csv",
        good(0) + ",X000001",
        good(6) + ",X000002",
        good(7) + ",X000001",
        good(8) + ",someone we do not know",
        good(-200_000) + ",X000001",
        header=header,
    )
    result = run("import", "fixes", path, *WHY)
    assert result.exit_code == 1
    assert "row 4: its tag was on another wearer at that time" in result.stderr
    assert "X00000" not in result.stderr
    assert Report.objects.count() == 4
    assert "1 reports of a time at which nobody wore the tag: kept, not judged" in result.stderr


def test_a_file_of_several_people_is_not_one_tags(run: Run, t1: Tag, tmp_path: Path) -> None:
    run("tags", "add", "T2")
    header = "subject,time,lat,lon,accuracy_m"
    path = written(tmp_path / "a.csv", good(0, "tag-a"), good(1, "tag-b"), header=header)
    refused(run("import", "fixes", path, *WHY, "--tag", "T1"), "several devices or people")
    assert run("import", "fixes", path, *WHY, "--tags-column", "subject").exit_code == 2
    mixed = written(tmp_path / "b.csv", good(0, "T1"), good(1, "T2"))
    result = run("import", "fixes", mixed, *WHY, "--tag", "T1")
    assert "row 3: it names another tag than --tag" in result.stderr
    assert Report.objects.get().tag == t1


def test_a_device_id_is_its_tags(run: Run, t1: Tag, tmp_path: Path) -> None:
    add_device(by="shell:test", tag=t1, device_id="356938035643809")
    header = "device_id,position_gps_date,position_latitude,position_longitude"
    path = written(tmp_path / "a.csv", "356938035643809,2026-03-01 10:02:00,51.5,-0.1",
                   header=header)  # fmt: skip
    result = run("import", "fixes", path, *WHY, "--zone", "UTC")
    assert result.exit_code == 0, result.stderr
    assert Report.objects.get().tag == t1


def test_received_is_what_the_file_says_unless_it_is_later_than_now(
    run: Run, t1: Tag, tmp_path: Path
) -> None:
    path = written(
        tmp_path / "a.csv",
        good(0) + ",2026-03-01T10:02:01Z",
        good(1) + ",2098-01-01T00:00:00Z",
        good(2) + ",2026-03-01T09:00:00Z",
        header=HEADER + ",received",
    )
    result = run("import", "fixes", path, *WHY)
    assert "row 3: received is later than now" in result.stderr
    assert "1 reports dated after their receipt: kept, not judged" in result.stderr
    assert sorted(Report.objects.values_list("received_ms", flat=True)) == [
        to_ms(AT - timedelta(minutes=62)),
        to_ms(AT + timedelta(seconds=1)),
    ]


def recording(*messages: dict[str, Any]) -> str:
    lines = [f"2026-03-01T10:02:03Z\t*                 \t{json.dumps(m)}" for m in messages]
    return "\n".join(lines) + "\n"


def test_an_owntracks_recording_is_one_tags(run: Run, t1: Tag, tmp_path: Path) -> None:
    located = {"_type": "location", "tst": to_ms(AT) // 1000, "lat": 51.5, "lon": -0.1, "acc": 8}
    path = tmp_path / "2026-03.rec"
    path.write_text(
        recording(located, {"_type": "lwt", "tst": 1}, {**located, "lat": 91.2345})
        + "\nno line\n"
        + recording({"_type": "encrypted", "data": "AAAA"})
    )
    refused(run("import", "fixes", str(path), *WHY), "names no tag: give --tag")
    result = run("import", "fixes", str(path), *WHY, "--tag", "T1")
    assert result.exit_code == 1
    assert "1 reports stored" in result.stdout
    assert "1 messages without a fix" in result.stderr
    assert [line.split(" row ")[1].split(":")[0] for line in result.stderr.splitlines()
            if " row " in line] == ["3", "5", "6"]  # fmt: skip
    assert "91.2345" not in result.stderr
    report = Report.objects.get()
    assert (report.time_ms, report.lat_e7) == (to_ms(AT), 515_000_000)
    assert report.received_ms == to_ms(AT) + 3000


def test_a_sealed_message_is_opened_with_its_tags_key(run: Run, t1: Tag, tmp_path: Path) -> None:
    box = box_of(make_owntracks_key(by="shell:test", tag=t1))
    located = {"_type": "location", "tst": to_ms(AT) // 1000, "lat": 51.5, "lon": -0.1}
    sealed = b64encode(box.encrypt(json.dumps(located).encode())).decode()
    path = tmp_path / "a.rec"
    path.write_text(recording({"_type": "encrypted", "data": sealed}))
    assert run("import", "fixes", str(path), *WHY, "--tag", "T1").exit_code == 0
    assert Report.objects.get().lat_e7 == 515_000_000


def test_who_may_not_manage_tags_takes_nothing_in(run: Run, t1: Tag, tmp_path: Path) -> None:
    ada = User.objects.create_user(username="ada", password=None, role="auditor")
    path, choice = Path(written(tmp_path / "a.csv", good())), Choice(Reading())
    seen = importing.look(path, choice, tell=print, advance=lambda _: None)
    with pytest.raises(NotPermittedError):
        importing.import_fixes(path, choice, seen, by=ada, reason="x", advance=lambda _: None)
    with pytest.raises(importing.NoReasonError):
        importing.import_fixes(path, choice, seen, by="shell:t", reason=" ", advance=lambda _: None)
    assert not Report.objects.exists()


def test_what_can_t_be_recorded_is_not_taken_in(
    run: Run, t1: Tag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError("no log")

    monkeypatch.setattr(importing, "record", broken)
    result = run("import", "fixes", written(tmp_path / "a.csv", good()), *WHY)
    assert result.exit_code == 1
    assert "can't be written" in result.stderr
    assert not Report.objects.exists()


def test_a_real_tags_trail_goes_in_out_and_in_again_in_every_format(
    run: Run, t1: Tag, tmp_path: Path, shared: Path
) -> None:
    whole = parquet.read_table(shared / "traces" / "real_tag_dev.parquet")
    trace = str(tmp_path / "trace.parquet")
    # Each third of 3,359: all kinds of fix are among them, and there are five formats to go.
    parquet.write_table(whole.take(list(range(0, len(whole), 3))), trace)
    assert run("import", "fixes", trace, *WHY, "--tag", "T1").exit_code == 0
    count = Report.objects.count()
    assert 1_100 < count <= 1_120
    for name in ("a.csv", "a.parquet", "a.geoparquet", "a.gpx", "a.mfjson"):
        out = str(tmp_path / name)
        run("export", "fixes", "--out", out)
        again = run("import", "fixes", out, *WHY)
        assert f"0 reports stored, {count:,} known already" in again.stdout, name


def test_an_import_is_judged_as_late_data(run: Run, t1: Tag, tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[-0.11, 51.49], [-0.09, 51.49], [-0.09, 51.51],
              [-0.11, 51.51], [-0.11, 51.49]]]}  # fmt: skip
    feature = {"type": "Feature", "id": "c1", "geometry": square, "properties": {
        "wearer": "X000001", "kind": "exclusion", "from": SINCE}}  # fmt: skip
    conditions = tmp_path / "c.json"
    conditions.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert run("import", "conditions", str(conditions)).exit_code == 0
    forget()
    far = "T1,2026-03-02T10:00:00Z,51.6,-0.3,8"
    run("import", "fixes", written(tmp_path / "live.csv", far), *WHY)
    while detect():
        pass
    assert not Violation.objects.filter(kind="exclusion").exists()
    run("import", "fixes", written(tmp_path / "old.csv", *map(good, range(6))), *WHY)
    while detect():
        pass
    found = Violation.objects.get(kind="exclusion")
    assert (found.state, found.late) == ("confirmed", True)
    forget()


def test_an_import_does_not_make_a_dead_feed_look_alive(run: Run, t1: Tag, tmp_path: Path) -> None:
    run("import", "fixes", written(tmp_path / "a.csv", good()), *WHY)
    assert feed_age_s() is None
    body = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:03:00Z"}]}'
    an_hour_ago_ms = to_ms(now()) - 3_600_000
    sent = decode(body, JSON).reports
    store([Delivery(KnownTag(t1.pk, "T1"), "reports", "", body, an_hour_ago_ms, sent)])
    run("import", "fixes", written(tmp_path / "b.csv", good(7)), *WHY)
    assert 3600 <= (feed_age_s() or 0) < 3700


def test_a_file_that_changes_meanwhile_is_not_called_imported(
    run: Run, t1: Tag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.csv", good())

    def slow(deliveries: list[Delivery]) -> Any:
        written(tmp_path / "a.csv", good(1), good(2))
        return store(deliveries)

    monkeypatch.setattr(importing, "store", slow)
    result = run("import", "fixes", path, *WHY)
    assert result.exit_code == 2
    assert "it changed while it was read: run the same command again" in result.stderr
    assert not Entry.objects.filter(event="fixes.imported").exists()


def test_a_pipe_is_refused_since_a_file_is_read_twice(run: Run, t1: Tag, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(run("import", "fixes", str(tmp_path / "pipe"), *WHY), "write it to a file first")
    refused(run("import", "fixes", str(tmp_path), *WHY), "Is a directory")


def test_an_import_that_did_not_end_goes_on_and_says_so(
    run: Run, t1: Tag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.csv", *map(good, range(9)))
    monkeypatch.setattr(importing, "GROUP", 2)
    calls = []

    def fails_at_the_third(deliveries: list[Delivery]) -> Any:
        calls.append(deliveries)
        if len(calls) == 3:
            raise DatabaseError("database or disk is full")
        return store(deliveries)

    monkeypatch.setattr(importing, "store", fails_at_the_third)
    broken = run("import", "fixes", path, *WHY)
    assert broken.exit_code == 1
    assert "run the same command again" in broken.stderr
    assert Report.objects.count() == 4
    again = run("import", "fixes", path, *WHY)
    assert again.exit_code == 0
    assert "an earlier import of this file did not end: going on" in again.stderr
    assert "5 reports stored, 4 known already" in again.stdout
    assert "did not end" not in run("import", "fixes", path, *WHY).stderr
