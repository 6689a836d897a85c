"""Why, and what would make it wrong: sentences for a person on shift, and for a court."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isnan
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ringfence.engine.memory import MOST_IN_ROW, NEVER
from ringfence.engine.plan import NEAR, NEAR_RING, RING
from ringfence.engine.words import Doubt, EndedBy, How

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ringfence.engine.plan import RuleName
    from ringfence.engine.profiles import Profile

LONDON: Final = ZoneInfo("Europe/London")
LEAST_CLOSING_MPS: Final = 0.3
"""Slower than this is what the circles' errors make."""

_BEGAN: Final[dict[int, str]] = {
    How.ENTERED: "Entered the zone at {begin}.",
    How.PRESENT_AT_START: "Was inside the zone when the condition came into force at {begin}.",
    How.LEFT: "Was outside the place to stay in from {begin}.",
    How.ABSENT_AT_START: "Was not there when the time to be there began at {begin}.",
    How.ABSENT: "Was to be there from {begin} and did not come.",
    How.LATE: "Was to be there from {begin} and was not.",
    How.APPROACHED: "Came into the ring round the zone at {begin}, without entering the zone.",
    How.STRAP_CUT: "The tag reported at {begin} that its strap was cut.",
    How.CASE_OPEN: "The tag reported at {begin} that its case was opened.",
    How.POWER_OFF: "The tag reported at {begin} that it was switching off.",
    How.BATTERY_LOW: "The tag reported a low battery at {begin}.",
    How.BATTERY_CRITICAL: "The tag reported a critically low battery at {begin}.",
    How.SILENCE: "Nothing was heard of the tag after {first}; the limit passed at {begin}.",
    How.NO_FIX: "The tag reported, but without a position, or with one that stood still while it "
    "moved, for longer than the limit: {begin}.",
    How.GNSS_JAMMED: "The tag reported at {begin} that satellite reception was jammed.",
    How.GNSS_SPOOFED: "By {begin}, satellite fixes had contradicted simultaneous ones by Wi-Fi, "
    "cell or home beacon three times in a row, by more than three times both circles and 500 m.",
    How.POWER_CUT: "The tag reported at {begin} that its outside supply was cut.",
    How.NETWORK_JAMMED: "The tag reported at {begin} that the mobile network was jammed.",
    How.MOCK_POSITION: "The phone itself reported at {begin} that an app had made its position up.",
}
_FIRST_KNOWN: Final = "Was inside the zone at {begin}, by the first fix that is known."
_BEGAN_NEAR: Final[dict[int, str]] = {
    How.ENTERED: "Was within the ordered distance of the protected person’s device from {begin}.",
    How.PRESENT_AT_START: "Was within the ordered distance of the protected person’s device when "
    "the condition came into force at {begin}.",
    How.APPROACHED: "Was within twice the ordered distance of the protected person’s device from "
    "{begin}.",
}
"""Said to people who may not know where she is: a distance, never a place or a direction."""
_TELEPORTED: Final = (
    "By {begin}, satellite fixes sure to 50 m at both ends, and borne out there, lay over 10 km "
    "apart, farther than any aircraft flies in the time."
)
_OTHERWISE_TELEPORTED: Final = (
    "A tag whose clock is wrong, or two tags with one identity, look the same."
)
_OTHERWISE_SPOOFED: Final = (
    "The other fixes may be the wrong ones: an access point or a cell that was moved is looked up "
    "where it stood before."
)
_OTHERWISE_MOCKED: Final = (
    "Apps that test, simulate or correct positions set the same mark: look at what is installed."
)
_ON_WAY: Final = {
    1: ": the fix of that instant carries on the way that the fixes before it show",
    2: ": the fixes before it show the tag on its way, and the fix of that instant lies within "
    "reach at their pace",
}
"""By what a decision rests on one fix: `on_way` of its row."""
_BORNE_OUT: Final = {
    0: "",
    1: ", which carried on the way of those before it",
    2: ", which lay within reach at the pace of those before it",
}
_ENDED: Final[dict[int, str]] = {
    EndedBy.LEFT: "It was over at {end}: outside again.",
    EndedBy.RETURNED: "It was over at {end}: back inside.",
    EndedBy.ENTERED: "It was over at {end}: the zone itself was entered.",
    EndedBy.CLEARED: "Later fixes, at {end}, make it improbable.",
    EndedBy.CONDITION_ENDED: "The condition's time ended at {end}.",
    EndedBy.AUTHORISED: "An authorised absence began at {end}.",
    EndedBy.NO_DATA: "No fix had come to decide it by {end}.",
    EndedBy.REPORTED: "The tag reported again at {end}.",
    EndedBy.LOCATED: "A position was found again at {end}.",
    EndedBy.CHARGED: "The tag was put to charge at {end}.",
    EndedBy.INSPECTED: "A person inspected the tag at {end}.",
    EndedBy.AGREED: "By {end}, satellite fixes and others had agreed three times in a row.",
}
_ENDED_NEAR: Final[dict[int, str]] = {
    EndedBy.LEFT: "It was over at {end}: farther apart again.",
}
_DOUBTS: Final[dict[Doubt, str]] = {
    Doubt.NULL_ISLAND: "A fix lay at 0°, 0°, which is what a receiver without a fix sends.",
    Doubt.IMPOSSIBLE_SPEED: "A fix lay farther off than anyone can travel in the time; by itself "
    "it decided nothing.",
    Doubt.JUMP: "A fix jumped farther than its speed and any acceleration allow; by itself it "
    "decided nothing.",
    Doubt.TWO_PLACES: "Two fixes at one instant lay apart; by itself the second decided nothing.",
    Doubt.BORNE_OUT: "A fix was doubted at first for the way to it; the next one bore it out, and "
    "both count.",
    Doubt.FROZEN: "The same position came again and again to the last digit; a "
    "receiver that hangs does that, and so does a tag that lies still.",
    Doubt.NO_ACCURACY: "A fix gave no accuracy; the profile's usual circle for its source was "
    "taken.",
    Doubt.CELL: "Cell fixes are among them: they can lie hundreds of metres off.",
    Doubt.BEFORE_GAP: "It lasted over a time without a fix that is believed; where the wearer was "
    "then is unknown.",
    Doubt.STRAP_OK: "The tag says that the strap is well again. A strap that is cut and taped says "
    "so too: have it inspected.",
    Doubt.STILL: "The wearer’s own tag was at rest when the two were nearest: the distance may "
    "have closed without the wearer moving.",
    Doubt.CROSSING: "No fix was inside: the straight way between two fixes leads through the zone. "
    "The way round is possible.",
    Doubt.FIRST_KNOWN: "Nothing is known from before its first fix: it may have begun earlier.",
}
_KNOWN: Final[dict[Doubt, str]] = {
    Doubt.BATTERY_FLAT: "The tag had said that its battery was critically low, and had not been "
    "charged since: the battery is probably flat.",
    Doubt.SWITCHED_OFF: "The tag had said that it was switching off.",
}
"""What was known before and may explain it; said among the reasons."""
_DOUBTS_NEAR: Final[dict[Doubt, str]] = {
    Doubt.CROSSING: "No fix was that near: the straight way between two fixes leads past. The way "
    "round is possible.",
    Doubt.BEFORE_GAP: "It lasted over a time without fixes of one of the devices; how far apart "
    "they were then is unknown.",
    Doubt.FROZEN: "One device gave the same position again and again to the last digit; a receiver "
    "that hangs does that, and so does a device that lies still.",
}
_UNDECIDED: Final[dict[Doubt, str]] = {
    Doubt.UNSTEADY: "One device’s place rested on a single fix, which alone decides nothing.",
    Doubt.AGED: "One device’s place was so old that it may have moved across the distance since.",
}
"""Of a proximity that is possible only."""


def said_time(ms: int) -> str:
    """An instant as people in London read it, to the second."""
    hour, within_ms = divmod(int(ms), 3_600_000)
    minute, second = divmod(within_ms // 1000, 60)
    return f"{_said_hour(hour)}:{minute:02d}:{second:02d}"


@lru_cache(maxsize=65_536)
def _said_hour(hour: int) -> str:
    """An hour since 1970 by London's clock, which has differed by whole hours since 1847."""
    at = datetime.fromtimestamp(hour * 3600, UTC).astimezone(LONDON)
    return f"{at:%d/%m/%Y %H}"


def why_of(row: np.record, name: RuleName, end_ms: int | None, profile: Profile) -> tuple[str, ...]:
    """What speaks for a violation, one sentence each.

    Args:
        row: has the fields of `memory.OPEN_FIELDS`.
        name: of the rule.
        end_ms: when it ended; None = it is open.
        profile: by which it was judged.
    """
    bits, near = int(row.doubts), name.role in (NEAR, NEAR_RING)
    if bits & Doubt.CROSSING and int(row.fixes) == 0:
        return (*_crossed(row, name, end_ms), *_undecided(row, profile))
    lines = [_began(row, name)]
    if near:
        lines += _nearness(row, name, profile)
    elif name.condition is not None:
        edge = "the ring's outer edge" if name.role == RING else "the edge"
        lines += _evidence(row, edge, profile)
    lines += _said(_KNOWN, bits)
    if name.condition is None and int(row.fixes) > 1:
        lines.append(f"It was reported {int(row.fixes)} times.")
    if end_ms is not None:
        ended_by = int(row.ended_by)
        words = _ENDED_NEAR.get(ended_by, _ENDED[ended_by]) if near else _ENDED[ended_by]
        lines.append(words.format(end=said_time(end_ms)))
    return tuple(lines)


def _said(texts: Mapping[Doubt, str], bits: int) -> list[str]:
    return [text for doubt, text in texts.items() if bits & doubt] if bits else []


def _began(row: np.record, name: RuleName) -> str:
    """How it began; of what is possible only, how it may have."""
    how, bits = int(row.how), int(row.doubts)
    near = name.role in (NEAR, NEAR_RING)
    words = _BEGAN_NEAR[how] if near else _BEGAN[how]
    if bits & Doubt.TELEPORTED:
        words = _TELEPORTED
    if how == How.ENTERED and not near and bits & Doubt.FIRST_KNOWN:
        words = _FIRST_KNOWN
    if name.condition is not None and int(row.confirmed_ms) == NEVER:
        words = words.replace("Came ", "May have come ").replace("Entered ", "May have entered ")
        words = words.replace("Was ", "May have been ")
    first = said_time(row.first_ms) if int(row.first_ms) != NEVER else "its fitting"
    return words.format(begin=said_time(row.begin_ms), first=first)


def _crossed(row: np.record, name: RuleName, end_ms: int | None) -> list[str]:
    """A way between two fixes: which ones, and what the way would have meant."""
    near = name.role in (NEAR, NEAR_RING)
    past = "gone through the zone"
    leads = f"through it, {float(row.depth_m):,.0f} m deep at most"
    if near:
        past = "been within the ordered distance of the protected person’s device"
        leads = f"as near as {name.reach_m - float(row.depth_m):,.0f} m"
    later = "the next" if end_ms is None else f"that of {said_time(end_ms)}"
    way = f"the straight way from the fix of {said_time(row.last_ms)} to {later} leads {leads}"
    return [f"May have {past} at about {said_time(row.begin_ms)}.", f"No fix shows it: {way}."]


def _nearness(row: np.record, name: RuleName, profile: Profile) -> list[str]:
    """The distances that carry a proximity: how near, by how good fixes, closing how fast."""
    lines, fixes = [], int(row.fixes)
    if fixes:
        lines.append(f"{fixes} {'fix' if fixes == 1 else 'fixes'} of the two devices show it.")
    nearest_m = name.reach_m - float(row.depth_m)
    if nearest_m >= 0:
        ordered_m = name.reach_m if name.role == NEAR else name.reach_m / 2
        line = f"The nearest was {nearest_m:,.0f} m (the ordered distance is {ordered_m:,.0f} m)"
        if int(row.deepest_ms) != NEVER:
            line += f", at {said_time(row.deepest_ms)}"
        if not isnan(float(row.own_m)):
            line += (
                f"; confidence circles {float(row.own_m):,.0f} m (wearer) and "
                f"{float(row.other_m):,.0f} m, the older place {float(row.age_s):,.0f} s old"
            )
        lines.append(line + ".")
    closing = float(row.closing_mps)
    if closing > LEAST_CLOSING_MPS:
        lines.append(f"They were closing in at {closing:.1f} m/s when it was decided.")
    return [*lines, *_decided(row, "within the distance", profile)]


def _evidence(row: np.record, edge: str, profile: Profile) -> list[str]:
    lines = []
    fixes, cells = int(row.fixes), int(row.cell_fixes)
    if fixes:
        cell = f", {cells} of them by cell" if cells else ""
        noun = "fix lies" if fixes == 1 else "fixes lie"
        lines.append(f"{fixes} {noun} past {edge}{cell}.")
    if float(row.depth_m) >= 0:
        lines.append(
            f"The deepest is {float(row.depth_m):.0f} m past it, at {said_time(row.deepest_ms)}, "
            f"with a confidence circle of {float(row.radius_m):.0f} m."
        )
    return [*lines, *_decided(row, f"past {edge}", profile)]


def _decided(row: np.record, where: str, profile: Profile) -> list[str]:
    """How sure it is, what made it so, and what that takes: as the kernel did it."""
    chance = f"{100 * float(row.probability):.1f} %"
    if int(row.confirmed_ms) == NEVER:
        return _undecided(row, profile)
    line = f"Confirmed at {said_time(row.confirmed_ms)}"
    if profile.geometric:
        return [f"{line} by geometry alone, which weighs no error."]
    takes = f"Its probability reached {chance}; confirming takes {_percent(profile)}."
    if int(row.in_row) == 0:
        return [f"{line}, when it came into force, by the last place known then. {takes}"]
    if not int(row.on_way):
        return [f"{line}: {_in_row(row, where, profile)}. {takes}"]
    line += _ON_WAY[int(row.on_way)]
    if not isnan(float(row.own_m)) and isnan(float(row.age_s)):
        line += (
            f", which puts the tag {float(row.own_m):,.0f} m {where}, give or take "
            f"{float(row.other_m):,.0f} m (95 %)"
        )
    return [f"{line}; so it does not stand alone, and counts for two. {takes}"]


def _in_row(row: np.record, where: str, profile: Profile) -> str:
    """How many fixes in a row agreed; as many as the profile asks, each on the way for two."""
    count = int(row.in_row)
    more = " or more" if count == MOST_IN_ROW else ""
    text = f"{count}{more} fixes in a row lay {where}" if count > 1 else f"one fix lay {where}"
    if count < profile.agreeing:
        text += ", of which one that carried on the way before it counts for two"
    return text


def _undecided(row: np.record, profile: Profile) -> list[str]:
    """Why it is no more than possible."""
    chance = f"{100 * float(row.probability):.1f} %"
    alike = f"{profile.agreeing} fixes in a row, none of them by cell"
    takes = f"Confirming takes {_percent(profile)} and {alike}."
    lines = [f"Possible only: its probability reached {chance}. {takes}"]
    if int(row.fixes) > profile.agreeing:
        lines.append(
            "However many fixes lie at one place, they share one error: together they tell no more "
            "than that error allows."
        )
    return lines


def _percent(profile: Profile) -> str:
    return f"{100 * profile.confirm_above:g} %"


def doubts_of(row: np.record, name: RuleName) -> tuple[str, ...]:
    """What would make a violation wrong, one sentence each."""
    bits = int(row.doubts)
    texts = _DOUBTS
    if name.role in (NEAR, NEAR_RING):
        undecided = _UNDECIDED if int(row.confirmed_ms) == NEVER else {}
        texts = {**_DOUBTS, **_DOUBTS_NEAR, **undecided}
    lines = _said(texts, bits)
    if int(row.how) == How.MOCK_POSITION:
        lines.append(_OTHERWISE_MOCKED)
    if int(row.how) == How.GNSS_SPOOFED:
        lines.append(_OTHERWISE_TELEPORTED if bits & Doubt.TELEPORTED else _OTHERWISE_SPOOFED)
    spatial = name.condition is not None and not bits & Doubt.CROSSING
    vague = 0 <= float(row.depth_m) < float(row.radius_m)
    if spatial and vague and name.role in (NEAR, NEAR_RING):
        lines.append(
            f"Even at the nearest they were only {float(row.depth_m):.0f} m within the distance, "
            f"and the circle of their distance is {float(row.radius_m):.0f} m wide."
        )
    elif spatial and vague:
        lines.append(
            f"Even the deepest fix lies nearer to the edge ({float(row.depth_m):.0f} m) than its "
            f"circle is wide ({float(row.radius_m):.0f} m)."
        )
    if spatial and int(row.fixes) == 0:
        lines.append("It rests on the last fix before that instant; none came since.")
    if spatial and int(row.fixes) == 1:
        way = _BORNE_OUT[int(row.on_way)]
        lines.append(f"It rests on one fix past the edge{way}.")
    return tuple(lines)
