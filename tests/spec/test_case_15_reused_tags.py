"""Case 15: tags are reused, and orders wait to be fitted."""

from __future__ import annotations

import pytest

from ringfence.desk.accounts.models import User
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.tag_actions import add_tag, end_fitting, fit_tag
from ringfence.desk.monitoring import detect
from ringfence.desk.monitoring.models import Violation
from ringfence.engine import Signal
from tests.desk.monitoring.conftest import Sent, at, deliver
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=15,
    title="A tag passed on to another wearer",
    elsewhere="Tags are used again, and one man’s history stood in another’s file; orders "
    "were “not yet fitted” for up to eight weeks and nobody was told [S].",
    decides="Everything hangs on the fitting, not on the tag: a report is the wearer’s who "
    "had the tag on at the report’s own time, however late it comes. A fitting that is "
    "recorded or ended afterwards has everybody concerned judged again, with corrections on "
    "record; before and after all fittings a report is nobody’s, kept and not judged.",
    held_by=(
        ("tests/desk/monitoring/test_detect.py::test_a_tag_passed_on_takes_no_violation_with_it"),
        (
            "tests/desk/monitoring/test_detect.py::test_a_violation_that_is_no_more_is_wit"
            "hdrawn_and_on_record"
        ),
        (
            "tests/desk/monitoring/test_detect.py::test_reports_are_judged_when_their_fitt"
            "ing_is_recorded_afterwards"
        ),
    ),
    not_built="“Ordered and not yet fitted”, with its age and its alert, comes with the "
    "feature of fittings.",
)


@pytest.mark.django_db
def test_what_a_reused_tag_says_is_the_wearers_of_that_time_however_late() -> None:
    """A strap is cut, the tag goes to the next wearer, and the first one's alarm comes last."""
    detect.forget()
    equipment = User.objects.create_user(username="eve", password=None, role="equipment")
    officer = User.objects.create_user(username="ola", password=None, role="officer")
    first, second = (add_wearer(by=officer, crn=f"X00000{n}") for n in (1, 2))
    tag = add_tag(by=equipment, name="T1")[0]
    fitting = fit_tag(by=equipment, tag=tag, wearer=first, from_at=at(-60))
    end_fitting(by=equipment, fitting=fitting, to_at=at(10))
    fit_tag(by=equipment, tag=tag, wearer=second, from_at=at(20))
    deliver(tag, [Sent(at(30), signals=Signal.CASE_OPEN)])
    detect.detect()
    deliver(tag, [Sent(at(15), signals=Signal.CASE_OPEN), Sent(at(5), signals=Signal.STRAP_CUT)])
    detect.detect()
    found = {(v.wearer.crn, v.how) for v in Violation.objects.filter(kind="tamper")}
    assert found == {("X000001", "strap_cut"), ("X000002", "case_open")}
