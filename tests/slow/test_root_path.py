"""The page works in a real browser below a path of a proxy, and asks for nothing outside of that path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.page import heatmap, proxied, ready, served


@pytest.mark.parametrize("strips", [True, False])
def test_the_page_works_below_a_path(browser: Any, strips: bool, tmp_path: Path) -> None:
    failed: list[str] = []
    with (
        served(tmp_path, "--root-path", "/tools/artnet") as inner,
        proxied(inner, "/tools/artnet", strips) as site,
    ):
        page = browser.new_page()
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        ready(page, site.address)
        page.locator(".look [data-example=faceted]").click()
        heatmap(page)
    assert failed == []
