"""The quarantine's pages in a browser: clean, by keyboard alone, on a desk and on a phone."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import DESK, PHONE, Live, picture
from tests.browser.test_accessible import faults, wider_than_the_screen

pytestmark = pytest.mark.browser
SIZES = {"desk": DESK, "phone": PHONE}
BODY = (
    '{"tag":"T2","reports":[{"time":"2026-03-01T10:02:00Z","lat":51.456,"lon":-0.142},'
    '{"time":"2026-03-01T10:03:00Z","lat":91,"lon":-0.142}]}'
)


def send(live: Live, body: str, token: str) -> int:
    link = http.client.HTTPConnection(urlsplit(live.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    link.request("POST", "/gateway/v1/reports", body, headers)
    status = link.getresponse().status
    link.close()
    return status


@pytest.mark.parametrize("size", SIZES)
def test_the_quarantine_is_clean_and_fits_the_screen(live: Live, visit, size: str) -> None:
    assert send(live, '{"tag":"T2","reports":', live.tokens["X000002"]) == 400
    assert send(live, BODY, "nobody's") == 401
    assert send(live, BODY, live.tokens["X000002"]) == 200
    page = visit("eve", SIZES[size]).page
    found: list[str] = []

    def look(name: str) -> None:
        found.extend(faults(page))
        found.extend([page.url] * (wider_than_the_screen(page) > 0))
        page.screenshot(path=picture(f"quarantine-{name}-{size}.png"), full_page=True)

    page.goto("/quarantine")
    page.get_by_role("button", name="Continue").click()
    look("reason-error")
    page.get_by_label("Reason", exact=True).fill("A new firmware on T2")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Quarantine", exact=True).wait_for()
    look("list")
    page.get_by_label("Reason").select_option(label="A report that can’t be used")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("row").filter(has_text="tag T2").get_by_role("link").first.click()
    look("item")
    page.get_by_role("button", name="Decode again").click()
    look("item-error")
    page.get_by_label("Why").fill("Looked whether it can be used now")
    page.get_by_role("button", name="Decode again").click()
    page.get_by_text("0 reports stored, 1 known already").wait_for()
    look("item-decoded")
    assert found == []


def test_it_works_by_keyboard_alone(live: Live, visit) -> None:
    assert send(live, "?", live.tokens["X000003"]) == 400
    page = visit("eve").page
    page.goto("/quarantine")
    page.get_by_label("Reason", exact=True).focus()
    page.keyboard.type("A tag that sends nonsense")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/quarantine")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('th') !== null"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/quarantine/*")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id_why":
            break
    page.keyboard.type("Once more")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("It stays").first.wait_for()
