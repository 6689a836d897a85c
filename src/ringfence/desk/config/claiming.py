"""What a process claims before it loads anything heavy: its parts' locks, and its port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.folder import FolderLock, open_folder
from ringfence.gateway.ports import MQTT, Address

BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Claim:
    """A data folder and a port that are ours until `release`."""

    lock: FolderLock
    listener: socket.socket
    doors: tuple[tuple[Address, socket.socket], ...] = ()
    """The ports of device protocols, with their sockets."""

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.lock.data

    @property
    def parts(self) -> tuple[str, ...]:
        """What this process is to run."""
        return self.lock.parts

    @property
    def url(self) -> str:
        """Where we listen."""
        host, port = self.listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def doors_on(self) -> dict[str, int]:
        """The port of each other door, by its protocol."""
        return {door.protocol: at.getsockname()[1] for door, at in self.doors}

    def release(self) -> None:
        """Let go of both."""
        self.listener.close()
        for _, listener in self.doors:
            listener.close()
        self.lock.release()


def claim(
    data: Path, host: str, port: int, parts: tuple[str, ...], *, doors: Sequence[Address] = ()
) -> Claim:
    """Take the folder and the ports.

    Args:
        data: the data folder; made if absent.
        host: an address of this machine.
        port: 0 = any free one.
        parts: of `folder.PARTS`, what this process is to run.
        doors: ports of device protocols, if it is to run the gateway.

    Raises:
        CantStartError: one line on why not, and what to do.
    """
    open_folder(data)
    lock = FolderLock(data, parts)
    lock.take()
    taken: list[socket.socket] = []
    try:
        taken.append(bind(host, port))
        if "gateway" in parts:
            taken += [bind(d.host or host, d.port, _setting(d)) for d in doors]
        return Claim(lock, taken[0], tuple(zip(doors, taken[1:], strict=False)))
    except CantStartError:
        for listener in taken:
            listener.close()
        lock.release()
        raise


def _setting(door: Address) -> str:
    return "RINGFENCE_MQTT_PORT" if door.protocol == MQTT else "RINGFENCE_TCP"


def bind(host: str, port: int, option: str = "--port") -> socket.socket:
    """Take a port and listen on it: the system holds callers until we accept.

    Args:
        host: an address of this machine.
        port: 0 = any free one.
        option: what to choose another with.

    Raises:
        CantStartError: the port is in use, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # At once: with SO_REUSEADDR, a port that nobody listens on is anybody's.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CantStartError(
                f"port {port} on {host} is in use: stop what uses it, or choose another with "
                f"{option}"
            ) from None
        raise CantStartError(f"can't listen on {host}:{port}: {error.strerror}") from None
    except OverflowError:
        listener.close()
        raise CantStartError(f"port {port} is not a port: choose one from 0 to 65535") from None
    return listener
