"""Static files: collected under hashed names once, then served by WhiteNoise without Django."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.base import WhiteNoise

from ringfence.desk.config.plain import Receive, Scope, Send, respond

CHUNK = 1 << 16


def collect(root: Path) -> bool:
    """Copy every room's static files to `root` under hashed names, unless they are there already.

    Returns:
        Whether anything had to be done.
    """
    stamp = root / "collected-from"
    fingerprint = _fingerprint()
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return False
    root.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    found = []
    for finder in get_finders():
        for name, storage in finder.list(None):
            seen = Path(storage.path(name)).stat()
            found.append((name, seen.st_size, seen.st_mtime_ns))
    return sha256(json.dumps(sorted(found)).encode()).hexdigest()


class StaticFiles:
    """An ASGI application under /static/."""

    def __init__(self, root: Path) -> None:
        self._files = WhiteNoise(
            None,
            root=str(root) if root.is_dir() else None,
            prefix="/static/",
            allow_all_origins=False,
            immutable_file_test=r"\.[0-9a-f]{12}\.",
            add_headers_function=_headers,
        ).files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive
        file = self._files.get(scope["path"])
        if file is None:
            await respond(send, 404, "no such file\n")
            return
        asked = {
            "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        answer = file.get_response(scope["method"], asked)
        await send(
            {
                "type": "http.response.start",
                "status": int(answer.status),
                "headers": [(k.lower().encode(), v.encode()) for k, v in answer.headers],
            }
        )
        await _send_file(answer.file, send)


async def _send_file(file: Any, send: Send) -> None:
    try:
        while chunk := file.read(CHUNK) if file is not None else b"":
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if file is not None:
            file.close()
    await send({"type": "http.response.body", "body": b""})


def _headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
