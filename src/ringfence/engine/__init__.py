"""What does this fix mean? Pure: values in, values out."""

from ringfence.engine.backtest import Backtest, Burden, backtest
from ringfence.engine.comparing import Difference, Law, differences, rules_of
from ringfence.engine.conditions import Absence, Condition, ConditionError, Kind, Weekly
from ringfence.engine.evaluate import NEVER_WAKES, Result, evaluate, violations
from ringfence.engine.events import Standing, Violation
from ringfence.engine.fix import NO_POSITION, Batch, Signal, Source, victim_number
from ringfence.engine.plan import Plan, compile_plan
from ringfence.engine.profiles import (
    CAUTIOUS,
    NAIVE,
    PROFILES,
    STANDARD,
    Profile,
    find_profile,
)
from ringfence.engine.replay import (
    Checkpoint,
    Replay,
    judge_all,
    latest_before,
    plausible_span,
    rejudge,
)
from ringfence.engine.standing import standings, standings_each
from ringfence.engine.state import State, StateError, initial_state
from ringfence.engine.streams import with_victims

__all__ = [
    "CAUTIOUS",
    "NAIVE",
    "NEVER_WAKES",
    "NO_POSITION",
    "PROFILES",
    "STANDARD",
    "Absence",
    "Backtest",
    "Batch",
    "Burden",
    "Checkpoint",
    "Condition",
    "ConditionError",
    "Difference",
    "Kind",
    "Law",
    "Plan",
    "Profile",
    "Replay",
    "Result",
    "Signal",
    "Source",
    "Standing",
    "State",
    "StateError",
    "Violation",
    "Weekly",
    "backtest",
    "compile_plan",
    "differences",
    "evaluate",
    "find_profile",
    "initial_state",
    "judge_all",
    "latest_before",
    "plausible_span",
    "rejudge",
    "rules_of",
    "standings",
    "standings_each",
    "victim_number",
    "violations",
    "with_victims",
]
