"""`ringfence up`, `migrate`, `doctor`, `demo` and `audit`: the platform as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Port = Annotated[int, typer.Option(help="0 = any free port.", envvar="PORT")]
Host = Annotated[str, typer.Option(help="An address of this machine.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="gateway, monitor or web; may be given more than once."),
]


def up(port: Port = 8000, data: Data = None, host: Host = "127.0.0.1", only: Only = None) -> None:
    """Start the platform: it takes reports in, judges them, and shows them."""
    from ringfence.desk.config.folder import PARTS
    from ringfence.desk.config.opening import set_up_django

    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise typer.BadParameter(f"--only {unknown[0]} is none of {', '.join(PARTS)}")
    environment = set_up_django(data)

    from ringfence.desk.config.platform import Start, run

    parts = tuple(part for part in PARTS if not only or part in only)
    run(
        Start(environment.data, host, port, parts),
        say=lambda url: typer.echo(f"Ringfence is on {url} (data in {environment.data})"),
    )


def migrate(data: Data = None) -> None:
    """Bring the database of a data folder up to this version."""
    from ringfence.desk.config.opening import set_up_django

    environment = set_up_django(data)

    from ringfence.desk.config.schema import migrate as bring_up

    applied = bring_up(environment.data)
    typer.echo(f"{len(applied)} migrations applied" if applied else "nothing to do")
