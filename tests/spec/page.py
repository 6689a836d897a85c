"""`python -m tests.spec.page`: the manual's page of cases and its pictures, from the scenarios."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ringfence.desk.config.opening import set_up_django
from ringfence.engine import Violation
from ringfence.engine.explain import said_time
from tests.spec.drawing import draw
from tests.spec.scenario import Scenario, all_scenarios, module_of

ROOT = Path(__file__).parents[2]
PAGE = Path("docs/cases.md")
PICTURES = Path("docs/images/cases")
HEAD = """# What Ringfence decides, case by case

Sixteen things that went wrong elsewhere, and what Ringfence makes of each. The pictures, decisions,
reasons and doubts come from the tests named under each case, which run the engine:
`make cases` writes this page, and a test fails if it says anything else. Places are made up.
[S] marks what was read in a primary or press source.

In the pictures each fix has a circle, in which the true place lies with 95 % probability, and a
mark for how the wearer stood once it was read: a disc is *clear*, a triangle *possible*, a square
*confirmed*, a diamond *no data*, a bar *not in force*, a cross a fix that is not believed, a ring a
victim’s device. Below, bars show violations in time (dashed: possible only; a stroke: when it was
confirmed).
"""


def files() -> dict[Path, str]:
    """Everything that is generated, by its path from the project's root."""
    cases = all_scenarios()
    made = {PAGE: "\n".join([HEAD, *(_case(case) for case in cases)])}
    return made | {_picture(case): draw(case) for case in cases if case.items}


def _picture(case: Scenario) -> Path:
    return PICTURES / f"{case.number:02d}.svg"


def _case(case: Scenario) -> str:
    return "\n".join(_lines(case))


def _lines(case: Scenario) -> Iterator[str]:
    yield f"## {case.number}. {case.title}\n"
    yield f"**Elsewhere.** {case.elsewhere}\n"
    if case.items:
        yield f"![{case.shows}]({_picture(case).relative_to(PAGE.parent)})\n"
    yield f"**Ringfence.** {case.decides}\n"
    for violation in case.violations if case.items else ():
        yield from _told(violation)
    if case.items and not case.violations:
        yield "Found: nothing.\n"
    if case.not_built:
        yield f"**Not built yet.** {case.not_built}\n"
    held = ", ".join(f"`{name}`" for name in (module_of(case), *case.held_by))
    yield f"Held by {held}.\n"


def _told(violation: Violation) -> Iterator[str]:
    how = violation.how.replace("_", " ")
    begin = said_time(round(violation.begin_at.timestamp() * 1000))
    yield f"Found: **{violation.kind}, {how}: {violation.state}**, from {begin}.\n"
    yield from (f"- {line}" for line in violation.why)
    yield from (f"- Doubt: {line}" for line in violation.doubts)
    yield ""


def main() -> int:
    """Write all of it."""
    with tempfile.TemporaryDirectory(prefix="ringfence-cases-") as folder:
        set_up_django(Path(folder))  # cases of the desk stand in modules that need it
        wanted = files()
    for path in sorted((ROOT / PICTURES).glob("*.svg")):
        if path.relative_to(ROOT) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(wanted)} files\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
