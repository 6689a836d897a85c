"""Pages of long tables: nothing is ever cut off without saying so."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest


def pages(request: HttpRequest, page: Page[Any], *, anchor: str = "") -> dict[str, Any] | None:
    """The GOV.UK pagination of `page`, keeping the rest of the address; None for a single page."""
    if page.paginator.num_pages == 1:
        return None

    def link(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}{'#' + anchor if anchor else ''}"

    items: list[dict[str, Any]] = []
    for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        if isinstance(number, int):
            items.append({"number": number, "href": link(number), "current": number == page.number})
        else:
            items.append({"ellipsis": True})
    made: dict[str, Any] = {"items": items, "landmarkLabel": f"Pages of {anchor or 'the list'}"}
    if page.has_previous():
        made["previous"] = {"href": link(page.previous_page_number())}
    if page.has_next():
        made["next"] = {"href": link(page.next_page_number())}
    return made
