"""Bytes that were kept, read again by today's codecs: evidence, and what is in quarantine."""

from __future__ import annotations

from typing import Any, NamedTuple

from nacl.secret import SecretBox

from ringfence.gateway.bodies import BODIES, Unnamed, left_over
from ringfence.gateway.decoding import INCOMPLETE
from ringfence.gateway.frames import DeviceModel, ModelOf
from ringfence.gateway.report import MalformedError, Report
from ringfence.gateway.tcp_codecs import CODECS


class Kept(NamedTuple):
    """Bytes, and what must be known to read them alone."""

    door: str
    raw: bytes
    received_ms: int
    box: SecretBox | None = None
    """Opens what the tag's OwnTracks app encrypted."""
    device: str | None = None
    """Who was logged in on the connection; None = believe nobody but the frame itself."""
    model_of: ModelOf = lambda _device: DeviceModel()


class Reread(NamedTuple):
    """What bytes come to today."""

    reports: tuple[Report, ...] = ()
    unnamed: tuple[dict[str, Any], ...] = ()
    """For each report what has no name of ours."""
    named: str | None = None
    """The tag or device that they say they are from."""
    reason: str = ""
    """Why not all of it can be used, as the quarantine has it; empty = all can."""
    detail: str = ""


def is_read_here(door: str) -> bool:
    """Whether a codec reads what this door takes in; none does for files and for the desk's own."""
    return door in BODIES or door in CODECS


def is_locked(door: str) -> bool:
    """Whether a door's senders show a token, which is not kept: who they were can't be proven."""
    return door not in CODECS


def reread(kept: Kept) -> Reread:
    """Read bytes as their door does today. Raises nothing.

    A frame of a device protocol is read alone: what it owes to frames before it is not there.
    """
    if kept.door in CODECS:
        return _of_a_device(kept)
    body = BODIES.get(kept.door)
    if body is None:
        return Reread(reason="no_codec", detail=f"no codec reads what the door {kept.door} takes")
    try:
        decoded = body.decode(kept.raw, kept.received_ms, kept.box)
        unnamed = left_over(body.unnamed(kept.raw, kept.box), decoded)
    except MalformedError as fault:
        return Reread(reason=fault.reason, detail=str(fault))
    reports = tuple(decoded.reports)
    made = Reread(reports, _padded(unnamed, len(reports)), decoded.tag)
    if not decoded.refused:
        return made
    first = decoded.refused[0]
    detail = f"{len(decoded.refused)} refused; report {first.index}: {first.why}"
    return made._replace(reason="refused_report", detail=detail)


def _of_a_device(kept: Kept) -> Reread:
    codec = CODECS[kept.door]
    talk = codec.talk(kept.model_of, True)  # noqa: FBT003 -- Codec.talk
    if kept.device is not None:
        talk.receive(codec.log_in(kept.device))
    heard = [h.dated(kept.received_ms) for h in talk.receive(kept.raw)]
    named = {h.device for h in heard if h.device is not None}
    if len(named) > 1:
        return Reread(reason="malformed", detail="frames of several devices are in one piece")
    reports = tuple(report for h in heard for report in h.reports)
    unnamed = tuple(own for h in heard for own in h.unnamed)
    faults = [h.error for h in heard if h.error] + [INCOMPLETE] * (talk.unfinished > 0)
    return Reread(
        reports,
        _padded(unnamed, len(reports)),
        next(iter(named), None),
        "malformed" if faults else "",
        "; ".join(dict.fromkeys(faults)),
    )


def _padded(unnamed: Unnamed, count: int) -> Unnamed:
    return (*unnamed, *({} for _ in range(count - len(unnamed))))[:count]
