"""What the static site costs a visitor, in a real Chromium with one thread of WebAssembly.

    python benchmarks/site.py --onnxruntime-web FOLDER [--rounds 7] [--pictures 200] [--draw docs]

Prints the bytes loaded before the page takes a picture and in all, the time from dropping a picture of two megapixels
to the bars and to the maps of nine depths, and the memory of the page over many pictures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from page import DROP, two_megapixels
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.page import FLAGS, Site, chromium, heatmap, ready, static_site, until  # noqa: E402

LIMITS = {"before it is usable": 3.5, "in all": 30.0, "bars": 1.2, "nine maps": 1.2}


def loaded_mb(browser: Any, site: Site) -> dict[str, float]:
    """Measure what is loaded until the page takes a picture, and until the model is there."""
    context = browser.new_context()
    page = context.new_page()
    site.sent.clear()
    ready(page, site.address)
    before = sent_mb(site)
    loaded(page)
    context.close()
    return {"before it is usable": before, "in all": sent_mb(site)}


def sent_mb(site: Site) -> float:
    """Return how much the site's server has sent, each file as often as it was."""
    root = site.temporary / "artnet"
    paths = {path: root / (path.removeprefix("/artnet/").split("?")[0] or "index.html") for path in site.sent}
    return float(sum(path.stat().st_size * site.sent[sent] for sent, path in paths.items())) / 1e6


def loaded(page: Any) -> None:
    """Wait until the model is there."""
    page.wait_for_selector(".loading", state="visible")
    page.wait_for_selector(".loading", state="hidden", timeout=120_000)


def answer_times(browser: Any, site: Site, picture: str, rounds: int) -> dict[str, list[float]]:
    """Time drops once the model is loaded, in seconds."""
    times: dict[str, list[float]] = {"bars": [], "nine maps": []}
    for number in range(rounds + 1):
        page = browser.new_page()
        ready(page, site.address)
        loaded(page)
        page.wait_for_timeout(2000)  # the graph of the maps is made meanwhile
        bars, maps = page.evaluate(DROP, picture)
        page.close()
        if number:
            times["bars"].append(bars / 1000)
            times["nine maps"].append(maps / 1000)
    return times


def renderers_mb(browser: Any) -> float:
    """Return the memory of all pages and their workers, WebAssembly's among it, in physical megabytes."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [each["id"] for each in processes if each["type"] == "renderer"]
    kilobytes = 0
    for page in pages:
        lines = Path(f"/proc/{page}/smaps_rollup").read_text(encoding="ascii").splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1000


def memory_mb(browser: Any, site: Site, folder: Path, count: int) -> list[tuple[float, float]]:
    """Measure the page's heap, and the memory of its process, after each quarter of many pictures."""
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.open(ROOT / "examples" / "faceted.jpg").resize((360 + number % 7, 465)).save(path)
    page, heaps = browser.new_page(), []
    ready(page, site.address, "Many")
    session = page.context.new_cdp_session(page)
    for part in range(4):
        start, end = part * count // 4, (part + 1) * count // 4
        page.locator(".many input.chooser").set_input_files([str(path) for path in paths[start:end]])
        until(page, f"document.querySelector('.many .count').textContent.startsWith('{end} of {end}')", 600)
        session.send("HeapProfiler.collectGarbage")
        heaps.append((page.evaluate("performance.memory.usedJSHeapSize / 1e6"), renderers_mb(browser)))
    page.close()
    return heaps


def draw(browser: Any, site: Site, folder: Path) -> None:
    """Draw the static site for the documentation."""
    page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
    page.goto(f"{site.address}/?example=suprematist&depth=8&against=yes")
    heatmap(page)
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "site.jpg", type="jpeg", quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxruntime-web", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="draw the picture of the documentation instead")
    options = parser.parse_args()
    if options.onnxruntime_web:
        os.environ["ARTNET_ONNXRUNTIME_WEB"] = str(options.onnxruntime_web)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch, static_site(Path(scratch)) as site:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, "--enable-precise-memory-info"])
        if options.draw:
            draw(browser, site, options.draw)
            return
        for name, size in loaded_mb(browser, site).items():
            print(f"loaded {name}: {size:.2f} MB, limit {LIMITS[name]} MB")
        for name, values in answer_times(browser, site, two_megapixels(Path(scratch)), options.rounds).items():
            print(
                f"{name}: median {statistics.median(values):.3f} s, slowest {max(values):.3f} s, limit {LIMITS[name]} s"
            )
        heaps, processes = zip(*memory_mb(browser, site, Path(scratch), options.pictures), strict=True)
        for name, used in (("the page's heap", heaps), ("its process, WebAssembly included", processes)):
            listed = ", ".join(f"{value:.1f}" for value in used)
            print(f"{name} after each quarter of {options.pictures} pictures: {listed} MB")
        browser.close()


if __name__ == "__main__":
    main()
