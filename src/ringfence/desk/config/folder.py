"""The data folder: is it usable, and is it ours?"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ringfence.desk.config.errors import CantStartError

PARTS = ("gateway", "monitor", "web")
"""What one process may do: take reports in, judge them, show them."""


def open_folder(data: Path) -> None:
    """Make the data folder if it is absent, and see that we can write into it.

    Raises:
        CantStartError: it is not a folder, or is read-only.
    """
    try:
        # The database in it says who is where: for this user alone.
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise CantStartError(
            f"{data} is not a folder: give another with --data or RINGFENCE_DATA"
        ) from None
    except OSError as error:
        raise CantStartError(f"can't make the data folder {data}: {error.strerror}") from None
    trial = data / ".writable"
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise CantStartError(
            f"can't write into {data}: {error.strerror}; give a folder that this user may write"
        ) from None


@dataclass
class FolderLock:
    """Holds a part's place in a data folder for as long as the process lives.

    The lock is the operating system's, on an open file: a killed process leaves none behind.
    """

    data: Path
    parts: tuple[str, ...] = PARTS
    _held: list[IO[str]] = field(default_factory=list)

    def take(self) -> None:
        """Take every part's lock.

        Raises:
            CantStartError: another process has one; names it.
        """
        for part in self.parts:
            file = (self.data / f"{part}.lock").open("a+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                pid = file.read().strip() or "unknown"
                file.close()
                self.release()
                raise CantStartError(
                    f"Ringfence ({part}) already runs on {self.data} as process {pid}: "
                    "stop that one, or give another folder with --data"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._held.append(file)

    def release(self) -> None:
        """Let go of what was taken."""
        for file in self._held:
            file.close()
        self._held.clear()
