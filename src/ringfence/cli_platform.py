"""`ringfence up`, `demo`, `migrate`, `doctor` and `audit`: the platform as a process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ringfence.desk.config.claiming import Claim

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Port = Annotated[int, typer.Option(help="0 = any free port.", envvar="PORT")]
Host = Annotated[str, typer.Option(help="An address of this machine.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="gateway, monitor or web; may be given more than once."),
]
DEMO_DATA = Path("ringfence-data") / "demo"


def up(port: Port = 8000, data: Data = None, host: Host = "127.0.0.1", only: Only = None) -> None:
    """Start the platform: it takes reports in, judges them, and shows them."""
    from ringfence.desk.config.folder import PARTS

    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise typer.BadParameter(f"--only {unknown[0]} is none of {', '.join(PARTS)}")
    claim = _claim(data, host, port, only)

    from ringfence.desk.config.platform import run

    _end(finished=run(claim, say=lambda url: _say(f"Ringfence is on {url} (data in {claim.data})")))


def demo(port: Port = 8000, data: Data = None, host: Host = "127.0.0.1") -> None:
    """Start the platform with made-up wearers, in a data folder of its own."""
    from ringfence.gateway.ports import PROTOCOLS

    folder = (data or DEMO_DATA).absolute()
    os.environ.setdefault("RINGFENCE_LOG", str(folder / "ringfence.log"))
    # Made-up devices may be connected, too: each door on any free port.
    os.environ.setdefault("RINGFENCE_TCP", ",".join(f"{name}:0" for name in PROTOCOLS))
    os.environ.setdefault("RINGFENCE_MQTT_PORT", "0")
    claim = _claim(folder, host, port, None)

    from ringfence.desk.config.demo import demo as run

    _end(finished=run(claim, say=_say))


def _claim(data: Path | None, host: str, port: int, only: list[str] | None) -> Claim:
    """Refuse what can't work before anything heavy is loaded; then set Django up."""
    from ringfence.desk.config.claiming import claim
    from ringfence.desk.config.environment import with_data
    from ringfence.desk.config.folder import PARTS

    parts = tuple(part for part in PARTS if not only or part in only)
    environment = with_data(data)
    claimed = claim(environment.data, host, port, parts, doors=environment.doors)

    from ringfence.desk.config.opening import set_up_django

    set_up_django(data)
    return claimed


def _say(line: str) -> None:
    # Flushed: whoever started us may wait for the address at the other end of a pipe.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _end(*, finished: bool) -> None:
    if not finished:
        # A stage still computes; waiting for it would break the promise to stop in five seconds.
        os._exit(0)


def migrate(data: Data = None) -> None:
    """Bring the database of a data folder up to this version."""
    from ringfence.desk.config.opening import set_up_django

    environment = set_up_django(data)

    from ringfence.desk.config.schema import migrate as bring_up

    applied = bring_up(environment.data)
    typer.echo(f"{len(applied)} migrations applied" if applied else "nothing to do")


def doctor(port: Port = 8000, data: Data = None, host: Host = "127.0.0.1") -> None:
    """Check the set-up; say what to do about what is wrong. Exit status 1 if anything is."""
    from ringfence.desk.config.opening import set_up_django

    environment = set_up_django(data)

    from ringfence.desk.config.doctor import examine

    faults = 0
    for finding in examine(environment.data, host, port):
        if finding.fault is None:
            typer.echo(f"ok     {finding.what}: {finding.said}")
        else:
            faults += 1
            typer.echo(f"FAULT  {finding.what}: {finding.fault}")
            typer.echo(f"       {finding.said}")
    if faults:
        raise typer.Exit(1)


def audit_verify(data: Data = None) -> None:
    """Walk the audit log's hash chain. Exit status 1 if an entry was changed or is missing."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.audit.queries import head, verify

    faults = verify()
    end = head()
    for fault in faults:
        typer.echo(f"entry {fault.entry}: {fault.why}", err=True)
    if faults:
        typer.echo(f"{len(faults)} of {end.entries} entries do not fit the chain", err=True)
        raise typer.Exit(1)
    typer.echo(f"{end.entries} entries, whole; the last is {end.hash}")


def audit_frames(
    *,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many, evenly spread; default: every one.")
    ] = None,
    data: Data = None,
) -> None:
    """Compare the bytes under the reports with their hashes. Exit status 1 if any were changed."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.monitoring.evidence import check_frames, check_some_frames

    if sample is None:
        *_, seen = check_frames()
    else:
        seen = check_some_frames(sample)
    for frame in seen.altered:
        typer.echo(f"frame {frame}: its bytes are not those that came", err=True)
    if seen.altered:
        typer.echo(f"{len(seen.altered)} of {seen.frames:,} frames were changed", err=True)
        raise typer.Exit(1)
    typer.echo(f"{seen.frames:,} frames, each as it came")
