"""An alert reaches an open page, and a person sees it through, by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Live, drawn, picture

pytestmark = pytest.mark.browser

INTO_THE_ZONE_M = [620.0, 540.0, 420.0, 310.0, 230.0, 150.0, 60.0]


def test_an_alert_appears_on_an_open_page_without_reload(live: Live, visit) -> None:
    page = visit("otto").page
    expect(page.locator(".rf-queue")).to_be_visible()
    item = page.get_by_role("listitem").filter(has_text="X000001")
    expect(item).to_have_count(0)
    page.evaluate("window.notReloaded = true")
    live.walk("X000001", INTO_THE_ZONE_M)
    expect(item).to_contain_text("Entered exclusion zone", timeout=20_000)
    assert page.evaluate("window.notReloaded") is True
    expect(page.locator("[data-announce]")).to_contain_text("New alert")
    expect(page.locator("[data-announce]")).to_contain_text("Wes Weller")


def test_the_map_and_the_table_say_the_same_and_move_on_their_own(live: Live, visit) -> None:
    page = visit("otto").page
    live.walk("X000002", [2_000.0, 1_900.0, 1_800.0])
    row = page.get_by_role("row").filter(has_text="X000002")
    expect(row).to_contain_text("Clear", timeout=20_000)
    drawn(page)
    shown = page.evaluate(
        """() => document.querySelector('.rf-map').olMap.getLayers().getArray()
             .flatMap((layer) => layer.getSource().getFeatures?.() ?? [])
             .map((feature) => feature.get('point')).filter(Boolean)
             .map((point) => [point.label, point.state])"""
    )
    rows = page.locator("#wearers tr[data-point]")
    said = [row["label"] for row in (eval_json(rows.nth(i)) for i in range(rows.count()))]
    assert sorted(label for label, _ in shown) == sorted(said)
    assert ["X000002", "clear"] in shown


def eval_json(row) -> dict:
    return row.evaluate("(row) => JSON.parse(row.dataset.point)")


def press_to(page: Page, selector: str) -> None:
    """Tab until the focus stands on `selector`."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement?.matches(s) ?? false", selector):
            return
    pytest.fail(f"the keyboard never reached {selector}")


def test_a_strap_cut_is_seen_through_by_keyboard_alone(live: Live, visit) -> None:
    live.walk("X000003", [2_500.0, 2_400.0])
    live.cut_strap("X000003")
    page = visit("otto").page
    link = page.get_by_role("link", name="Strap cut")
    expect(link).to_be_visible(timeout=20_000)
    key = link.get_attribute("data-key")
    press_to(page, f"[data-key='{key}']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts/*")

    press_to(page, "#acknowledge")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You acknowledged this alert")).to_be_visible()

    press_to(page, "#save-verdict")
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Select what you found")
    expect(page.locator(".govuk-error-summary")).to_be_focused()

    press_to(page, "#id_disposition")
    page.keyboard.press("Space")
    press_to(page, "#id_reason")
    page.keyboard.type("The equipment team found the strap cut")
    press_to(page, "#save-verdict")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your verdict is recorded")).to_be_visible()

    press_to(page, "#close")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Add a note on what was found at the tag")).to_be_visible()
    press_to(page, "#write-note")
    page.keyboard.press("Enter")
    press_to(page, "#id_text")
    page.keyboard.type("New tag fitted")
    press_to(page, "#add-note")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The note is on the timeline")).to_be_visible()
    press_to(page, "#close")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The alert is closed")).to_be_visible()


def test_a_second_operator_sees_at_once_that_an_alert_has_changed(live: Live, visit) -> None:
    live.walk("X000004", INTO_THE_ZONE_M)
    first = visit("otto").page
    first.get_by_role("listitem").filter(has_text="X000004").get_by_role("link").click(
        timeout=20_000
    )
    second = visit("otto").page
    second.goto(first.url)
    expect(second.get_by_text("This alert has changed since you opened it")).to_be_hidden()
    first.get_by_role("button", name="Acknowledge").click()
    expect(second.get_by_text("This alert has changed since you opened it")).to_be_visible(
        timeout=5_000
    )


def test_no_request_leaves_the_machine(live: Live, visit) -> None:
    visitor = visit("otto")
    page = visitor.page
    drawn(page)
    for path in ("/alerts", "/wearers", "/help/reading", "/help/accessibility"):
        page.goto(path)
    page.goto("/")
    page.locator(".rf-queue a").first.click()
    drawn(page)
    assert len(visitor.asked) > 20
    assert [url for url in visitor.asked if not url.startswith((live.url, "data:", "blob:"))] == []
    assert visitor.complaints == []


def test_a_page_without_events_says_so_asks_by_itself_and_recovers(live: Live, visit) -> None:
    page = visit("otto").page
    page.context.route("**/events*", lambda route: route.fulfill(status=502, body="proxy"))
    page.reload()
    state = page.locator("[data-connection]")
    expect(state).to_contain_text("Connection lost", timeout=5_000)
    live.walk("X000006", INTO_THE_ZONE_M)
    item = page.get_by_role("listitem").filter(has_text="X000006")
    expect(item).to_contain_text("Entered exclusion zone", timeout=25_000)
    page.context.unroute("**/events*")
    expect(state).to_have_text("Live", timeout=15_000)


def test_the_control_room_has_its_picture_taken(live: Live, visit) -> None:
    page = visit("otto").page
    expect(page.locator(".rf-queue a").first).to_be_visible(timeout=20_000)
    drawn(page)
    page.screenshot(path=picture("control-room.png"))
    phone = visit("otto", PHONE).page
    drawn(phone)
    phone.screenshot(path=picture("control-room-phone.png"), full_page=True)
