"""`ringfence show-report`: a report as evidence, raw, decoded and judged side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.desk.monitoring.report_evidence import ReportEvidence

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
FIELDS = (
    "time", "seq", "lat", "lon", "accuracy_m", "source", "speed_mps", "course_deg", "altitude_m",
    "satellites", "hdop", "battery_pct", "signals",
)  # fmt: skip


def show_report(
    report: Annotated[int, typer.Argument(help="Its id, as the trail and exports have it.")],
    *,
    by: Annotated[str, typer.Option(help="For whom: the name of somebody who may sign in.")],
    why: Annotated[str, typer.Option(help="Why; recorded as a consultation, with who.")],
    victim: Annotated[
        bool, typer.Option("--victim", help="Also if a victim carried the device: it is her place.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    data: Data = None,
) -> None:
    """Show a report: its bytes, what they say today beside what is stored, and how it was judged.

    Exit status: 0 all agrees; 1 its bytes were changed, or read differently today; 2 refused.
    """
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.on_behalf import UnknownUserError, on_behalf_of
    from ringfence.desk.accounts.permission import NotPermittedError
    from ringfence.desk.accounts.roles import Permission
    from ringfence.desk.audit.actions import MissingReasonError
    from ringfence.desk.monitoring.evidence_actions import look_at_report
    from ringfence.desk.monitoring.report_evidence import AGREES, report_evidence

    found = report_evidence(report)
    # What was on nobody is nobody's trail: the equipment team finds out whose it is.
    is_somebodys = found is None or found.wearer or found.victim
    nobodys = [] if is_somebodys else [Permission.MANAGE_TAGS]
    try:
        actor = on_behalf_of(by, Permission.SEE_TRAIL, *nobodys, shell=shell_actor())
        if found is None:
            _refuse(f"there is no report {report}")
        if found.victim and not victim:
            _refuse(
                f"report {report} says where a victim was: if that is what you need, ask again "
                "with --victim; the look is recorded about her"
            )
        look_at_report(by=actor, why=why, found=found)
    except (UnknownUserError, NotPermittedError, MissingReasonError) as error:
        _refuse(str(error))
    said = _told(found)
    typer.echo(json.dumps(said, indent=2, ensure_ascii=False) if as_json else _text(said, found))
    raise typer.Exit(0 if found.unchanged and found.stands == AGREES else 1)


def _told(found: ReportEvidence) -> dict[str, Any]:
    """Everything, as JSON has it."""
    from ringfence.desk.kit.clock import from_ms
    from ringfence.desk.monitoring.dump import as_text
    from ringfence.desk.monitoring.report_evidence import WORDS

    report, frame = found.report, found.report.frame
    raw, origin = bytes(frame.raw), found.redecoding
    return {
        "report": report.pk,
        "tag": report.tag.name,
        "raw": {
            "frame": frame.pk,
            "door": frame.door,
            "peer": frame.peer,
            "received": _iso(from_ms(frame.received_ms)),
            "bytes": len(raw),
            "sha256": bytes(frame.sha256).hex(),
            "unchanged": found.unchanged,
            "hex": raw.hex(),
            "text": as_text(raw),
            "other_reports": list(found.siblings),
            "out_of_quarantine": {
                "item": origin.item,
                "at": _iso(origin.at),
                "by": origin.by,
                "why": origin.why,
                "tag_named_by_a_person": origin.confirmed,
            }
            if origin
            else None,
        },
        "stored": _spelled(report),
        "decoded": {
            "stands": found.stands,
            "means": WORDS[found.stands],
            "report": _spelled(found.today) if found.today else None,
            "differs_in": found.differing,
            "unnamed": found.unnamed,
            "unusable": found.detail,
            "reports_in_frame": found.of_frame,
        },
        "judged": _judged(found),
    }


def _judged(found: ReportEvidence) -> dict[str, Any]:
    return {
        "wearer": found.wearer.crn if found.wearer else None,
        "victim": found.victim.label if found.victim else None,
        "no_part": found.no_part,
        "doubts": list(found.point.doubts) if found.point else [],
        "violations": [
            {
                "violation": part.violation.pk,
                "as": list(part.as_what),
                "kind": part.violation.kind,
                "condition": part.violation.condition_key,
                "version": part.violation.version,
                "state": part.violation.state,
                "begin": _iso(part.violation.begin_at),
                "probability": part.violation.probability,
                "withdrawn": part.violation.withdrawn_why or None,
            }
            for part in found.parts
        ],
    }


def _spelled(report: Any) -> dict[str, Any]:
    """A stored report, or what bytes say today, in the shape of `POST /gateway/v1/reports`."""
    from ringfence.gateway.decoding import spelled

    return spelled(report, {})


def _iso(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _text(said: dict[str, Any], found: ReportEvidence) -> str:
    return "\n".join([*_raw_lines(said, found), *_decoded_lines(said), *_judged_lines(said)])


def _raw_lines(said: dict[str, Any], found: ReportEvidence) -> Iterator[str]:
    from ringfence.desk.monitoring.dump import hex_lines

    raw = said["raw"]
    yield f"report {said['report']} of tag {said['tag']}"
    yield ""
    yield f"RAW    frame {raw['frame']}, door {raw['door']}, from {raw['peer'] or '-'}"
    yield f"       received {raw['received']}, {raw['bytes']:,} bytes"
    whole = "as it came" if raw["unchanged"] else "CHANGED: these are not the bytes that came"
    yield f"       SHA-256 {raw['sha256']}: {whole}"
    if origin := raw["out_of_quarantine"]:
        yield f"       out of the quarantine (item {origin['item']}) on {origin['at']}"
        yield f"       by {origin['by']}: {origin['why']}"
        if origin["tag_named_by_a_person"]:
            yield "       its sender was not known when it came: a person named the tag"
    if raw["text"] is not None:
        yield from (f"       {line}" for line in raw["text"].splitlines())
    yield from (f"       {line}" for line in hex_lines(bytes(found.report.frame.raw)))
    if raw["other_reports"]:
        yield f"       other reports of this frame: {', '.join(map(str, raw['other_reports']))}"


def _decoded_lines(said: dict[str, Any]) -> Iterator[str]:
    decoded = said["decoded"]
    today = decoded["report"] or {}
    yield ""
    yield f"{'DECODED':<14} {'stored':<32} today"
    for field in FIELDS:
        kept, now = said["stored"].get(field), today.get(field)
        if kept is not None or now is not None:
            mark = "" if kept == now else "  <- differs"
            yield f"  {field:<12} {_shown(kept):<32} {_shown(now)}{mark}"
    yield f"  {decoded['means']}"
    if decoded["unusable"]:
        yield f"  of the frame can't be used: {decoded['unusable']}"
    for name, value in decoded["unnamed"].items():
        yield f"  no name of ours: {name} = {json.dumps(value, ensure_ascii=False)}"


def _judged_lines(said: dict[str, Any]) -> Iterator[str]:
    judged = said["judged"]
    yield ""
    whose = f"of wearer {judged['wearer']}" if judged["wearer"] else "of nobody"
    yield f"JUDGED {'near victim ' + judged['victim'] if judged['victim'] else whose}"
    if judged["no_part"]:
        yield f"  took no part: {judged['no_part']}"
        return
    yield from (f"  doubt: {doubt}" for doubt in judged["doubts"])
    for one in judged["violations"]:
        rule = f" {one['condition']} v{one['version']}" if one["condition"] else ""
        what = f"{one['state']} {one['kind']}{rule}"
        gone = f", withdrawn: {one['withdrawn']}" if one["withdrawn"] else ""
        yield f"  {', '.join(one['as'])} fix of violation {one['violation']}: {what}{gone}"
        yield f"    begun {one['begin']}, probability {one['probability']:.3f}"
    if not judged["violations"]:
        yield "  judged; no violation names it as its first, confirming, deepest or last fix"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return " ".join(value) if isinstance(value, list) else str(value)


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
