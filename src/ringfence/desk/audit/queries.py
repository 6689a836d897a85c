"""Reading the audit log, and proving that it is whole."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from ringfence.desk.audit.chain import FIRST, hash_of
from ringfence.desk.audit.models import Entry


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry that does not fit the chain."""

    entry: int
    why: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: note it elsewhere, and a log cut short is found too."""

    entries: int
    hash: str


def verify() -> list[Fault]:
    """Walk the whole chain; every entry that was changed, and every place where one is missing."""
    faults: list[Fault] = []
    expected = FIRST
    for entry in Entry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous_hash != expected:
            faults.append(Fault(entry.pk, "an entry before it is missing or was replaced"))
        if hash_of(entry) != entry.hash:
            faults.append(Fault(entry.pk, "what it says was changed after it was written"))
        expected = entry.hash
    return faults


def head() -> Head:
    """How many entries there are, and the hash of the last."""
    latest = Entry.objects.order_by("-id").values_list("hash", flat=True).first()
    return Head(entries=Entry.objects.count(), hash=latest or FIRST)


def entries_for(subject: str) -> QuerySet[Entry]:
    """All that was recorded of `subject` (`wearer:<public id>`, …), latest first."""
    return Entry.objects.filter(subject=subject).order_by("-id")
