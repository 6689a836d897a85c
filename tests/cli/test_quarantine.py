"""`ringfence quarantine …`, run against the test's database."""

from __future__ import annotations

import pytest

from ringfence.desk.accounts.actions import add_user
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import Tag
from ringfence.desk.monitoring.models import Quarantine, Report, fingerprint
from tests.cli.conftest import Run

GOOD = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:02:00Z","lat":51.5,"lon":-0.1}]}'
BY = ("--by", "eve", "--why", "the codec is mended")


def set_apart(raw: bytes, reason: str, tag: Tag | None) -> Quarantine:
    return Quarantine.objects.create(
        door="reports", peer="192.0.2.7", received_ms=1_772_359_330_000, reason=reason,
        detail="why", raw=raw, size=len(raw), sha256=fingerprint(raw), tag=tag,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def kept(run: Run) -> None:
    assert run("tags", "add", "T1").exit_code == 0
    for name, role in (("eve", "equipment"), ("ola", "officer")):
        add_user(by="system:test", username=name, role=role)
    tag = Tag.objects.get()
    set_apart(GOOD, "malformed", tag)
    set_apart(b"?", "malformed", tag)
    set_apart(GOOD, "unauthenticated", None)


def test_it_is_counted_and_listed_without_its_bytes(run: Run) -> None:
    said = run("quarantine", "list").stdout
    assert "malformed\t0\t0\t2\t2" in said
    assert "\t2026-03-01T10:02:10Z\treports\t192.0.2.7\tunauthenticated\t78\t-\topen\twhy" in said
    assert "51.5" not in said
    short = run("quarantine", "list", "--reason", "malformed", "--limit", "1")
    assert "1 earlier ones are not shown" in short.stderr
    assert run("quarantine", "list", "--state", "lost").exit_code == 2


def test_it_is_decoded_again_and_told_what_stays(run: Run) -> None:
    dry = run("quarantine", "redecode", *BY, "--dry-run")
    assert "1 reports would be taken in" in dry.stdout
    assert not Report.objects.exists()
    done = run("quarantine", "redecode", *BY)
    assert done.exit_code == 1
    assert "1 reports stored, 0 known already" in done.stdout
    assert "1 are resolved" in done.stdout
    assert "1 stay: Sender not recognised: whoever sent it showed no valid token" in done.stdout
    assert Report.objects.count() == 1
    entry = Entry.objects.get(event="quarantine.decoded")
    assert entry.actor.startswith("shell:")
    assert entry.actor.endswith(" for eve")


def test_one_alone_leaves_nothing_to_be_done(run: Run) -> None:
    first = Quarantine.objects.earliest("id").pk
    assert run("quarantine", "redecode", *BY, "--id", str(first)).exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--by", "ola", "--why", "x"), "the role of ola lacks manage_tags"),
        (("--by", "oz", "--why", "x"), "nobody is called oz"),
        (("--by", "eve", "--why", " "), "Say why"),
        ((*BY, "--tag", "T9"), "tag T9 is not recorded"),
    ],
)
def test_who_may_not_or_says_no_reason_is_refused(
    run: Run, words: tuple[str, ...], told: str
) -> None:
    result = run("quarantine", "redecode", *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not Report.objects.exists()
