"""The stage that looks after the platform: what goes wrong becomes an alert without a wearer.

It looks at what goes wrong now, and makes the open alerts say the same: a trouble opens one alert,
however long it lasts; ten minutes without it end the alert; a person closes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from ringfence.desk.alerts import troubles
from ringfence.desk.alerts.clones import Clones, Sighting
from ringfence.desk.alerts.models import Alert, AlertState, Moment
from ringfence.desk.alerts.opening import notify
from ringfence.desk.alerts.sending import overdue_notices
from ringfence.desk.alerts.troubles import WINDOW_MIN, Trouble
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.models import Tag
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.kit.models import Change
from ringfence.desk.kit.turns import writing
from ringfence.desk.monitoring.sightings import latest_report_id, set_apart_since, sightings_after

ACTOR = "system:alerts.system"
KIND = "system"
WINDOW = timedelta(minutes=WINDOW_MIN)
MOST_SIGHTINGS = 4_000
"""Read in one run; if more have come, the older ones are left out: clones do not hurry."""
TOO_MANY = "too_many"
"""The quarantine's reason for what a tag sent beyond its allowance."""

log = structlog.get_logger(__name__)
Failing = Callable[[], Iterable[tuple[str, int]]]
"""Which stages failed, and how often in a row."""


@dataclass(slots=True)
class SystemWatch:
    """The stage, with what it remembers of connections."""

    failing: Failing = tuple
    clones: Clones = field(default_factory=Clones)
    read_up_to: int | None = None
    standing: frozenset[str] | None = None
    """The matters of the alerts that last; None: not known yet, after a start."""

    def __call__(self) -> int:
        """Look once; returns how many alerts changed."""
        at = now()
        found = {trouble.matter: trouble for trouble in self._troubles(at)}
        if not found and self.standing == frozenset():
            return 0
        with writing:
            changed, self.standing = settle(list(found.values()), at=at)
        return changed

    def _troubles(self, at: datetime) -> Iterable[Trouble]:
        tags, counts = _set_apart(at)
        names = dict(Tag.objects.filter(pk__in=tags).values_list("pk", "name"))
        yield from (troubles.looping(tag, names[tag]) for tag in sorted(tags))
        yield from filter(None, [troubles.quarantine(counts)])
        yield from (troubles.cloned(tag.pk, tag.name) for tag in self._cloned(at))
        for stage, failures in self.failing():
            yield from filter(None, [troubles.failing(stage, failures)])
        overdue = overdue_notices(at - WINDOW).exclude(alert__kind=KIND).count()
        yield from filter(None, [troubles.undelivered(overdue)])

    def _cloned(self, at: datetime) -> Sequence[Tag]:
        latest = latest_report_id()
        first = latest if self.read_up_to is None else self.read_up_to
        for row in sightings_after(max(first, latest - MOST_SIGHTINGS), latest):
            self.clones.see(Sighting(*row))
        self.read_up_to = latest
        return list(Tag.objects.filter(pk__in=self.clones.suspected(to_ms(at))).order_by("pk"))


def _set_apart(at: datetime) -> tuple[set[int], Counter[str]]:
    """Tags beyond their allowance, and how much else was set apart, by reason."""
    tags: set[int] = set()
    counts: Counter[str] = Counter()
    for reason, tag_id in set_apart_since(to_ms(at - WINDOW)):
        if reason == TOO_MANY and tag_id is not None:
            tags.add(tag_id)
        else:
            counts[reason] += 1
    return tags, counts


@action
def settle(found: Sequence[Trouble], *, at: datetime) -> tuple[int, frozenset[str]]:
    """Open what is new, end what is over, resume what is back.

    Returns:
        How many alerts changed, and the matters of those that last.
    """
    unclosed = Alert.objects.filter(kind=KIND).exclude(state=AlertState.CLOSED)
    open_ones = {alert.matter: alert for alert in unclosed}
    changed = 0
    for trouble in found:
        alert = open_ones.get(trouble.matter)
        if alert is None:
            _open(trouble, at)
        elif not alert.ongoing:
            alert.ongoing, alert.ended_at = True, None
            _say(alert, "resumed", trouble.text)
        else:
            continue
        changed += 1
    lasting = frozenset(trouble.matter for trouble in found)
    for matter, alert in open_ones.items():
        if alert.ongoing and matter not in lasting:
            alert.ongoing, alert.ended_at = False, at
            _say(alert, "ended", "Not seen any more")
            _record(Event.ALERT_ENDED, alert)
            changed += 1
    return changed, lasting


def _open(trouble: Trouble, at: datetime) -> None:
    alert = Alert(
        kind=KIND,
        matter=trouble.matter,
        severity=int(trouble.severity),
        title=trouble.title,
        event_at=at,
        detected_at=at,
        opened_at=at,
    )
    _say(alert, "opened", trouble.text)
    _record(Event.ALERT_OPENED, alert)
    notify(alert)


def _say(alert: Alert, what: str, text: str) -> None:
    alert.save()
    Moment(alert=alert, at=now(), what=what, by=ACTOR, text=text).save()
    Change(topic="alert", ref=alert.public_id, at=now()).save()
    log.info("alert", alert=alert.public_id, moments=[what])


def _record(event: Event, alert: Alert) -> None:
    record(
        by=ACTOR,
        event=event,
        subject=f"alert:{alert.public_id}",
        detail={"alert": alert.pk, "kind": KIND, "severity": alert.severity},
    )
