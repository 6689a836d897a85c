"""Case 11: a looping message, and positions frozen for hours."""

from __future__ import annotations

from tests.engine.build import after, condition, disc, fixes
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=11,
    title="A looping message, frozen positions, and a history that was lost",
    elsewhere="One looping message took a national system down; positions frozen for hours "
    "were taken for a wearer at home; and after a change of supplier the history was gone and "
    "courts acquitted [S].",
    shows="A tag’s position is the same to the last digit for three hours, 600 m from the "
    "curfew address; the curfew begins in the second hour.",
    rules=(condition("curfew", from_at=after(60), geometry=disc(), radius_m=80.0),),
    items=(fixes([(m, 600.0, 0.0) for m in range(0, 180, 2)]),),
    from_at=after(0),
    decides="A position repeated to the last digit is a doubt: it clears nobody, and it hides "
    "no violation. A sender that loops is slowed down and delays nobody else; a report that "
    "makes the engine fail is set apart and the rest goes on; what goes out as a file comes "
    "in again as the same reports.",
    held_by=(
        (
            "tests/spec/test_uncertain_places.py::test_a_frozen_position_at_home_is_not_co"
            "mpliance_for_ever"
        ),
        "tests/gateway/test_app.py::test_a_looping_tag_is_429_and_the_others_are_taken",
        "tests/gateway/test_tcp.py::test_a_looping_device_does_not_keep_the_others_waiting",
        (
            "tests/desk/monitoring/test_detect.py::test_a_report_that_makes_the_engine_fai"
            "l_is_set_apart_and_the_rest_goes_on"
        ),
        "tests/cli/test_import_fixes.py",
    ),
)


def test_a_frozen_position_hides_no_absence() -> None:
    (absence,) = CASE.violations
    assert (absence.how, absence.state) == ("absent_at_start", "confirmed")
    assert absence.begin_at == after(60)
    assert "to the last digit" in " ".join(absence.doubts)
