"""Every page, on a desk and on a phone, before axe: no fault of WCAG 2.2 A or AA."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Live, drawn, picture

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desk": DESK, "phone": PHONE}


def faults(page) -> list[str]:
    # Evaluated, not added as a script element: the pages' security policy would refuse that.
    page.evaluate(AXE)
    found = page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )
    return [
        f"{page.url} {fault['id']}: {fault['help']}: {node['html'][:160]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def wider_than_the_screen(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_clean_and_fits_the_screen(live: Live, visit, size: str) -> None:
    live.walk("X000005", [620.0, 400.0, 200.0, 100.0, 90.0])
    found: list[str] = []
    too_wide: list[str] = []

    def look(page, name: str, *, with_map: bool = False) -> None:
        if with_map:
            drawn(page)
        found.extend(faults(page))
        if wider_than_the_screen(page) > 0:
            too_wide.append(page.url)
        page.screenshot(path=picture(f"{name}-{size}.png"), full_page=True)

    stranger = visit(None, SIZES[size]).page
    stranger.goto("/sign-in")
    look(stranger, "sign-in")
    stranger.get_by_role("button", name="Sign in").click()
    look(stranger, "sign-in-error")

    page = visit("otto", SIZES[size]).page
    page.wait_for_selector(".rf-queue a", timeout=20_000)
    look(page, "control-room", with_map=True)
    alert = page.locator(".rf-queue a").first.get_attribute("href")
    page.goto(alert)
    look(page, "alert", with_map=True)
    if page.locator("#acknowledge").count():
        page.locator("#acknowledge").click()
        look(page, "alert-verdict", with_map=True)
    page.locator("#save-verdict").click()
    look(page, "alert-error", with_map=True)
    for path, name in (
        ("/alerts", "alerts"),
        ("/alerts?show=closed", "alerts-closed"),
        ("/wearers", "wearers"),
        ("/help/reading", "reading"),
        ("/help/accessibility", "accessibility"),
        ("/nowhere", "not-found"),
    ):
        page.goto(path)
        look(page, name)
    page.goto("/wearers")
    page.get_by_role("link", name="X000005").click()
    look(page, "reason")
    page.get_by_role("button", name="Continue").click()
    look(page, "reason-error")
    page.get_by_label("Supervising this person").check()
    page.get_by_label("Reason", exact=True).fill("Appointment tomorrow")
    page.get_by_role("button", name="Continue").click()
    look(page, "wearer", with_map=True)

    assert found == []
    assert too_wide == []


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_about_tags_are_clean_and_fit_the_screen(live: Live, visit, size: str) -> None:
    live.flood()
    equipment = visit("eve", SIZES[size]).page
    equipment.goto("/tags/unworn")
    expect(equipment.get_by_role("rowheader", name="T9")).to_be_visible()
    equipment.screenshot(path=picture(f"tags-unworn-{size}.png"), full_page=True)
    operator = visit("otto", SIZES[size]).page
    operator.goto("/")
    operator.get_by_role("link", name="Tag T9 sends without end").click(timeout=20_000)
    operator.screenshot(path=picture(f"system-alert-{size}.png"), full_page=True)
    for page in (equipment, operator):
        assert faults(page) == []
        assert wider_than_the_screen(page) <= 0


def test_a_forbidden_page_is_clean_and_says_why(live: Live, visit) -> None:
    page = visit("eve").page
    page.goto("/alerts")
    assert page.get_by_text("The role equipment lacks see_control_room").is_visible()
    assert faults(page) == []
