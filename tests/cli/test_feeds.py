"""`ringfence feeds …`, run against the test's database."""

from __future__ import annotations

import pytest

from ringfence.desk.cases.models import Feed, Tag
from ringfence.desk.cases.tokens import token_hash
from tests.cli.conftest import Run


@pytest.fixture
def recorded(run: Run) -> None:
    for words in (["tags", "add", "T1"], ["tags", "add", "T2"], ["feeds", "add", "F"]):
        assert run(*words).exit_code == 0


def test_a_feed_is_added_bound_and_listed(run: Run, recorded: None) -> None:
    assert "F\tvalid\t-" in run("feeds", "list").stdout
    assert "F speaks for T1, T2" in run("feeds", "bind", "F", "T1", "T2").stderr
    assert "F\tvalid\tT1 T2" in run("feeds", "list").stdout
    assert run("feeds", "unbind", "T2").exit_code == 0
    assert "F\tvalid\tT1\n" in run("feeds", "list").stdout


def test_a_feeds_token_is_printed_once(run: Run) -> None:
    token = run("feeds", "add", "F").stdout.strip()
    assert Feed.objects.get().token_hash == token_hash(token)
    new = run("feeds", "rotate", "F").stdout.strip()
    assert Feed.objects.get().token_hash == token_hash(new) != token_hash(token)
    assert run("feeds", "revoke", "F", "--reason", "sold").exit_code == 0
    assert "F\trevoked\t-" in run("feeds", "list").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["bind", "F", "T1", "T9"], "tags add"),
        (["bind", "F9", "T1"], "feeds list"),
        (["unbind", "T1"], "bound to no feed"),
        (["unbind", "T9"], "tags list"),
        (["rotate", "F9"], "feeds list"),
        (["revoke", "F", "--reason", " "], "reason is empty"),
        (["add", "F"], "recorded already"),
    ],
)
def test_what_can_not_be_done_is_refused_whole_with_what_to_do(
    run: Run, recorded: None, words: list[str], told: str
) -> None:
    result = run("feeds", *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not Tag.objects.filter(feed__isnull=False).exists()
