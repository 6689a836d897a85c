"""What the environment says, read once; `docs/settings.md` lists the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ringfence.desk.config.errors import CantStartError


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment."""

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("RINGFENCE_DATA", "ringfence-data", "the data folder: database, key, static files"),
    Setting("PORT", "8000", "port of `ringfence up` and `ringfence demo`, unless --port is given"),
    Setting("RINGFENCE_HOSTS", "127.0.0.1,localhost,[::1]", "host names that may be asked for"),
    Setting("RINGFENCE_HTTPS", "", "1 behind a TLS proxy that sets X-Forwarded-Proto"),
    Setting("RINGFENCE_SECRET_KEY", "", "signs sessions; else the data folder keeps one"),
    Setting("RINGFENCE_MAP_STYLE", "", "URL template of map tiles, …/{z}/{x}/{y}.png"),
    Setting("RINGFENCE_LOG", "", "a file for the log; else standard error"),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings, as values."""

    data: Path
    port: int
    hosts: tuple[str, ...]
    https: bool
    secret_key: str
    map_style: str
    log: Path | None

    @property
    def map_origin(self) -> str:
        """Scheme and host of the tiles, for the content security policy; empty = our own."""
        parts = urlsplit(self.map_style)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class SettingError(CantStartError):
    """A variable that can't be used; the text names it."""


def read_environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read every setting.

    Raises:
        SettingError: one can't be used, and what to write instead.
    """
    said = {s.name: variables.get(s.name, "").strip() or s.default for s in SETTINGS}
    if not said["PORT"].isdigit() or int(said["PORT"]) > 65535:
        raise SettingError("PORT must be a number from 0 to 65535")
    if said["RINGFENCE_HTTPS"] not in {"", "0", "1"}:
        raise SettingError("RINGFENCE_HTTPS must be 1 or 0")
    style = urlsplit(said["RINGFENCE_MAP_STYLE"])
    if style.scheme not in {"", "https", "http"} or (style.scheme and not style.netloc):
        raise SettingError("RINGFENCE_MAP_STYLE must be like https://host/{z}/{x}/{y}.png")
    return Environment(
        data=Path(said["RINGFENCE_DATA"]).absolute(),
        port=int(said["PORT"]),
        hosts=tuple(h.strip() for h in said["RINGFENCE_HOSTS"].split(",") if h.strip()),
        https=said["RINGFENCE_HTTPS"] == "1",
        secret_key=said["RINGFENCE_SECRET_KEY"],
        map_style=said["RINGFENCE_MAP_STYLE"],
        log=Path(said["RINGFENCE_LOG"]).absolute() if said["RINGFENCE_LOG"] else None,
    )


def with_data(data: Path | None) -> Environment:
    """Read every setting, with the data folder that a command line names.

    Raises:
        SettingError: a variable can't be used.
    """
    if data is not None:
        # Settings are read from the environment; the option speaks through it.
        os.environ["RINGFENCE_DATA"] = str(data.absolute())
    return read_environment()
