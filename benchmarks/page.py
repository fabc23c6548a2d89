"""How fast the page is for one visitor, in a real Chromium: from the command to the page, from a drop to the answer.

    python benchmarks/page.py [--rounds 7] [--pictures docs]

`--pictures FOLDER` also draws the pictures of the page that the documentation shows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.page import FLAGS, Site, chromium, heatmap, ready, served  # noqa: E402

# Drops a file and notes when the bars and then the first map are painted, in ms since the drop.
DROP = """async (data) => {
    const given = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    given.items.add(new File([bytes], "painting.jpg", { type: "image/jpeg" }));
    const root = document.querySelector(".look"), begun = performance.now(), seen = {};
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
    while (!seen.map) {
        await painted();
        if (!seen.bars && root.querySelector(".bars li") && root.querySelector(".result").offsetParent)
            seen.bars = performance.now() - begun;
        if (!root.querySelector("canvas.heatmap").hidden) seen.map = performance.now() - begun;
    }
    return [seen.bars, seen.map];
}"""
SLIDE = """async ([id, value]) => {
    const slider = document.getElementById(id), begun = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - begun;
}"""


def two_megapixels(folder: Path) -> str:
    """Return a JPEG of two megapixels, as base64."""
    from base64 import b64encode

    path = folder / "painting.jpg"
    Image.open(ROOT / "examples" / "pointillist.jpg").resize((1734, 1156), Image.Resampling.LANCZOS).save(
        path, quality=90
    )
    return b64encode(path.read_bytes()).decode()


def open_times(browser: Any, rounds: int) -> list[float]:
    """Time the way from the command to a page that takes a picture, in seconds."""
    times = []
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            page = browser.new_page()
            begun = time.perf_counter()
            with served(Path(folder)) as site:
                ready(page, site.address)
                times.append(time.perf_counter() - begun)
            page.close()
    return times[1:]  # the first fills the caches


def answer_times(browser: Any, site: Site, picture: str, rounds: int) -> dict[str, list[float]]:
    """Time drops and slides, in seconds."""
    found: dict[str, list[float]] = {name: [] for name in ("bars", "map", "depth", "opacity")}
    for number in range(rounds + 1):
        page = browser.new_page()
        ready(page, site.address)
        bars, first_map = page.evaluate(DROP, picture)
        slides = [page.evaluate(SLIDE, ["look-depth", depth]) for depth in range(1, 10)]
        opacity = page.evaluate(SLIDE, ["look-opacity", 30])
        page.close()
        if number:
            found["bars"].append(bars / 1000)
            found["map"].append(first_map / 1000)
            found["depth"] += [each / 1000 for each in slides]
            found["opacity"].append(opacity / 1000)
    return found


def draw(browser: Any, site: Site, folder: Path) -> None:
    """Draw the page light, dark and on a phone."""
    wide = {"width": 1360, "height": 900}
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    for name, settings, query in (
        ("light", {"viewport": wide}, "example=faceted&depth=6"),
        ("dark", {"viewport": wide, "color_scheme": "dark"}, "example=expressive&depth=7&votes=yes"),
        ("phone", phone, "example=pointillist&depth=7"),
    ):
        page = browser.new_context(**settings).new_page()
        page.goto(f"{site.address}/?{query}")
        heatmap(page)
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"page-{name}.jpg", type="jpeg", quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        if options.pictures:
            with served(Path(folder)) as site:
                draw(browser, site, options.pictures)
            return
        times = {"command to page": (open_times(browser, options.rounds), 1.5)}
        with served(Path(folder)) as site:
            found = answer_times(browser, site, two_megapixels(Path(folder)), options.rounds)
        limits = {"bars": 0.3, "map": 0.5, "depth": 0.05, "opacity": 0.05}
        times |= {name: (values, limits[name]) for name, values in found.items()}
        for name, (values, limit) in times.items():
            print(f"{name}: median {statistics.median(values):.3f} s, slowest {max(values):.3f} s, limit {limit} s")
        browser.close()


if __name__ == "__main__":
    main()
