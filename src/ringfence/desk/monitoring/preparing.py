"""From reports and changes to tasks for the engine: go on, or rewind and judge again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ringfence.desk.monitoring.changes import Need
from ringfence.desk.monitoring.checkpoints import bases_before
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.judging import FOREVER_MS, NEVER_MS, Task
from ringfence.desk.monitoring.rows import ROW, by_wearer, reports_worn
from ringfence.desk.monitoring.states import Known, known
from ringfence.desk.monitoring.triage import YOUNG_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NAMED = 20
"""So many late reports are named one by one in a correction; the others came with them."""
LATE_REPORT = "a report arrived late"
OTHER_ORDER = "the two devices’ reports came in another order than they were made"
UNREADABLE = "the engine’s memory has another format or profile"


@dataclass(frozen=True, slots=True)
class Docket:
    """What is before the engine of one wearer: all that the database knows of it."""

    known: Known
    rows: NDArray[np.void]
    """New reports of this wearer."""
    need: Need | None = None
    paired: bool = False
    """He is judged by a victim's device, too."""

    @property
    def wearer_id(self) -> int:
        """Whose it is."""
        return self.known.wearer_id

    @property
    def clock_ms(self) -> int:
        """Everything up to here was judged."""
        return self.known.clock_ms

    @property
    def late_from_ms(self) -> int | None:
        """From when on what was judged must be judged again; None = nowhere."""
        starts = [] if self.need is None else [self.need.from_ms]
        if len(self.rows):
            starts.append(int(self.rows["time_ms"].min()))
        first = min(starts, default=FOREVER_MS)
        return first if first <= self.clock_ms else None

    @property
    def punctual(self) -> bool:
        """Whether nothing is late but by the other device's clock, which was seconds ahead."""
        if not self.paired or self.need is not None:
            return False
        late = self.rows[self.rows["time_ms"] <= self.clock_ms]
        return bool((late["received_ms"] - late["time_ms"] <= YOUNG_MS).all())

    @property
    def because(self) -> str:
        """Why it is judged again, in plain words."""
        if self.need is not None:
            return self.need.because
        return OTHER_ORDER if self.punctual else LATE_REPORT

    @property
    def cause(self) -> Mapping[str, Any]:
        """By what it is judged again, by ids: `Correction.cause`."""
        late = self.rows[self.rows["time_ms"] <= self.clock_ms]
        told = {} if self.need is None else dict(self.need.cause)
        if len(late):
            told["late"] = len(late) + told.get("late", 0)
            told["reports"] = [int(n) for n in np.sort(late["id"])[:MOST_NAMED]]
            told["received_ms"] = int(late["received_ms"].max())
        return told


@dataclass(slots=True)
class Dockets:
    """All wearers of one run."""

    fitted: Fitted
    up_to_id: int
    """Reports with a later id have not arrived yet, as far as this run goes."""
    of: dict[int, Docket] = field(default_factory=dict)

    def open(self, rows: NDArray[np.void], needs: dict[int, Need]) -> None:
        """Gather what is known of every wearer with new reports or a need to be judged again.

        Args:
            rows: new reports.
            needs: who must be judged again, from when on; or has reports that were read before, and
                not judged.
        """
        new = by_wearer(rows)
        none = rows[:0]
        found = known({*new, *needs})
        # What was read before may be theirs only now: it waited, or it was nobody's, or not his.
        unread = {w: (found[w].clock_ms, FOREVER_MS) for w in needs if w in found}
        stored = self._worn(unread)
        for wearer_id, about in found.items():
            mine, need = new.get(wearer_id, none), needs.get(wearer_id)
            if wearer_id in unread:
                late = mine[mine["time_ms"] <= about.clock_ms]
                mine = stored.get(wearer_id, none)
                mine = np.concatenate([late, mine]) if len(late) else mine
            if about.state is not None or len(mine):
                paired = wearer_id in self.fitted.carried.by_wearer
                self.of[wearer_id] = Docket(about, mine, need, paired)

    def _worn(self, spans: Mapping[int, tuple[int, int]]) -> dict[int, NDArray[np.void]]:
        """Stored reports by wearer: later than the one instant, and up to the other."""
        worn = [w for one, span in spans.items() for w in self.fitted.heard_by(one, *span)]
        return by_wearer(reports_worn(worn, self.up_to_id))

    def reread(self, wearer_ids: Sequence[int]) -> None:
        """Let wearers whose stored state can't be read be judged from their first report on."""
        for wearer_id in wearer_ids:
            need = Need(NEVER_MS, UNREADABLE)
            self.of[wearer_id] = replace(self.of[wearer_id], need=need)

    def rewinds(self) -> list[Task]:
        """Tasks of those who must be judged again, up to where they were judged before."""
        late = {
            docket.wearer_id: late_ms
            for docket in self.of.values()
            if (late_ms := docket.late_from_ms) is not None and docket.known.state is not None
        }
        bases = bases_before(late)
        from_ms = {w: bases[w].at_ms if w in bases else NEVER_MS for w in late}
        rows = self._worn({w: (from_ms[w], self.of[w].clock_ms) for w in late})
        return [
            Task(
                wearer_id=w,
                crn=self.of[w].known.crn,
                state=bases[w].state if w in bases else None,
                clock_ms=from_ms[w],
                rows=rows.get(w, np.empty(0, ROW)),
                until_ms=self.of[w].clock_ms,
            )
            for w in late
        ]

    def onward(self, rewound: dict[int, tuple[bytes, int]]) -> list[Task]:
        """Tasks of all: from where they stand, or stand again, to their newest report.

        Args:
            rewound: state and clock of those who were judged again.
        """
        tasks = []
        for docket in self.of.values():
            about = docket.known
            state, clock_ms = rewound.get(docket.wearer_id, (about.state, docket.clock_ms))
            fresh = docket.rows[docket.rows["time_ms"] > docket.clock_ms]
            tasks.append(
                Task(docket.wearer_id, about.crn, state, clock_ms, fresh, until_ms=clock_ms)
            )
        return tasks


def due_tasks(states: Sequence[Known]) -> list[Task]:
    """Tasks without reports: advance each clock to the wearer's next deadline."""
    return [
        Task(
            wearer_id=state.wearer_id,
            crn=state.crn,
            state=state.state,
            clock_ms=state.judged_ms,
            rows=np.empty(0, ROW),
            until_ms=state.wake_ms,
        )
        for state in states
    ]
