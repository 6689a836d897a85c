"""Checks the set-up, and says what to do about what is wrong."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

import ringfence
from ringfence.desk.audit.queries import head, verify
from ringfence.desk.config.claiming import bind
from ringfence.desk.config.environment import Environment
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.folder import FolderLock
from ringfence.desk.config.open_files import look_at_files
from ringfence.desk.config.schema import missing_migrations, unknown_migrations
from ringfence.desk.kit.clock import now
from ringfence.desk.monitoring.evidence import check_some_frames

PACKAGE = Path(ringfence.__file__).parent
LEAST_FREE = 1 << 30
"""A gigabyte: at 12,318 wearers and a fix a minute, about five hours of reports."""
BUILT_AT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right says an instant before this code was written."""
_KEEP_A_COPY = "keep a copy of the data folder as it is, and tell whoever answers for it"
OLDEST_SQLITE = (3, 35, 0)
"""The first with RETURNING, which Django uses."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fault: str | None
    """None = well."""
    said: str
    """What was seen; or, with a fault, what to do."""


def examine(data: Path, host: str, port: int) -> Iterator[Finding]:
    """Look at everything that the platform stands on.

    Args:
        data: the data folder, open.
        host: where it would listen.
        port: on which port.
    """
    checks: list[tuple[str, Callable[[], tuple[str | None, str]]]] = [
        ("Python", _python),
        ("data folder", lambda: (None, str(data))),
        ("disk space", lambda: _disk(data)),
        ("SQLite", lambda: _sqlite(data)),
        ("compiled engine", _engine),
        ("pages' assets", _assets),
        ("clock", lambda: _clock(data)),
        ("time zones", _time_zones),
        ("port", lambda: _port(data, host, port)),
        ("open files", _files),
        ("database", lambda: _schema(data)),
        ("audit chain", lambda: _audit(data)),
        ("evidence", lambda: _evidence(data)),
    ]
    for what, check in checks:
        try:
            fault, said = check()
        except Exception as error:
            fault, said = f"could not be looked at ({type(error).__name__})", str(error)
        yield Finding(what, fault, said)


Answer = tuple[str | None, str]


def _python() -> Answer:
    version = ".".join(str(n) for n in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036 -- whoever bypasses pip gets here
        return f"{version} is too old", "install Python 3.11 or newer, and run make install again"
    return None, version


def _disk(data: Path) -> Answer:
    free = shutil.disk_usage(data).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE:
        return said, "free some space where the data folder is, or move it"
    return None, said


def _sqlite(data: Path) -> Answer:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return f"{sqlite3.sqlite_version} is too old", "use a Python with SQLite 3.35 or newer"
    with TemporaryDirectory(dir=data, prefix=".doctor-") as folder:
        trial = sqlite3.connect(Path(folder) / "trial.sqlite3")
        mode = trial.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        trial.close()
    if mode != "wal":
        return "no write-ahead log here", "put the data folder on a local disk, not a network share"
    return None, f"{sqlite3.sqlite_version}, write-ahead log works"


def _engine() -> Answer:
    kept = [*(PACKAGE / "engine" / "__pycache__").glob("*.nbi")]
    if not kept:
        return "not compiled yet", "run python -m ringfence.engine.warm, or wait at the first start"
    return None, f"{len(kept)} functions compiled"


def _assets() -> Answer:
    static = PACKAGE / "desk" / "kit" / "static" / "ringfence"
    wanted = ("ringfence.css", "page.js", "map.js")
    missing = [name for name in wanted if not (static / name).is_file()]
    if missing:
        return f"{missing[0]} is missing", "install the package again; developers: make assets"
    return None, "present"


def _clock(data: Path) -> Answer:
    at = now()
    database = data / "ringfence.sqlite3"
    written_at = (
        datetime.fromtimestamp(database.stat().st_mtime, UTC) if database.exists() else BUILT_AT
    )
    if at < BUILT_AT or at < written_at:
        return (
            f"it says {at:%d/%m/%Y %H:%M} UTC, which is past",
            "set the clock, and keep it by NTP",
        )
    return None, f"{at:%d/%m/%Y %H:%M:%S} UTC"


def _time_zones() -> Answer:
    try:
        ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        return "Europe/London is unknown", "install the tzdata package"
    return None, "Europe/London is known"


def _port(data: Path, host: str, port: int) -> Answer:
    lock = FolderLock(data, ("web",))
    try:
        lock.take()
    except CantStartError as error:
        return None, str(error).split(":", 1)[0]
    try:
        bind(host, port).close()
    except CantStartError as error:
        fault, _, remedy = str(error).partition(": ")
        return fault, remedy
    finally:
        lock.release()
    return None, f"{port} on {host} is free"


def _files() -> Answer:
    environment: Environment = settings.ENVIRONMENT
    if not environment.doors:
        return None, "enough: no TCP doors are set"
    return look_at_files(environment.limits.connections)


def _schema(data: Path) -> Answer:
    if not (data / "ringfence.sqlite3").exists():
        return None, "none yet: the first start makes it"
    unknown, missing = unknown_migrations(), missing_migrations()
    if unknown:
        return "made by a later version", "install that version of Ringfence"
    if missing:
        return f"{len(missing)} migrations are missing", "run ringfence migrate, or ringfence up"
    return None, "at this version"


def _audit(data: Path) -> Answer:
    if not (data / "ringfence.sqlite3").exists() or missing_migrations():
        return None, "no entries yet"
    faults = verify()
    if faults:
        first = faults[0]
        return (
            f"{len(faults)} entries do not fit, first {first.entry}: {first.why}",
            _KEEP_A_COPY,
        )
    return None, f"{head().entries} entries, whole"


def _evidence(data: Path) -> Answer:
    if not (data / "ringfence.sqlite3").exists() or missing_migrations():
        return None, "no frames yet"
    seen = check_some_frames()
    if seen.altered:
        fault = f"{len(seen.altered)} of {seen.frames:,} frames are not as they came, first "
        return f"{fault}{seen.altered[0]}", _KEEP_A_COPY
    return None, f"{seen.frames:,} frames looked at, each as it came"
