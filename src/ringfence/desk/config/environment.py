"""What the environment says, read once; `docs/settings.md` lists the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ringfence.desk.config.errors import CantStartError
from ringfence.gateway.ports import MQTT, Address, Limits, read_addresses, read_port


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
    Setting("RINGFENCE_TCP", "", "TCP doors: teltonika:5027,queclink:0.0.0.0:5004"),
    Setting("RINGFENCE_MQTT_PORT", "", "the MQTT door: 1883 or 0.0.0.0:1883"),
    Setting("RINGFENCE_MQTT_URL", "", "a broker of the house: mqtts://user:password@host:8883"),
    Setting("RINGFENCE_TCP_CONNECTIONS", "20000", "most connections of devices, in all"),
    Setting("RINGFENCE_TCP_PER_ADDRESS", "2000", "… and from one address"),
    Setting("RINGFENCE_TCP_IDLE_S", "3900", "a device that says nothing for so long is cut off"),
    Setting("RINGFENCE_TCP_TLS_CERT", "", "a PEM file: the TCP doors speak TLS"),
    Setting("RINGFENCE_TCP_TLS_KEY", "", "its key"),
    Setting("RINGFENCE_TCP_TLS_CLIENT_CA", "", "a PEM file: devices must show its certificates"),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the TCP doors' transport security."""

    certificate: str
    key: str
    client_ca: str
    """Empty: no certificate is asked of devices."""


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
    doors: tuple[Address, ...] = ()
    """Ports for device protocols, and for MQTT."""
    mqtt_url: str = ""
    """A broker of the house; empty: none."""
    limits: Limits = field(default_factory=Limits)
    tls: Tls | None = None
    """None: the TCP doors speak without."""

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
        doors=_doors(said),
        mqtt_url=_mqtt_url(said["RINGFENCE_MQTT_URL"]),
        limits=_limits(said),
        tls=_tls(said),
        data=Path(said["RINGFENCE_DATA"]).absolute(),
        port=int(said["PORT"]),
        hosts=tuple(h.strip() for h in said["RINGFENCE_HOSTS"].split(",") if h.strip()),
        https=said["RINGFENCE_HTTPS"] == "1",
        secret_key=said["RINGFENCE_SECRET_KEY"],
        map_style=said["RINGFENCE_MAP_STYLE"],
        log=Path(said["RINGFENCE_LOG"]).absolute() if said["RINGFENCE_LOG"] else None,
    )


def _doors(said: Mapping[str, str]) -> tuple[Address, ...]:
    try:
        doors = read_addresses(said["RINGFENCE_TCP"])
    except ValueError as error:
        raise SettingError(f"RINGFENCE_TCP {error}") from None
    if said["RINGFENCE_MQTT_PORT"]:
        try:
            doors.append(read_port(MQTT, said["RINGFENCE_MQTT_PORT"]))
        except ValueError as error:
            raise SettingError(f"RINGFENCE_MQTT_PORT {error}") from None
    return tuple(doors)


def _mqtt_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path):
        # Not the value: it may hold a password.
        raise SettingError("RINGFENCE_MQTT_URL must be like mqtts://user:password@host:8883")
    return url


def _limits(said: Mapping[str, str]) -> Limits:
    names = ("RINGFENCE_TCP_CONNECTIONS", "RINGFENCE_TCP_PER_ADDRESS", "RINGFENCE_TCP_IDLE_S")
    for name in names:
        if not said[name].isdecimal() or not int(said[name]):
            raise SettingError(f"{name} must be a whole number from 1")
    return Limits(*(int(said[name]) for name in names))


def _tls(said: Mapping[str, str]) -> Tls | None:
    certificate, key = said["RINGFENCE_TCP_TLS_CERT"], said["RINGFENCE_TCP_TLS_KEY"]
    client_ca = said["RINGFENCE_TCP_TLS_CLIENT_CA"]
    if bool(certificate) != bool(key) or (client_ca and not key):
        raise SettingError(
            "RINGFENCE_TCP_TLS_CERT and RINGFENCE_TCP_TLS_KEY go together, and "
            "RINGFENCE_TCP_TLS_CLIENT_CA with both: set them all, or none"
        )
    return Tls(certificate, key, client_ca) if key else None


def with_data(data: Path | None) -> Environment:
    """Read every setting, with the data folder that a command line names.

    Raises:
        SettingError: a variable can't be used.
    """
    if data is not None:
        # Settings are read from the environment; the option speaks through it.
        os.environ["RINGFENCE_DATA"] = str(data.absolute())
    return read_environment()
