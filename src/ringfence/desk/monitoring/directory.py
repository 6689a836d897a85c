"""Which devices may speak: the list in memory, kept up with the database by a thread of its own.

A codec needs a device's model in the midst of its bytes, and a door its tag for each frame, so that
neither can wait for the database. Every change to a tag has a number of its own (`Tag.revision`):
twice a second the list reads what is newer than the newest it has seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError, connections

from ringfence.desk.cases.models import Tag
from ringfence.desk.monitoring.gatekeeper import known_tag
from ringfence.gateway.devices import Device
from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.report import KnownTag

READ_EVERY_S = 0.5
"""A revoked tag or a removed device is refused everywhere within this, a new one let in."""

log = structlog.get_logger("ringfence.directory")
Key = tuple[str, str]
"""Protocol (empty = any) and device id."""


class TagDirectory:
    """Implements `gateway.devices.Devices` on the desk's tags."""

    def __init__(self, changed: Callable[[Collection[int]], None] = lambda _tags: None) -> None:
        """Begin empty.

        Args:
            changed: is told, on the directory's thread, which tags are not what they were.
        """
        self._changed = changed
        self._seen = -1
        self._devices: dict[Key, Device] = {}
        self._names: dict[str, KnownTag] = {}
        self._keys: dict[int, list[Key]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)

    def start(self) -> None:
        """Read the list, then keep it up."""
        self.read()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def find(self, protocol: str, device: str) -> Device | None:
        """The device that names itself so in this protocol; None = nobody registered it."""
        return self._devices.get((protocol, device)) or self._devices.get(("", device))

    def tag_named(self, name: str) -> KnownTag | None:
        """The tag of this name, unless it is revoked."""
        return self._names.get(name)

    def read(self) -> None:
        """Read what has changed since last time."""
        rows = Tag.objects.filter(revision__gt=self._seen).order_by("revision")
        changed = []
        for tag in rows.prefetch_related("devices"):
            # One step a tag: who looks meanwhile, on another thread, finds the old or the new.
            self._replace(tag)
            self._seen = tag.revision
            changed.append(tag.pk)
        if changed:
            self._changed(set(changed))

    def _replace(self, tag: Tag) -> None:
        known = known_tag(tag)
        made: dict[Key, Device] = {}
        if tag.revoked_at is None:
            for row in tag.devices.all():
                model = DeviceModel(row.model, ZoneInfo(row.zone))
                made[row.protocol, row.device_id] = Device(known, model)
            self._names[tag.name] = known
        else:
            self._names.pop(tag.name, None)
        self._devices.update(made)
        for key in self._keys.get(tag.pk, []):
            held = self._devices.get(key)
            if key not in made and held is not None and held.tag.id == tag.pk:
                del self._devices[key]
        self._keys[tag.pk] = list(made)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(READ_EVERY_S):
                try:
                    self.read()
                except DatabaseError as error:
                    # The list stays as it was: the doors go on with whom they know.
                    log.warning("list_not_read", error=type(error).__name__)
                    connections.close_all()
        finally:
            connections.close_all()
