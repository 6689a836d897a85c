"""Permissions are one list; a role is a plain class that names some of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """Everything that a person can be allowed to do."""

    SEE_CONTROL_ROOM = "see_control_room"
    SEE_WEARER = "see_wearer"
    SEE_TRAIL = "see_trail"
    HANDLE_ALERT = "handle_alert"
    DECIDE_ALERT = "decide_alert"
    EDIT_CONDITIONS = "edit_conditions"
    MANAGE_TAGS = "manage_tags"
    READ_AUDIT = "read_audit"


@dataclass(frozen=True, slots=True)
class Role:
    """A job at the desk, in a sentence, with what it may do."""

    code: str
    title: str
    sentence: str
    permissions: frozenset[Permission]


P = Permission

OPERATOR = Role(
    "operator",
    "Control room operator",
    "Watches the queue, looks at an alert and what led to it, and sees it through.",
    frozenset({P.SEE_CONTROL_ROOM, P.SEE_WEARER, P.SEE_TRAIL, P.HANDLE_ALERT, P.DECIDE_ALERT}),
)
OFFICER = Role(
    "officer",
    "Probation practitioner",
    "Supervises wearers, reads their alerts and trails, and edits their conditions.",
    frozenset({P.SEE_CONTROL_ROOM, P.SEE_WEARER, P.SEE_TRAIL, P.DECIDE_ALERT, P.EDIT_CONDITIONS}),
)
EQUIPMENT = Role(
    "equipment",
    "Equipment team",
    "Fits tags and looks after them; sees no trail.",
    frozenset({P.SEE_WEARER, P.MANAGE_TAGS}),
)
AUDITOR = Role(
    "auditor",
    "Auditor",
    "Reads who looked at whom and why; sees no trail.",
    frozenset({P.READ_AUDIT}),
)

ROLES = {role.code: role for role in (OPERATOR, OFFICER, EQUIPMENT, AUDITOR)}
