"""The engine's memory as a value: copied, stored, and taken over by another plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from ringfence.engine import memory
from ringfence.engine.events import Violation, to_violation
from ringfence.engine.plan import DEVICE, RuleName, rule_name
from ringfence.engine.words import EndedBy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.engine.plan import Plan

FORMAT = 9
"""Of `to_bytes`; raised whenever a row of `memory` changes."""
OUTLINE = ["west", "south", "east", "north", "lon", "lat", "reach_m", "form"]
"""What a shape's row says of the shape itself, not of where its edges lie in the table."""


class StateError(ValueError):
    """Stored state that can't be read; judge that wearer again from the stored reports."""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of every wearer of a plan, in the plan's order."""

    wearers: np.recarray
    slots: np.recarray
    pairs: np.recarray
    """Of each pair what is known of the victim's device: rows as a wearer's."""

    def copy(self) -> State:
        """The same, apart."""
        return State(self.wearers.copy(), self.slots.copy(), self.pairs.copy())

    def to_bytes(self, plan: Plan, wearer: str) -> bytes:
        """One wearer's state, for the database: 304 bytes, as many a pair, and 208 a rule."""
        return self.to_bytes_each(plan, [wearer])[0]

    def to_bytes_each(self, plan: Plan, wearers: Sequence[str]) -> list[bytes]:
        """The same of many: a record array is dear to ask, so it is asked once."""
        me, slots, pairs = (memory.plain(rows) for rows in (self.wearers, self.slots, self.pairs))
        stored = []
        for wearer in wearers:
            index = _index(plan, wearer)
            mine, others = plan.slots_of(index), plan.pairs_of(index)
            body = me[index : index + 1].tobytes() + pairs[others.start : others.stop].tobytes()
            body += slots[mine.start : mine.stop].tobytes()
            stored.append(b"\n".join((_head(plan, index), body)))
        return stored

    def load_each(self, plan: Plan, stored: Sequence[tuple[str, bytes]]) -> list[str]:
        """Take many stored wearers over, in place; what ended with its rule is not told.

        Returns:
            Those whose state can't be read (see `load`).
        """
        me, slots, pairs = (memory.plain(rows) for rows in (self.wearers, self.slots, self.pairs))
        size, unreadable = memory.WEARER_ROW.itemsize, []
        for wearer, raw in stored:
            index = _index(plan, wearer)
            head = _head(plan, index)
            at = len(head) + 1
            if raw[:at] != head + b"\n":
                try:
                    self.load(plan, wearer, raw)
                except StateError:
                    unreadable.append(wearer)
                continue
            mine, others = plan.slots_of(index), plan.pairs_of(index)
            me[index] = np.frombuffer(raw, memory.WEARER_ROW, 1, at)[0]
            at += size
            if others:
                pairs[others.start : others.stop] = np.frombuffer(
                    raw, memory.WEARER_ROW, len(others), at
                )
            at += size * len(others)
            slots[mine.start : mine.stop] = np.frombuffer(raw, memory.SLOT_ROW, len(mine), at)
        return unreadable

    def load(self, plan: Plan, wearer: str, stored: bytes) -> list[Violation]:
        """Take a stored wearer over, in place; the plan may have other conditions than then.

        A rule that is gone ends its violation at the wearer's clock (`condition_ended`); a new one
        starts from the last known place. Of zones drawn otherwise, distances are measured anew.

        Returns:
            The violations that ended because their rule is gone.

        Raises:
            StateError: another format, or another profile: judge again from the stored reports.
        """
        head, body = _open(stored)
        if head.get("format") != FORMAT or head.get("profile") != plan.profile.name:
            raise StateError(
                f"state of format {head.get('format')} by {head.get('profile')}: this engine reads "
                f"format {FORMAT} by {plan.profile.name}: judge the wearer again from the reports"
            )
        index = _index(plan, wearer)
        drawn, size = _drawn(plan, index), memory.WEARER_ROW.itemsize
        self.wearers[index] = np.frombuffer(body[:size], memory.WEARER_ROW)[0]
        body = self._load_pairs(plan, index, head["victims"], body[size:])
        rows = np.frombuffer(body, memory.SLOT_ROW).view(np.recarray)
        old = {RuleName(*name): row for name, row in zip(head["rules"], rows, strict=True)}
        for number in plan.slots_of(index):
            row = old.pop(rule_name(plan, number), None)
            if row is not None:
                self.slots[number] = row
                if head["drawn"] != drawn:
                    memory.forget_far(self.slots[number])
        clock_ms = int(self.wearers[index].clock_ms)
        gone = [(name, row.copy()) for name, row in old.items() if row.open]
        return [_ended(plan, wearer, name, row, clock_ms) for name, row in gone]

    def _load_pairs(self, plan: Plan, index: int, victims: list[int], body: bytes) -> bytes:
        """Take over what was known of victims' devices; return what follows it."""
        size = memory.WEARER_ROW.itemsize * len(victims)
        rows = np.frombuffer(body[:size], memory.WEARER_ROW)
        old = dict(zip(victims, rows, strict=True))
        for number in plan.pairs_of(index):
            row = old.get(int(plan.rules.pair_victim[number]))
            if row is not None:
                self.pairs[number] = row
        return body[size:]


def initial_state(plan: Plan) -> State:
    """Nothing heard of anyone yet."""
    return State(
        memory.new_wearers(len(plan.wearers)),
        memory.new_slots(len(plan.rules.rows)),
        memory.new_wearers(len(plan.rules.pair_victim)),
    )


def _index(plan: Plan, wearer: str) -> int:
    index = plan.index_of(wearer)
    if index < 0:
        raise StateError("this plan doesn't hold that wearer: compile it with `wearers=`")
    return index


def _head(plan: Plan, index: int) -> bytes:
    """What names the rows that follow: format, profile, rules and zones, victims' devices."""
    head = plan.heads.get(index)
    if head is None:
        pairs = plan.pairs_of(index)
        said = {
            "format": FORMAT,
            "profile": plan.profile.name,
            "rules": [rule_name(plan, number) for number in plan.slots_of(index)],
            "drawn": _drawn(plan, index),
            "victims": plan.rules.pair_victim[pairs.start : pairs.stop].tolist(),
        }
        head = plan.heads[index] = json.dumps(said, separators=(",", ":")).encode()
    return head


def _drawn(plan: Plan, index: int) -> int:
    """A sum over a wearer's zones as they are drawn: how far they are is remembered of these."""
    shapes, edges, *_ = plan.rules.edges
    mine, total = memory.plain(plan.rules.rows)[plan.slots_of(index)], 0
    for zone in sorted(set(mine["zone"][mine["role"] < DEVICE].tolist())):
        shape = shapes[zone]
        total = crc32(np.array(shape[OUTLINE].item()).tobytes(), total)
        total = crc32(edges[shape["first_block"] :][: shape["blocks"]].tobytes(), total)
    return total


def _ended(plan: Plan, wearer: str, name: RuleName, row: np.record, at_ms: int) -> Violation:
    row.ended_by = EndedBy.CONDITION_ENDED
    return to_violation(row, name, wearer, plan.profile, end_ms=at_ms)


def _open(stored: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = stored.partition(b"\n")
    try:
        return json.loads(head), body
    except ValueError:
        raise StateError("state can't be read: judge the wearer again from the reports") from None
