"""`ringfence simulate`: made-up wearers report to a running gateway."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from ringfence.sim.outbox import Totals

MEMORY = "simulator.json"
TRUTH = "simulator-truth.jsonl"


def simulate(
    *,
    url: Annotated[str, typer.Option(help="Where the gateway listens.")] = "http://127.0.0.1:8000",
    data: Annotated[
        Path | None, typer.Option(help="The platform's data folder (RINGFENCE_DATA).")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    speed: Annotated[
        float, typer.Option(min=1, help="Above 1: begin 24 h ago, so many times as fast.")
    ] = 1.0,
    backfill: Annotated[
        float, typer.Option(min=0, max=168, help="Hours of history to send before going live.")
    ] = 0.0,
    wearers: Annotated[int, typer.Option(min=4, max=24, help="How many wearers.")] = 24,
    truth: Annotated[
        Path | None, typer.Option(help=f"Keep the truth in this file, not in DATA/{TRUTH}.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many simulated minutes.")
    ] = None,
) -> None:
    """Simulate wearers, their tags and their errors; the truth is kept in a file."""
    from datetime import UTC, datetime

    from ringfence.desk.config.opening import set_up_django

    folder = set_up_django(data).data

    from ringfence.desk.config.demo_data import load_world
    from ringfence.desk.config.schema import migrate
    from ringfence.sim.cast import build_cast
    from ringfence.sim.diary import Diary, reported_until_s
    from ringfence.sim.run import simulate as run
    from ringfence.sim.run import start_at
    from ringfence.sim.world import build_world
    from ringfence.trail.conditions_file import read_features

    migrate(folder)
    told_s = reported_until_s(folder / MEMORY, seed)
    world = build_world(seed, start_at(datetime.now(UTC), speed, told_s), wearers)
    conditions = read_features(world.conditions)
    tokens = load_world(world)
    untold_s = int(world.at.timestamp()) - told_s
    cast = build_cast(world, conditions, backfill_s=max(0, min(int(backfill * 3600), untold_s)))
    diary = Diary(cast, conditions, truth=truth or folder / TRUTH, memory=folder / MEMORY)
    typer.echo(f"{wearers} made-up wearers report to {url} (seed {seed}); Ctrl-C stops them")
    running = run(cast, tokens, url, speed=speed, minutes=minutes, diary=diary)
    totals = _until_stopped(running)
    if totals:
        typer.echo(str(totals), err=True)


def _until_stopped(running: Coroutine[Any, Any, Totals]) -> Totals | None:
    """Run to the end, or until SIGINT or SIGTERM; None = stopped."""
    import asyncio
    import signal

    async def main() -> Totals | None:
        task = asyncio.ensure_future(running)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return None

    return asyncio.run(main())
