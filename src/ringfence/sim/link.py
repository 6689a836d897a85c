"""One tag's connection to the gateway's JSON door. Every answer is a value with its meaning."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ringfence.sim.tag import Report

PATH = "/gateway/v1/reports"
TIMEOUT_S = 20.0
DEFAULT_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """Stored: the tag may forget these reports."""

    accepted: int
    duplicate: int
    refused: tuple[str, ...]
    """Reasons for single reports that the gateway will never take."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Nothing stored; come again after so many seconds."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer: nobody knows whether anything was stored, so the same is sent again."""

    why: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Nothing stored; send fewer at once."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway will never take this: a wrong token, a body that it can't read."""

    status: int
    why: str


Reply = Accepted | Busy | Lost | TooLarge | Rejected


class Link:
    """A connection that stays open between posts, as a tag's modem keeps it."""

    def __init__(self, url: str, tag: str, token: str) -> None:
        """Connect at the first post.

        Raises:
            ValueError: `url` is not http or https.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url {url!r}: give one such as http://127.0.0.1:8000")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._path = parts.path.rstrip("/") + PATH
        self._tag = tag
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(self, reports: Sequence[Report]) -> Reply:
        """Send reports and wait for the answer; blocks, for at most `TIMEOUT_S` a step."""
        body = json.dumps({"tag": self._tag, "reports": reports}, separators=(",", ":"))
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
            return read_reply(response.status, response.getheader("Retry-After"), response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Lost(type(error).__name__)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def read_reply(status: int, retry_after: str | None, body: bytes) -> Reply:
    """What an answer means to a tag. Only a complete 200 lets it forget anything."""
    if status == 200:
        try:
            said = json.loads(body)
            refused = tuple(str(r.get("why", "")) for r in said.get("refused", ()))
            return Accepted(int(said["accepted"]), int(said["duplicate"]), refused)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Lost("unreadable answer")
    if status == 429 or (status == 503 and retry_after):
        return Busy(_seconds(retry_after))
    if status == 413:
        return TooLarge()
    if 400 <= status < 500 and status != 408:
        return Rejected(status, body[:200].decode("utf-8", "replace"))
    return Lost(f"status {status}")


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or DEFAULT_RETRY_S))
    except ValueError:
        # An HTTP date is allowed, but no gateway of ours sends one.
        return DEFAULT_RETRY_S
