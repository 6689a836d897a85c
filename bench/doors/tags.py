"""`python -m bench.doors.tags FOLDER COUNT`: a data folder with tags whose tokens are known."""

from __future__ import annotations

import sys
from pathlib import Path

from ringfence.desk.config.opening import open_desk


def token(number: int) -> str:
    return f"made-up-token-of-the-bench-{number:016d}"


def main(folder: Path, count: int) -> None:
    open_desk(folder)

    from ringfence.desk.cases.models import Tag  # noqa: PLC0415 -- needs Django set up
    from ringfence.desk.cases.tokens import token_hash  # noqa: PLC0415
    from ringfence.desk.kit.acting import action  # noqa: PLC0415
    from ringfence.desk.kit.clock import now  # noqa: PLC0415

    @action
    def add() -> None:
        Tag.objects.bulk_create(
            Tag(name=f"T{n}", token_hash=token_hash(token(n)), added_at=now()) for n in range(count)
        )

    add()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
