"""The `ringfence` command: parsing and printing only.

Each `cli_*.py` holds the commands of one concern as plain functions. They import what they need
when they run, so that `ringfence --help` is instant and judging files loads no Django.
"""

from __future__ import annotations

import typer

from ringfence import cli_evaluate, cli_platform, cli_sim

app = typer.Typer(
    name="ringfence",
    help="GPS location monitoring: from a tag's report to an alert that a person can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold places and people
)

app.command()(cli_evaluate.evaluate)
app.command()(cli_evaluate.profiles)
app.command()(cli_platform.up)
app.command()(cli_platform.migrate)
app.command()(cli_sim.simulate)


def main() -> None:
    """Run the command line."""
    app()
