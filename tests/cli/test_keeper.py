"""The commands of whoever keeps the platform, run against the test's database."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from ringfence.desk.accounts.models import User
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import Condition, Tag, Wearer
from ringfence.desk.monitoring.models import Frame, Violation, fingerprint

AT = datetime(2026, 3, 1, 10, 2, tzinfo=UTC)


def feature(key: str, **said: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": key,
        "geometry": {"type": "Point", "coordinates": [-0.1, 51.5]},
        "properties": {
            "wearer": "X000001",
            "kind": "exclusion",
            "from": "2026-03-01T00:00:00Z",
            "radius_m": 100,
            **said,
        },
    }


def write(path: Path, *features: dict[str, object]) -> str:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def violation(wearer: Wearer, minutes: int, **said: object) -> None:
    begin_at = AT + timedelta(minutes=minutes)
    Violation.objects.create(
        **{
            "wearer": wearer,
            "condition_key": "c1",
            "version": 1,
            "kind": "exclusion",
            "state": "confirmed",
            "how": "entered",
            "begin_at": begin_at,
            "confirmed_at": begin_at,
            "probability": 0.998,
            "depth_m": 84.0,
            "fixes": 29,
            "profile": "standard/1",
            "why": ["in"],
            "detected_at": begin_at,
            **said,
        }
    )


def test_a_user_is_added_with_a_password_shown_once(run):
    added = run("users", "add", "ola", "--role", "officer")
    assert added.exit_code == 0
    password = re.search(r"password: (\S+)", added.stdout)
    assert password
    assert User.objects.get(username="ola").check_password(password[1])
    assert Entry.objects.get().actor.startswith("shell:")
    listed = run("users", "list")
    assert re.search(r"^ola +Probation practitioner$", listed.stdout, re.MULTILINE)
    assert password[1] not in listed.stdout


def test_a_password_can_be_replaced(run):
    run("users", "add", "ola", "--role", "officer")
    replaced = run("users", "password", "ola")
    password = re.search(r"password: (\S+)", replaced.stdout)
    assert password
    assert User.objects.get(username="ola").check_password(password[1])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "ola", "--role", "king"), "role must be one of operator"),
        (("add", "two words", "--role", "officer"), "the user name must be"),
        (("password", "nobody"), "ringfence users list"),
    ],
)
def test_what_can_t_be_is_refused_with_what_to_do(run, words, why):
    refused = run("users", *words)
    assert refused.exit_code == 2
    assert why in refused.stderr
    assert not User.objects.exists()


def test_conditions_come_in_once(run, tmp_path):
    path = write(tmp_path / "c.geojson", feature("c1"), feature("c2", radius_m=50))
    first = run("import", "conditions", path)
    assert first.exit_code == 0, first.stderr
    assert "2 conditions recorded, 0 known already; 1 wearers and 1 orders added" in first.stdout
    again = run("import", "conditions", path)
    assert "0 conditions recorded, 2 known already; 0 wearers" in again.stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a GeoJSON FeatureCollection"),
        (json.dumps({"type": "FeatureCollection", "features": [feature("c1", kind="x")]}), "c1"),
    ],
)
def test_a_faulty_file_is_refused_whole(run, tmp_path, text, why):
    (tmp_path / "c.geojson").write_text(text)
    refused = run("import", "conditions", str(tmp_path / "c.geojson"))
    assert refused.exit_code == 2
    assert why in refused.stderr
    assert not Condition.objects.exists()
    assert "No such file" in run("import", "conditions", str(tmp_path / "absent")).stderr


def test_violations_go_out_in_the_contract_s_shape_and_order(run, tmp_path):
    run("import", "conditions", write(tmp_path / "c.geojson", feature("c1")))
    wearer = Wearer.objects.get()
    violation(wearer, 30)
    violation(wearer, 0, end_at=AT + timedelta(minutes=29), ended_by="left")
    violation(wearer, 5, condition_key="", kind="tamper", how="strap_cut", depth_m=None)
    violation(wearer, 9, withdrawn_at=AT)
    out = tmp_path / "v.jsonl"
    assert run("export", "violations", "--out", str(out)).exit_code == 0
    said = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(v["begin"][11:16], v["condition"], v["end"]) for v in said] == [
        ("10:02", "c1", "2026-03-01T10:31:00Z"),
        ("10:07", None, None),
        ("10:32", "c1", None),
    ]
    assert ", ".join(said[0]) == (
        "wearer, condition, kind, state, begin, confirmed_at, end, probability, depth_m, fixes, "
        "how, profile, why, doubts"
    )
    assert Entry.objects.latest("id").event == "violations.exported"


def test_an_export_that_can_t_be_written_leaves_no_trace(run, tmp_path):
    refused = run("export", "violations", "--out", str(tmp_path / "absent" / "v.jsonl"))
    assert refused.exit_code == 2
    assert "give --out a folder that can be written" in refused.stderr
    assert not Entry.objects.exists()
    unknown = run("export", "violations", "--out", str(tmp_path / "v"), "--wearer", "X9")
    assert (unknown.exit_code, "check the CRN" in unknown.stderr) == (2, True)


def test_the_audit_chain_is_verified_from_the_shell(run):
    run("users", "add", "ola", "--role", "officer")
    run("users", "password", "ola")
    whole = run("audit", "verify")
    assert whole.exit_code == 0
    assert re.match(r"2 entries, whole; the last is [0-9a-f]{64}", whole.stdout)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET actor = 'shell:nobody' WHERE event = 'user.added'")
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "what it says was changed after it was written" in broken.stderr
    assert "1 of 2 entries" in broken.stderr


def test_the_doctor_finds_nothing_wrong_with_a_sound_set_up(run):
    looked = run("doctor", "--port", "0")
    assert looked.exit_code == 0, looked.stdout
    assert all(line.startswith("ok ") for line in looked.stdout.splitlines()), looked.stdout


def test_the_doctor_says_what_to_do_about_a_fault(run, tmp_path):
    run("users", "add", "ola", "--role", "officer")
    data = tmp_path / "data"
    (data / "ringfence.sqlite3").touch()
    tomorrow = datetime.now(UTC).timestamp() + 86_400
    os.utime(data / "ringfence.sqlite3", (tomorrow, tomorrow))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET reason = 'none'")
    looked = run("doctor", "--port", "0")
    assert looked.exit_code == 1
    assert "FAULT  clock" in looked.stdout
    assert "set the clock" in looked.stdout
    assert "FAULT  audit chain: 1 entries do not fit" in looked.stdout


def test_a_part_that_does_not_exist_is_refused(run):
    refused = run("up", "--only", "kitchen")
    assert refused.exit_code == 2
    assert "gateway, monitor, web" in refused.output


def test_the_frames_are_compared_with_their_hashes_from_the_shell(run, tmp_path):
    assert run("tags", "add", "T1").exit_code == 0
    assert run("audit", "frames").stdout == "0 frames, each as it came\n"
    tag = Tag.objects.get()
    for raw in (b"one", b"two"):
        Frame.objects.create(
            tag=tag, door="reports", peer="", received_ms=0, raw=raw, sha256=fingerprint(raw)
        )
    assert run("audit", "frames").stdout == "2 frames, each as it came\n"
    Frame.objects.filter(raw=b"two").update(raw=b"too")
    for words in ((), ("--sample", "1")):
        looked = run("audit", "frames", *words)
        assert looked.exit_code == 1
        assert "its bytes are not those that came" in looked.stderr
    (tmp_path / "data" / "ringfence.sqlite3").touch()
    looked = run("doctor", "--port", "0")
    assert looked.exit_code == 1
    assert "FAULT  evidence: 1 of 2 frames are not as they came" in looked.stdout
