"""`ringfence demo`: the whole platform with a made-up world, in one go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ringfence.desk.accounts.roles import ROLES
from ringfence.desk.config.claiming import Claim
from ringfence.desk.config.demo_data import STAFF, load_staff
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.platform import run
from ringfence.desk.config.schema import migrate

BACKFILL_H = 24
STOP_S = 0.4
MARK = "made-up"
"""This file says that nobody in the folder is real."""


def demo(claim: Claim, *, say: Callable[[str], None]) -> bool:
    """Run platform and simulator until SIGTERM or SIGINT.

    Args:
        claim: the demo's own data folder, and a port.
        say: prints a line to the person at the keyboard.

    Returns:
        As `platform.run`.

    Raises:
        CantStartError: as for `up`; or the folder is not a demo's.
    """
    own_folder(claim.data)
    migrate(claim.data)
    load_staff()
    fleet: list[subprocess.Popen[bytes]] = []

    def on_listening(url: str) -> None:
        fleet.append(_start_fleet(url, claim.data))
        for line in welcome(url, claim.data, claim.doors_on):
            say(line)

    try:
        return run(claim, say=on_listening)
    finally:
        for child in fleet:
            _stop_fleet(child)


def own_folder(data: Path) -> None:
    """See that the folder is a demo's: its passwords are known to everybody.

    Raises:
        CantStartError: the folder holds a database that no demo made.
    """
    mark = data / MARK
    if (data / "ringfence.sqlite3").exists() and not mark.exists():
        raise CantStartError(
            f"{data} holds a database that is no demo's, and the demo's passwords are known to "
            "everybody: give the demo a folder of its own with --data"
        )
    mark.touch()


def welcome(url: str, data: Path, doors: Mapping[str, int]) -> list[str]:
    """What the person at the keyboard needs to know."""
    ports = ", ".join(f"{protocol} {port}" for protocol, port in sorted(doors.items()))
    rows = [(ROLES[role].title, name, password) for name, role, password in STAFF]
    return [
        "",
        f"  Ringfence is on {url}",
        "",
        f"  {'Sign in as':<26}{'user name':<12}password",
        *(f"  {title:<26}{name:<12}{password}" for title, name, password in rows),
        "",
        "  Everybody in it is made up. Within a minute the control room shows an approach,",
        "  a curfew, a cut strap, and a wearer who drifts without an alert.",
        f"  Devices may connect on ports {ports}." if ports else "",
        f"  Data and log are in {data}. Ctrl-C stops it.",
        "",
    ]


def _start_fleet(url: str, data: Path) -> subprocess.Popen[bytes]:
    # A process of its own: made-up tags talk to the gateway over HTTP, as real ones do.
    program = "from ringfence.cli import main; main()"
    with (data / "simulator.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 -- our own command, no shell
            [
                *(sys.executable, "-c", program, "simulate"),
                *("--url", url, "--data", str(data), "--backfill", str(BACKFILL_H)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _stop_fleet(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
