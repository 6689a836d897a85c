"""No personal or location data in logs: every log call is read, and every key is on a list."""

from __future__ import annotations

import ast

from tests.house.source import ROOT, modules, tree

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
ALLOWED = {
    # Counts, durations, names of stages and doors, reasons out of a list, opaque ids.
    # A new key is a decision: can it ever say who or where?
    "accepted",
    "address",
    "alert",
    "cause",
    "count",
    "door",
    "error",
    "failures",
    "future",
    "kind",
    "migrations",
    "moments",
    "nobodys",
    "parts",
    "pause_s",
    "pid",
    "reason",
    "report",
    "reports",
    "stage",
    "stage_finished",
    "status",
    "wearers",
    "wearers_rewound",
    "why",
}


def log_calls() -> list[tuple[str, ast.Call]]:
    found = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr in LEVELS and owner.split(".")[-1].lower() in (
                "log",
                "logger",
                "logging",
            ):
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node))
    return found


def test_there_are_log_calls_to_read() -> None:
    assert log_calls()


def test_a_log_call_names_a_fixed_event() -> None:
    loose = [
        w for w, call in log_calls() if not (call.args and isinstance(call.args[0], ast.Constant))
    ]
    assert not loose, f"log a constant event name, and put what varies into keys: {loose}"


def test_a_log_call_holds_no_key_that_could_say_who_or_where() -> None:
    bad = [
        (where, word.arg)
        for where, call in log_calls()
        for word in call.keywords
        if word.arg is None or word.arg not in ALLOWED
    ]
    assert not bad
