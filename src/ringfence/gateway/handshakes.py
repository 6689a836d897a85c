"""TLS handshakes at the doors of devices: so many at once, and of each address so many.

asyncio's own server begins one for whoever connects, before anything of ours hears of it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable

from ringfence.gateway.metrics import TCP_CLOSED

HANDSHAKE_S = 15.0
"""Within this a TLS handshake is over."""
MOST = 512
"""Under way at once at one door; who comes then waits in the listener's queue."""
MOST_OF_ADDRESS = 64
"""… of which from one address: an eighth, so that one that begins them without end keeps out none.
A relay with more devices than that connects them one after the other, or is hung up on."""
RETRY_S = 0.1
"""After which it is tried again to accept, when the process has no descriptor left."""

Make = Callable[[], asyncio.BaseProtocol]


class Handshakes:
    """Lets connections in that have shaken hands."""

    def __init__(
        self, tls: ssl.SSLContext, *, most: int = MOST, most_of_address: int = MOST_OF_ADDRESS
    ) -> None:
        self._tls = tls
        self._room = asyncio.Semaphore(most)
        self._most_of_address = most_of_address
        self._from: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket, make: Make) -> None:
        """Accept until cancelled; `make` makes the protocol of a connection that is through."""
        listener.setblocking(False)  # noqa: FBT003 -- takes no keywords
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._room.acquire()
                try:
                    connection, address = await loop.sock_accept(listener)
                except OSError:
                    self._room.release()
                    await asyncio.sleep(RETRY_S)
                else:
                    self._begin(connection, str(address[0]), make)
        finally:
            for task in self._under_way:
                task.cancel()
            listener.close()

    def _begin(self, connection: socket.socket, address: str, make: Make) -> None:
        if self._from[address] >= self._most_of_address:
            TCP_CLOSED.labels("too_many_handshakes").inc()
            connection.close()
            self._room.release()
            return
        self._from[address] += 1
        task = asyncio.create_task(self._shake(connection, address, make))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _shake(self, connection: socket.socket, address: str, make: Make) -> None:
        connection.setblocking(False)  # noqa: FBT003 -- takes no keywords
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                make, connection, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:
            connection.close()  # it spoke no TLS, showed no certificate, or took too long
        finally:
            self._room.release()
            self._from[address] -= 1
            if not self._from[address]:
                del self._from[address]
