"""Everything that the audit log can say happened."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """One name for each thing that is recorded; never renamed, since old rows keep theirs."""

    USER_ADDED = "user.added"
    USER_ROLE_CHANGED = "user.role_changed"
    PASSWORD_SET = "user.password_set"  # noqa: S105 -- an event's name
    SIGNED_IN = "user.signed_in"
    SIGNED_OUT = "user.signed_out"
    SIGN_IN_REFUSED = "user.sign_in_refused"

    WEARER_ADDED = "wearer.added"
    VICTIM_ADDED = "victim.added"
    ORDER_ADDED = "order.added"
    CONDITION_ADDED = "condition.added"
    CONDITION_CHANGED = "condition.changed"
    CONDITION_ENDED = "condition.ended"
    CONDITIONS_IMPORTED = "conditions.imported"
    TAG_ADDED = "tag.added"
    TAG_TOKEN_ROTATED = "tag.token_rotated"  # noqa: S105 -- an event's name
    TAG_REVOKED = "tag.revoked"
    TAG_DEVICE_ADDED = "tag.device_added"
    TAG_DEVICE_REMOVED = "tag.device_removed"
    TAG_OWNTRACKS_KEY_MADE = "tag.owntracks_key_made"
    TAG_OWNTRACKS_KEY_REMOVED = "tag.owntracks_key_removed"
    FEED_ADDED = "feed.added"
    FEED_TOKEN_ROTATED = "feed.token_rotated"  # noqa: S105 -- an event's name
    FEED_REVOKED = "feed.revoked"
    TAG_BOUND = "tag.bound"
    TAG_UNBOUND = "tag.unbound"
    TAG_FITTED = "tag.fitted"
    FITTING_ENDED = "fitting.ended"
    TAG_GIVEN = "tag.given"
    CARRYING_ENDED = "carrying.ended"

    LOOKED_AT = "person.looked_at"
    """Consultation in the sense of the Data Protection Act 2018, s.62."""
    FIXES_IMPORT_BEGUN = "fixes.import_begun"
    FIXES_IMPORTED = "fixes.imported"
    FIXES_EXPORTED = "fixes.exported"
    QUARANTINE_DECODING = "quarantine.decoding"
    QUARANTINE_DECODED = "quarantine.decoded"
    QUARANTINE_DROPPED = "quarantine.dropped"
    VIOLATIONS_EXPORTED = "violations.exported"
    VIOLATIONS_REPLAYED = "violations.replayed"
    ZONE_BACKTESTED = "zone.backtested"

    ALERT_OPENED = "alert.opened"
    ALERT_UPGRADED = "alert.upgraded"
    ALERT_ENDED = "alert.ended"
    ALERT_CORRECTED = "alert.corrected"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_NOTED = "alert.noted"
    ALERT_DISPOSED = "alert.disposed"
    ALERT_CLOSED = "alert.closed"
