"""Everything that may be written about feeds, and for which tags they speak."""

from __future__ import annotations

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Feed, Tag
from ringfence.desk.cases.tokens import new_token, token_hash
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now

MANAGE = Permission.MANAGE_TAGS


@action
def add_feed(*, by: Actor, name: str) -> tuple[Feed, str]:
    """Record a feed. It speaks for nobody until tags are bound to it.

    Returns:
        The feed, and its token in plain: shown this once, kept only as a hash.

    Raises:
        CaseError: the name is empty, too long or taken.
    """
    actor = permitted(by, MANAGE)
    if not name or len(name) > 64 or any(c.isspace() for c in name):
        raise CaseError("a feed's name must be 1 to 64 characters without spaces")
    if Feed.objects.filter(name=name).exists():
        raise CaseError(f"feed {name} is recorded already: rotate its token to see a new one")
    token = new_token()
    feed = Feed(name=name, token_hash=token_hash(token), added_at=now())
    feed.save()
    record(by=actor, event=Event.FEED_ADDED, subject=f"feed:{feed.pk}")
    return feed, token


@action
def rotate_feed_token(*, by: Actor, feed: Feed) -> str:
    """Give `feed` a new token, returned in plain this once; the old one is refused from now on."""
    actor = permitted(by, MANAGE)
    token = new_token()
    feed.token_hash = token_hash(token)
    feed.revoked_at = None
    feed.save(update_fields=["token_hash", "revoked_at"])
    record(by=actor, event=Event.FEED_TOKEN_ROTATED, subject=f"feed:{feed.pk}")
    return token


@action
def revoke_feed(*, by: Actor, feed: Feed, reason: str) -> None:
    """Refuse whatever `feed` sends from now on; its tags stay bound, and may report themselves.

    Raises:
        CaseError: no reason; revoked already.
    """
    actor = permitted(by, MANAGE)
    if not reason.strip():
        raise CaseError("reason is empty: say why the feed is revoked")
    if feed.revoked_at is not None:
        raise CaseError(f"feed {feed.name} is revoked already: rotate its token to use it again")
    feed.revoked_at = now()
    feed.save(update_fields=["revoked_at"])
    record(by=actor, event=Event.FEED_REVOKED, subject=f"feed:{feed.pk}", reason=reason)


@action
def bind_tag(*, by: Actor, feed: Feed, tag: Tag) -> None:
    """Let `feed` speak for `tag`.

    Raises:
        CaseError: another feed does, or this one already.
    """
    actor = permitted(by, MANAGE)
    if tag.feed is not None:
        raise CaseError(f"tag {tag.name} is bound to feed {tag.feed.name} already: unbind it first")
    tag.feed = feed
    tag.save(update_fields=["feed"])
    record(by=actor, event=Event.TAG_BOUND, subject=f"tag:{tag.pk}", detail={"feed": feed.pk})


@action
def unbind_tag(*, by: Actor, tag: Tag) -> None:
    """Let no feed speak for `tag`.

    Raises:
        CaseError: none does.
    """
    actor = permitted(by, MANAGE)
    if tag.feed is None:
        raise CaseError(f"tag {tag.name} is bound to no feed: there is nothing to unbind")
    feed_id = tag.feed.pk
    tag.feed = None
    tag.save(update_fields=["feed"])
    record(by=actor, event=Event.TAG_UNBOUND, subject=f"tag:{tag.pk}", detail={"feed": feed_id})
