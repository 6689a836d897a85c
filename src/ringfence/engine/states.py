"""The states of one wearer against one condition. The table below is the program."""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import Final

import numpy as np

from ringfence.engine.profiles import Thresholds
from ringfence.geo.compiled import compiled


class State(IntEnum):
    """How a wearer stands to a condition."""

    ASLEEP = 0
    """Not in force."""
    NO_DATA = 1
    CLEAR = 2
    POSSIBLE = 3
    CONFIRMED = 4

    @property
    def label(self) -> str:
        """The word that people and the contract use."""
        return "not_in_force" if self is State.ASLEEP else self.name.lower()


class Word(IntEnum):
    """What moves it: the schedule, the clock, or what belief says after a fix."""

    STARTS = 0
    """The condition comes into force."""
    STOPS = 1
    """The condition's time is over."""
    QUIET = 2
    """No fix for longer than the limit."""
    UNDECIDED = 3
    CLEARLY_NOT = 4
    """Probably not broken."""
    SURELY_NOT = 5
    """The same, sure enough to end a confirmed violation."""
    MAYBE = 6
    SURELY = 7


class Act(IntEnum):
    """What is said on the way."""

    NOTHING = 0
    OPEN = 1
    """A possible violation begins."""
    CONFIRM = 2
    """A violation is confirmed; if none was open it begins."""
    END = 3
    """The open violation, possible or confirmed, is over."""


_S, _W, _A = State, Word, Act
RULES: Final[dict[tuple[State, Word], tuple[State, Act]]] = {
    (_S.ASLEEP, _W.STARTS): (_S.NO_DATA, _A.NOTHING),
    (_S.NO_DATA, _W.STOPS): (_S.ASLEEP, _A.NOTHING),
    (_S.NO_DATA, _W.CLEARLY_NOT): (_S.CLEAR, _A.NOTHING),
    (_S.NO_DATA, _W.SURELY_NOT): (_S.CLEAR, _A.NOTHING),
    (_S.NO_DATA, _W.MAYBE): (_S.POSSIBLE, _A.OPEN),
    (_S.NO_DATA, _W.SURELY): (_S.CONFIRMED, _A.CONFIRM),
    (_S.CLEAR, _W.STOPS): (_S.ASLEEP, _A.NOTHING),
    (_S.CLEAR, _W.QUIET): (_S.NO_DATA, _A.NOTHING),
    (_S.CLEAR, _W.MAYBE): (_S.POSSIBLE, _A.OPEN),
    (_S.CLEAR, _W.SURELY): (_S.CONFIRMED, _A.CONFIRM),
    (_S.POSSIBLE, _W.STOPS): (_S.ASLEEP, _A.END),
    (_S.POSSIBLE, _W.QUIET): (_S.NO_DATA, _A.END),
    (_S.POSSIBLE, _W.CLEARLY_NOT): (_S.CLEAR, _A.END),
    (_S.POSSIBLE, _W.SURELY_NOT): (_S.CLEAR, _A.END),
    (_S.POSSIBLE, _W.SURELY): (_S.CONFIRMED, _A.CONFIRM),
    (_S.CONFIRMED, _W.STOPS): (_S.ASLEEP, _A.END),
    # Silence ends nothing: absence of data is never compliance.
    (_S.CONFIRMED, _W.SURELY_NOT): (_S.CLEAR, _A.END),
}
"""Every change there is; whatever is not listed changes nothing."""


def _table() -> tuple[np.ndarray, np.ndarray]:
    following = np.repeat(np.arange(len(State), dtype=np.int8)[:, None], len(Word), axis=1)
    acts = np.zeros((len(State), len(Word)), np.int8)
    for (state, word), (after, act) in RULES.items():
        following[state, word], acts[state, word] = after, act
    return following, acts


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/engine.md."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.ASLEEP.label}"]
    for (before, word), (after, act) in RULES.items():
        said = f" / {act.name.lower()}" if act else ""
        lines.append(f"    {before.label} --> {after.label}: {word.name.lower()}{said}")
    return "\n".join(lines)


FOLLOWING, ACTS = _table()
"""`RULES` for the kernel: [state, word] → state after, act."""

ASLEEP: Final = int(State.ASLEEP)
CLEAR: Final = int(State.CLEAR)
POSSIBLE: Final = int(State.POSSIBLE)
CONFIRMED: Final = int(State.CONFIRMED)
NOTHING: Final = int(Act.NOTHING)
OPEN: Final = int(Act.OPEN)
CONFIRM: Final = int(Act.CONFIRM)
END: Final = int(Act.END)
STARTS: Final = int(Word.STARTS)
STOPS: Final = int(Word.STOPS)
QUIET: Final = int(Word.QUIET)
UNDECIDED: Final = int(Word.UNDECIDED)
CLEARLY_NOT: Final = int(Word.CLEARLY_NOT)
SURELY_NOT: Final = int(Word.SURELY_NOT)
MAYBE: Final = int(Word.MAYBE)
SURELY: Final = int(Word.SURELY)


@compiled
def word_of(limits: Thresholds, log_odds: float, with_it: int, against: int) -> int:
    """What belief says.

    Args:
        limits: the profile's.
        log_odds: of the violation.
        with_it: believed fixes in a row past the edge, none of them by cell.
        against: believed fixes in a row on the right side, none of them by cell.
    """
    if log_odds >= limits.confirm and with_it >= limits.agreeing:
        return SURELY
    if log_odds >= limits.possible:
        return MAYBE
    if log_odds <= limits.end and against >= limits.agreeing:
        return SURELY_NOT
    if log_odds <= limits.clear:
        return CLEARLY_NOT
    return UNDECIDED


if __name__ == "__main__":
    sys.stdout.write(diagram() + "\n")
