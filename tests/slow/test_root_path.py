"""The page works in a real browser below a path of a proxy, and asks for nothing outside of that path."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.page import FLAGS, chromium, heatmap, proxied, ready, served


@pytest.mark.parametrize("strips", [True, False])
def test_the_page_works_below_a_path(strips: bool, tmp_path: Path) -> None:
    path = chromium()
    from playwright.sync_api import sync_playwright

    failed: list[str] = []
    with (
        served(tmp_path, "--root-path", "/tools/artnet") as inner,
        proxied(inner, "/tools/artnet", strips) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        ready(page, site.address)
        page.locator(".look [data-example=faceted]").click()
        heatmap(page)
        browser.close()
    assert failed == []
