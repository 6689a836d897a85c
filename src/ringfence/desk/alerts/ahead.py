"""Which violations are read next: in order, but what is pressing does not wait for the rest.

When the mobile network fails, thousands of tags fall silent within minutes, and each silence is an
alert. Somebody who walks to a victim's door meanwhile must not stand behind them in the queue. So
where there is more than one reading's worth, wearers of whom something pressing is new are read
first: all that is new of them, in its order, so that each of their alerts comes out as it would.
"""

from __future__ import annotations

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from ringfence.desk.alerts.models import PressingViolation
from ringfence.desk.alerts.severity import PRESSING
from ringfence.desk.monitoring.models import Violation


def next_of(position: int, limit: int) -> tuple[list[Violation], int]:
    """The next violations to be read, within the caller's transaction.

    Half of the room is for what is in turn, so that a wave of pressing ones stops nothing for long.

    Args:
        position: all up to this revision was read.
        limit: most of them.

    Returns:
        The violations in the order of their revisions, and up to which revision all is read then.
    """
    unread = _unread(position)
    in_turn = list(unread.order_by("revision")[:limit])
    if not in_turn:
        return [], position
    if len(in_turn) < limit:
        up_to = max(in_turn[-1].revision, _read_to())
        PressingViolation.objects.all().delete()
        return in_turn, up_to
    half = in_turn[: limit - limit // 2]
    pressing = _pressing(unread, half[-1].revision, limit // 2)
    in_turn = half if pressing else in_turn
    up_to = in_turn[-1].revision
    PressingViolation.objects.filter(revision__lte=up_to).delete()
    PressingViolation.objects.bulk_create(
        [PressingViolation(revision=row.revision) for row in pressing]
    )
    return [*in_turn, *pressing], up_to


def _read_to() -> int:
    """The latest that was read before its turn."""
    return PressingViolation.objects.aggregate(to=Max("revision"))["to"] or 0


def _unread(position: int) -> QuerySet[Violation]:
    read = PressingViolation.objects.filter(revision=OuterRef("revision"))
    unread = Violation.objects.filter(~Exists(read), revision__gt=position)
    return unread.select_related("wearer")


def _pressing(unread: QuerySet[Violation], after: int, room: int) -> list[Violation]:
    """What is unread of wearers of whom something pressing, and not of the past, would wait."""
    news = unread.filter(
        Q(late=False) | Q(end_at=None),
        kind__in=PRESSING,
        state="confirmed",
        withdrawn_at=None,
        revision__gt=after,
    )
    found = news.order_by("revision").values_list("wearer", flat=True)[:room]
    # A wearer's own are never read out of their order.
    theirs = unread.filter(wearer__in=set(found), revision__gt=after)
    return list(theirs.order_by("revision")[:room])
