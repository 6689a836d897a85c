"""The installation's secret key: made once, kept in the data folder, readable by its owner."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(data: Path, given: str = "") -> str:
    """The key given by the environment, or the data folder's; a throw-away one before that."""
    if given:
        return given
    path = data / "secret-key"
    if path.is_file():
        return path.read_text().strip()
    return secrets.token_urlsafe(48)


def make_secret_key(data: Path) -> None:
    """Write a new key into the data folder unless it holds one."""
    path = data / "secret-key"
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
