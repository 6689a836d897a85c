"""The `ringfence` command: parsing and printing only.

Each `cli_*.py` holds the commands of one concern as plain functions. They import what they need
when they run, so that `ringfence --help` is instant and judging files loads no Django.
"""

from __future__ import annotations

import sys

import typer

from ringfence import (
    cli_backtest,
    cli_decode,
    cli_devices,
    cli_evaluate,
    cli_feeds,
    cli_files,
    cli_fixes,
    cli_people,
    cli_platform,
    cli_quarantine,
    cli_replay,
    cli_report,
    cli_sim,
    cli_tags,
)
from ringfence.desk.config.errors import CantStartError

app = typer.Typer(
    name="ringfence",
    help="GPS location monitoring: from a tag's report to an alert that a person can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold places and people
)

app.command()(cli_evaluate.evaluate)
app.command()(cli_evaluate.profiles)
app.command()(cli_decode.decode)
app.command()(cli_replay.replay)
app.command()(cli_backtest.backtest)
app.command("show-report")(cli_report.show_report)
app.command()(cli_platform.up)
app.command()(cli_platform.demo)
app.command()(cli_platform.migrate)
app.command()(cli_platform.doctor)
app.command()(cli_sim.simulate)

tags = typer.Typer(help="Devices, who has them, and their tokens.", no_args_is_help=True)
tags.command()(cli_tags.add)
tags.command("list")(cli_tags.list_)
tags.command()(cli_tags.give)
tags.command("take-back")(cli_tags.take_back)
tags.command()(cli_tags.rotate)
tags.command()(cli_tags.revoke)
tags.command("owntracks-key")(cli_tags.owntracks_key)
device = typer.Typer(help="How a tag names itself in device protocols.", no_args_is_help=True)
device.command()(cli_devices.add)
device.command()(cli_devices.remove)
device.command("list")(cli_devices.list_)
tags.add_typer(device, name="device")
app.add_typer(tags, name="tags")

feeds = typer.Typer(help="Platforms that pass on what devices said.", no_args_is_help=True)
feeds.command()(cli_feeds.add)
feeds.command("list")(cli_feeds.list_)
feeds.command()(cli_feeds.bind)
feeds.command()(cli_feeds.unbind)
feeds.command()(cli_feeds.rotate)
feeds.command()(cli_feeds.revoke)
app.add_typer(feeds, name="feeds")

quarantine = typer.Typer(help="What could not be decoded, or was nobody's.", no_args_is_help=True)
quarantine.command("list")(cli_quarantine.list_)
quarantine.command()(cli_quarantine.redecode)
app.add_typer(quarantine, name="quarantine")

imports = typer.Typer(help="Take a file in.", no_args_is_help=True)
imports.command("conditions")(cli_files.import_conditions)
imports.command("fixes")(cli_fixes.import_fixes)
app.add_typer(imports, name="import")

exports = typer.Typer(help="Write a file out.", no_args_is_help=True)
exports.command("fixes")(cli_fixes.export_fixes)
exports.command("violations")(cli_files.export_violations)
app.add_typer(exports, name="export")

users = typer.Typer(help="Who may sign in.", no_args_is_help=True)
users.command()(cli_people.add)
users.command()(cli_people.password)
users.command("list")(cli_people.list_)
app.add_typer(users, name="users")

audit = typer.Typer(help="The log of who did what, and why.", no_args_is_help=True)
audit.command("verify")(cli_platform.audit_verify)
audit.command("frames")(cli_platform.audit_frames)
app.add_typer(audit, name="audit")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except CantStartError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
