"""Everything that may be written about tags and who wears them."""

from __future__ import annotations

from datetime import datetime, timedelta

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Fitting, Tag, Wearer
from ringfence.desk.cases.overlaps import refuse_second_fitting, refuse_wrong_end
from ringfence.desk.cases.sealing import new_owntracks_secret, seal_secret
from ringfence.desk.cases.tokens import new_token, token_hash
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now

MANAGE = Permission.MANAGE_TAGS
NO_TIME = timedelta()
LONGEST_OVERLAP = timedelta(days=30)


@action
def add_tag(*, by: Actor, name: str) -> tuple[Tag, str]:
    """Record a device.

    Returns:
        The tag, and its token in plain: shown this once, kept only as a hash.

    Raises:
        CaseError: the name is empty, too long or taken.
    """
    actor = permitted(by, MANAGE)
    if not name or len(name) > 64 or any(c.isspace() for c in name):
        raise CaseError("a tag's name must be 1 to 64 characters without spaces")
    if Tag.objects.filter(name=name).exists():
        raise CaseError(f"tag {name} is recorded already: rotate its token to see a new one")
    token = new_token()
    tag = Tag(name=name, token_hash=token_hash(token), added_at=now())
    tag.save()
    record(by=actor, event=Event.TAG_ADDED, subject=f"tag:{tag.pk}")
    return tag, token


@action
def rotate_tag_token(*, by: Actor, tag: Tag, overlap: timedelta = NO_TIME) -> str:
    """Give `tag` a new token, returned in plain this once.

    Args:
        by: who.
        tag: whose.
        overlap: for so long the old token works as well, so that nothing is lost while the new one
            travels to the device. None by default.

    Raises:
        CaseError: an overlap for a revoked tag, or one that is negative or longer than 30 days.
    """
    actor = permitted(by, MANAGE)
    if overlap and tag.revoked_at is not None:
        raise CaseError(f"tag {tag.name} is revoked: its old token must not work again")
    if not NO_TIME <= overlap <= LONGEST_OVERLAP:
        raise CaseError("the overlap must be from 0 to 30 days")
    token = new_token()
    tag.old_token_hash = tag.token_hash if overlap else ""
    tag.old_token_until_at = now() + overlap if overlap else None
    tag.token_hash = token_hash(token)
    tag.revoked_at = None
    tag.save(update_fields=["token_hash", "old_token_hash", "old_token_until_at", "revoked_at"])
    record(
        by=actor,
        event=Event.TAG_TOKEN_ROTATED,
        subject=f"tag:{tag.pk}",
        detail={"overlap_s": round(overlap.total_seconds())},
    )
    return token


@action
def revoke_tag(*, by: Actor, tag: Tag, reason: str) -> None:
    """Refuse whatever `tag` sends from now on.

    Raises:
        CaseError: no reason; revoked already.
    """
    actor = permitted(by, MANAGE)
    if not reason.strip():
        raise CaseError("reason is empty: say why the tag is revoked")
    if tag.revoked_at is not None:
        raise CaseError(f"tag {tag.name} is revoked already: rotate its token to use it again")
    tag.revoked_at = now()
    # No way back for the token before, even after the tag is given a new one.
    tag.old_token_hash, tag.old_token_until_at = "", None
    tag.save(update_fields=["revoked_at", "old_token_hash", "old_token_until_at"])
    record(by=actor, event=Event.TAG_REVOKED, subject=f"tag:{tag.pk}", reason=reason)


@action
def make_owntracks_key(*, by: Actor, tag: Tag) -> str:
    """Give `tag` a new secret for its OwnTracks app; what the old one sealed can't be read then.

    Returns:
        The secret in plain: shown this once, kept sealed.
    """
    actor = permitted(by, MANAGE)
    secret = new_owntracks_secret()
    tag.owntracks_key = seal_secret(tag.name, secret)
    tag.save(update_fields=["owntracks_key"])
    record(by=actor, event=Event.TAG_OWNTRACKS_KEY_MADE, subject=f"tag:{tag.pk}")
    return secret


@action
def remove_owntracks_key(*, by: Actor, tag: Tag) -> None:
    """Forget the secret of the tag's OwnTracks app: encrypted messages are refused from now on.

    Raises:
        CaseError: it has none.
    """
    actor = permitted(by, MANAGE)
    if tag.owntracks_key is None:
        raise CaseError(f"tag {tag.name} has no OwnTracks key: there is nothing to remove")
    tag.owntracks_key = None
    tag.save(update_fields=["owntracks_key"])
    record(by=actor, event=Event.TAG_OWNTRACKS_KEY_REMOVED, subject=f"tag:{tag.pk}")


@action
def fit_tag(
    *, by: Actor, tag: Tag, wearer: Wearer, from_at: datetime, to_at: datetime | None = None
) -> Fitting:
    """Record that `wearer` wears `tag` from `from_at` until `to_at` (None = until further notice).

    Raises:
        OverlapError: the tag is on somebody or with a victim, or the wearer has another tag, at
            that time.
        CaseError: it ends before it begins.
    """
    actor = permitted(by, MANAGE)
    if to_at is not None and to_at <= from_at:
        raise CaseError("to_at is not later than from_at: a fitting ends after it begins")
    refuse_second_fitting(tag, wearer, from_at, to_at)
    fitting = Fitting(tag=tag, wearer=wearer, from_at=from_at, to_at=to_at)
    fitting.save()
    record(
        by=actor,
        event=Event.TAG_FITTED,
        subject=f"wearer:{wearer.public_id}",
        detail={"fitting": fitting.pk, "tag": tag.pk},
    )
    return fitting


@action
def end_fitting(*, by: Actor, fitting: Fitting, to_at: datetime, reason: str = "") -> None:
    """Record that the tag came off at `to_at`.

    Raises:
        CaseError: it ended already, or before it began.
    """
    actor = permitted(by, MANAGE)
    refuse_wrong_end(fitting, to_at)
    fitting.to_at = to_at
    fitting.save(update_fields=["to_at"])
    record(
        by=actor,
        event=Event.FITTING_ENDED,
        subject=f"wearer:{fitting.wearer.public_id}",
        reason=reason,
        detail={"fitting": fitting.pk, "tag": fitting.tag_id},
    )
