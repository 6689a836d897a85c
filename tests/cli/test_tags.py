"""`ringfence tags …` and `ringfence export fixes`, run against the test's database."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_victim, add_wearer
from ringfence.desk.cases.models import Carrying, Fitting, Tag, Wearer
from ringfence.desk.cases.tag_actions import end_fitting, fit_tag
from ringfence.desk.cases.tokens import token_hash
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring import exporting
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.codecs.ringfence_json import JSON, decode
from ringfence.gateway.report import Delivery, KnownTag
from ringfence.trail.readers import read_fixes
from tests.cli.conftest import Run

AT = datetime(2026, 3, 1, 10, 2, tzinfo=UTC)


def refused(result: Result, *told: str) -> None:
    assert result.exit_code == 2
    for text in told:
        assert text in result.stderr


def test_adding_a_tag_prints_its_token_once_and_keeps_a_hash(run: Run) -> None:
    result = run("tags", "add", "T1")
    assert result.exit_code == 0, result.stderr
    token = result.stdout.strip()
    assert len(token) >= 40
    assert Tag.objects.get().token_hash == token_hash(token)
    assert token not in run("tags", "list").stdout


def test_a_tag_is_fitted_on_a_wearer_who_is_added_where_unknown(run: Run) -> None:
    result = run("tags", "add", "T1", "--wearer", "X000001", "--from", "2026-03-01T10:02:00Z")
    assert "wearer X000001 was not recorded: added" in result.stderr
    fitting = Fitting.objects.get()
    assert (fitting.wearer.crn, fitting.tag.name, fitting.from_at) == ("X000001", "T1", AT)
    assert run("tags", "add", "T1b", "--wearer", "X000002").exit_code == 0
    assert "T1b\tX000002\tvalid" in run("tags", "list").stdout


def test_a_second_tag_on_a_wearer_is_refused_whole(run: Run) -> None:
    run("tags", "add", "T1", "--wearer", "X000001")
    refused(run("tags", "add", "T2", "--wearer", "X000001"), "end fitting")
    assert list(Tag.objects.values_list("name", flat=True)) == ["T1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tags", "add", "T1", "--wearer", "X1", "--from", "yesterday"], "ISO 8601"),
        (["tags", "add", "T1", "--wearer", "X1", "--from", "2026-03-01T10:00:00"], "offset"),
        (["tags", "add", "T1", "--from", "2026-03-01T10:00:00Z"], "--wearer"),
        (["tags", "add", "T 1"], "without spaces"),
        (["tags", "rotate", "T9"], "tags list"),
        (["tags", "revoke", "T9", "--reason", "lost"], "tags list"),
        (["tags", "give", "T9", "--victim", "V1", "--consent", "form"], "tags list"),
        (["tags", "take-back", "T9", "--reason", "lost"], "tags list"),
        (["export", "fixes", "--out", "x.csv", "--tag", "T9"], "tags list"),
        (["export", "fixes", "--out", "x.csv", "--from", "noon"], "ISO 8601"),
        (["export", "fixes", "--out", "/nowhere/x.csv"], "can be written"),
    ],
)
def test_what_can_not_be_done_is_refused_with_what_to_do(
    run: Run, words: list[str], told: str
) -> None:
    refused(run(*words), told)
    assert not Tag.objects.exists()
    assert not Wearer.objects.exists()


def test_rotating_and_revoking_change_what_is_let_in(run: Run) -> None:
    old = run("tags", "add", "T1").stdout.strip()
    new = run("tags", "rotate", "T1").stdout.strip()
    assert Tag.objects.get().token_hash == token_hash(new) != token_hash(old)
    assert run("tags", "revoke", "T1", "--reason", "lost").exit_code == 0
    assert Tag.objects.get().revoked_at is not None
    assert "T1\t-\trevoked" in run("tags", "list").stdout
    refused(run("tags", "revoke", "T1", "--reason", "lost"), "revoked already")


def test_a_phones_key_is_printed_once_and_can_be_taken_away(run: Run) -> None:
    run("tags", "add", "T1")
    result = run("tags", "owntracks-key", "T1")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.strip()) == 32
    assert "encryption key" in result.stderr
    assert Tag.objects.get().owntracks_key is not None
    assert run("tags", "owntracks-key", "T1", "--remove").exit_code == 0
    assert Tag.objects.get().owntracks_key is None
    refused(run("tags", "owntracks-key", "T1", "--remove"), "has no OwnTracks key")
    refused(run("tags", "owntracks-key", "T9"), "tags list")


def test_a_victims_device_is_given_and_taken_back(run: Run) -> None:
    run("tags", "add", "P1")
    give = ["tags", "give", "P1", "--victim", "V1", "--consent", "form of 1 March"]
    refused(run(*give), "victim V1 is not recorded", "import conditions")
    add_victim(by="system:test", label="V1")
    refused(run(*give, "--from", "2026-03-01T10:00:00"), "--from", "offset")
    refused(run("tags", "take-back", "P1", "--reason", "lost"), "with no victim")
    assert run(*give, "--from", "2026-03-01T10:02:00Z").exit_code == 0
    assert Carrying.objects.get().from_at == AT
    assert "P1\t-\tvalid\tV1" in run("tags", "list").stdout
    refused(run(*give), "end carrying")
    back = ["tags", "take-back", "P1", "--reason", "consent withdrawn"]
    refused(run(*back, "--at", "2026-03-01T10:00:00Z"), "must be later")
    assert run(*back, "--at", "2026-03-01T11:02:00Z").exit_code == 0
    assert Carrying.objects.get().to_at == AT + timedelta(hours=1)
    assert "P1\t-\tvalid\t-" in run("tags", "list").stdout


@pytest.fixture
def stored(run: Run) -> None:
    """T1 was on X000001 until 11:00, then on X000002; T2 is on nobody."""
    since = ["--from", "2026-03-01T10:00:00Z"]
    for words in (["T1", "--wearer", "X000001", *since], ["T2"]):
        assert run("tags", "add", *words).exit_code == 0
    eleven = AT.replace(hour=11, minute=0)
    by = "system:test"
    first = Fitting.objects.get()
    end_fitting(by=by, fitting=first, to_at=eleven)
    fit_tag(by=by, tag=first.tag, wearer=add_wearer(by=by, crn="X000002"), from_at=eleven)
    full = (
        '{"seq":1,"time":"2026-03-01T10:02:00Z","lat":51.5,"lon":-0.1,"accuracy_m":8.5,'
        '"source":"gps","speed_mps":1.1,"course_deg":90,"altitude_m":3,"satellites":9,"hdop":0.9,'
        '"battery_pct":81,"signals":["strap_cut","battery_low"]}'
    )
    later = '{"seq":2,"time":"2026-03-01T11:00:00.500Z","lat":51.6,"lon":-0.0000001}'
    for tag in Tag.objects.order_by("name"):
        body = f'{{"tag":"{tag.name}","reports":[{full},{later}]}}'.encode()
        reports = decode(body, JSON).reports
        received_ms = to_ms(AT + timedelta(hours=1))
        store([Delivery(KnownTag(tag.pk, tag.name), "reports", "", body, received_ms, reports)])


def test_stored_fixes_come_out_with_every_column_and_their_wearer(
    run: Run, stored: None, tmp_path: Path
) -> None:
    out = tmp_path / "fixes.csv"
    result = run("export", "fixes", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(out.open()))
    assert rows[0] == {
        "tag": "T1", "wearer": "X000001", "seq": "1", "time": "2026-03-01T10:02:00Z",
        "received": "2026-03-01T11:02:00Z", "lat": "51.5000000", "lon": "-0.1000000",
        "accuracy_m": "8.5", "source": "gnss", "speed_mps": "1.1", "course_deg": "90.0",
        "altitude_m": "3.0", "satellites": "9", "hdop": "0.9", "battery_pct": "81.0",
        "signals": "strap_cut battery_low", "not_judged": "", "doubts": "",
    }  # fmt: skip
    assert [(r["tag"], r["wearer"]) for r in rows] == [
        ("T1", "X000001"),
        ("T1", "X000002"),
        ("T2", ""),
        ("T2", ""),
    ]
    assert [r["not_judged"] for r in rows] == ["", "", "nobody", "nobody"]
    assert (rows[1]["time"], rows[1]["lon"]) == ("2026-03-01T11:00:00.500Z", "-0.0000001")
    assert [f.name for f in tmp_path.iterdir() if "fixes" in f.name] == ["fixes.csv"]


def test_what_comes_out_can_be_judged_to_the_same_coordinate(
    run: Run, stored: None, tmp_path: Path
) -> None:
    run("export", "fixes", "--tag", "T1", "--out", str(tmp_path / "fixes.csv"))
    fixes = read_fixes(tmp_path / "fixes.csv")
    assert not fixes.refused
    assert list(fixes.batch.lon_e7) == [-1_000_000, -1]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--tag", "T2"], 2),
        (["--from", "2026-03-01T10:02:00Z"], 4),
        (["--from", "2026-03-01T10:02:00.001Z"], 2),
        (["--to", "2026-03-01T10:02:00Z"], 0),
        (["--to", "2026-03-01T11:00:00.501Z", "--from", "2026-03-01T11:00:00Z"], 2),
    ],
)
def test_an_export_may_be_of_one_tag_and_between_instants(
    run: Run, stored: None, tmp_path: Path, options: list[str], rows: int
) -> None:
    out = tmp_path / "fixes.csv"
    assert run("export", "fixes", "--out", str(out), *options).exit_code == 0
    assert len(out.read_text().splitlines()) == rows + 1


def test_an_export_of_many_pieces_is_whole(
    run: Run, stored: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PIECE", 1)
    run("export", "fixes", "--out", str(tmp_path / "fixes.csv"))
    assert len((tmp_path / "fixes.csv").read_text().splitlines()) == 5


def test_taking_fixes_out_is_on_the_audit_log(run: Run, stored: None, tmp_path: Path) -> None:
    refused(run("export", "fixes", "--tag", "T1", "--out", "/nowhere/x.csv"), "can be written")
    run("export", "fixes", "--tag", "T1", "--out", str(tmp_path / "fixes.csv"))
    entry = Entry.objects.filter(event="fixes.exported").get()
    assert entry.subject == f"tag:{Tag.objects.get(name='T1').pk}"
    assert entry.actor.startswith("shell:")


def test_a_tag_is_recorded_with_its_device(run: Run) -> None:
    words = ["--imei", "350000000000014", "--model", "FMB920", "--zone", "Europe/London"]
    done = run("tags", "add", "T1", "--protocol", "teltonika", *words)
    assert done.exit_code == 0, done.output
    listed = run("tags", "device", "list").stdout
    assert "T1\t350000000000014\tteltonika\tFMB920\tEurope/London" in listed


def test_a_device_is_added_and_taken_away(run: Run) -> None:
    run("tags", "add", "T1")
    assert run("tags", "device", "add", "T1", "8612345").exit_code == 0
    assert "T1\t8612345\tany\t-\tUTC" in run("tags", "device", "list").stdout
    assert run("tags", "device", "remove", "T1", "8612345").exit_code == 0
    assert "8612345" not in run("tags", "device", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tags", "add", "T2", "--imei", "12"], "15 digits"),
        (["tags", "add", "T2", "--model", "FMB920"], "--imei"),
        (["tags", "add", "T2", "--imei", "350000000000014", "--protocol", "fax"], "teltonika"),
        (["tags", "add", "T2", "--imei", "350000000000014", "--zone", "Mars"], "Europe/London"),
        (["tags", "device", "add", "T9", "77"], "tags list"),
        (["tags", "device", "add", "T1", "a b"], "letters and digits"),
        (["tags", "device", "remove", "T1", "77"], "device list"),
        (["tags", "rotate", "T1", "--overlap", "soon"], "24h"),
        (["tags", "rotate", "T1", "--overlap", "31d"], "30 days"),
    ],
)
def test_what_cant_be_is_refused_with_what_to_do(run: Run, words: list[str], said: str) -> None:
    run("tags", "add", "T1")
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.output
    assert "T2" not in run("tags", "list").stdout


def test_a_mistyped_imei_is_pointed_out(run: Run) -> None:
    assert "look again" in run("tags", "add", "T1", "--imei", "350000000000013").output
    assert "look again" not in run("tags", "add", "T2", "--imei", "350000000000006").output


def test_an_old_token_may_work_for_a_while(run: Run) -> None:
    run("tags", "add", "T1")
    assert "old token works until" in run("tags", "rotate", "T1", "--overlap", "24h").output
    assert Tag.objects.get().old_token_until_at is not None
