"""The static site in a real browser: without a network, with broken files, and where it cannot work."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artnet.model.classifier import Classifier
from fixtures.page import FLAGS, ROOT, chromium, heatmap, ready, static_site, until

# A runtime that computes nothing: all logits are 0.
WRONG_RUNTIME = """
export const env = { wasm: {} };
export class Tensor {}
const logits = { data: new Float32Array(5) };
const session = { inputNames: [], run: async () => ({ logits, embedding: logits, styles: logits }), release() {} };
export const InferenceSession = { create: async () => session };
"""
FACETED = ROOT / "examples" / "faceted.jpg"


def problem(page: Any, path: Path) -> str:
    """Choose a file and return what the page says is wrong with it."""
    page.locator(".look input.chooser").set_input_files(str(path))
    until(page, f"document.querySelector('.look .problem').textContent.startsWith('{path.name}:')")
    return str(page.text_content(".look .problem"))


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that declares a size and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0" * 20


def test_what_cannot_be_decoded_is_named_and_the_next_picture_classified(
    browser: Any, small_model: Path, tmp_path: Path
) -> None:
    broken = {
        "empty.jpg": (b"", "the file is empty"),
        "large.png": (png_of(30000, 30000), "30000 x 30000 pixels are over the limit of 100 megapixels"),
        "phone.heic": (b"\0\0\0\x18ftypheic" + b"\0" * 60, "this browser cannot decode HEIC"),
        "scan.tif": (b"II*\0" + b"\0" * 60, "this browser cannot decode TIFF"),
        "text.jpg": (b"no picture at all, but a text", "is not a picture in a format that this browser reads"),
        "cut.jpg": (FACETED.read_bytes()[:300], "broken or cut short"),
    }
    with static_site(tmp_path / "server", model=small_model) as site:
        page = browser.new_page()
        ready(page, site.address)
        for name, (data, message) in broken.items():
            (tmp_path / name).write_bytes(data)
            assert message in problem(page, tmp_path / name)
        page.locator(".look input.chooser").set_input_files(str(FACETED))
        heatmap(page)
        assert not page.is_visible(".look .problem")


def test_it_works_after_the_server_has_stopped(browser: Any, tmp_path: Path) -> None:
    page = browser.new_page()
    with static_site(tmp_path) as site:
        ready(page, site.address)
        until_kept(page, "model.onnx", "ood.json", "threaded.wasm")
        assert {path: times for path, times in site.sent.items() if times > 1} == {}  # none was sent twice
    page.goto(f"{site.address}/index.html?example=pointillist")
    heatmap(page)
    assert page.text_content(".look .movement") == "Impressionism"
    assert page.text_content("main > .about h2") == "What this is"


def until_kept(page: Any, *names: str) -> None:
    """Wait until the service worker keeps those of the large files, which it does as they pass."""
    urls = """caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name))))
        .then((all) => Promise.all(all.map((cache) => cache.keys()))).then((all) => all.flat().map(({ url }) => url))"""
    until(page, f"{urls}.then((urls) => {list(names)}.every((name) => urls.some((url) => url.includes(name))))", 120)


def test_a_model_with_another_checksum_is_refused_in_words(browser: Any, tmp_path: Path) -> None:
    with static_site(tmp_path) as site:
        with (tmp_path / "artnet/model/model.onnx").open("ab") as graph:
            graph.write(b"altered")
        page = browser.new_page()
        ready(page, site.address)
        until(
            page,
            "document.querySelector('.loading').textContent.includes('is not the file that config.json describes')",
        )
        assert "model.onnx" in problem_of_example(page)


def test_a_model_that_does_not_load_is_said(browser: Any, tmp_path: Path) -> None:
    with static_site(tmp_path) as site:
        (tmp_path / "artnet/model/model.onnx").unlink()
        page = browser.new_page()
        ready(page, site.address)
        assert "could not be loaded" in problem_of_example(page)


def problem_of_example(page: Any) -> str:
    page.click(".look [data-example=faceted]")
    page.wait_for_selector(".look .problem:not([hidden])")
    return str(page.text_content(".look .problem"))


def test_over_plain_http_it_computes_without_a_service_worker(playwright: Any, tmp_path: Path) -> None:
    flags = [*FLAGS, "--host-resolver-rules=MAP artnet.test 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
    with static_site(tmp_path) as site:
        page = browser.new_page()
        page.goto(f"{site.address.replace('127.0.0.1', 'artnet.test')}/?example=pointillist")
        heatmap(page)
        assert not page.evaluate("isSecureContext || 'serviceWorker' in navigator")
        assert page.text_content(".look .movement") == "Impressionism"
    browser.close()


def runtime_sentence(page: Any) -> str:
    """Return what the page says about what runs the model, once it does."""
    until(page, "document.querySelector('.about .runtime')?.textContent", 120)
    return str(page.text_content(".about .runtime"))


def test_a_model_that_computes_something_else_here_is_refused_in_words(
    browser: Any, small_model: Path, tmp_path: Path
) -> None:
    with static_site(tmp_path, model=small_model) as site:
        path = tmp_path / "artnet/model/config.json"
        config = json.loads(path.read_text("utf-8"))
        config["self_check"]["logits"][1][0] += 0.5
        path.write_text(json.dumps(config), encoding="utf-8")
        page = browser.new_page()
        ready(page, site.address)
        message = "WebAssembly in one thread computes other logits than the model was exported with (0.50 apart)"
        until(page, f"document.querySelector('.loading').textContent.includes('{message}')", 120)


@pytest.fixture
def webgpu_browser(playwright: Any) -> Iterator[Any]:
    """A browser whose graphics processor is a program, SwiftShader."""
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    flags += ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    opened = playwright.chromium.launch(executable_path=chromium(), args=flags)
    yield opened
    opened.close()


def test_webgpu_is_used_where_it_gives_the_same_logits(webgpu_browser: Any, small_model: Path, tmp_path: Path) -> None:
    with static_site(tmp_path, webgpu=True, model=small_model) as site:  # the embedded one takes SwiftShader a minute
        page = webgpu_browser.new_page()
        page.goto(f"{site.address}/?example=pointillist")
        sentence = runtime_sentence(page)
        assert sentence.startswith("The model runs in this browser by WebGPU. For 3 test images")
        heatmap(page)
        found = Classifier.load(small_model, precision="f32").classify(ROOT / "examples" / "pointillist.jpg")
        assert page.text_content(".look .movement") == found.movement
        assert "/artnet/onnxruntime/ort-wasm-simd-threaded.wasm" not in site.sent


def test_webgpu_that_gives_other_logits_is_not_used_and_said(
    webgpu_browser: Any, small_model: Path, tmp_path: Path
) -> None:
    with static_site(tmp_path, webgpu=True, model=small_model) as site:
        (tmp_path / "artnet/onnxruntime/ort.webgpu.min.mjs").write_text(WRONG_RUNTIME)
        page = webgpu_browser.new_page()
        ready(page, site.address)
        sentence = runtime_sentence(page)
        assert sentence.startswith("The model runs in this browser by WebAssembly in one thread.")
        assert "WebGPU computes other logits than the model was exported with" in sentence


def test_a_site_for_webgpu_computes_without_a_graphics_processor(
    browser: Any, small_model: Path, tmp_path: Path
) -> None:
    with static_site(tmp_path, webgpu=True, model=small_model) as site:
        page = browser.new_page()
        ready(page, site.address)
        assert runtime_sentence(page).startswith("The model runs in this browser by WebAssembly in one thread.")
        assert not any("asyncify.wasm" in path for path in site.sent)  # the 27 MB; its small scripts are kept


def test_without_webassembly_the_page_says_so(playwright: Any, tmp_path: Path) -> None:
    browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, "--js-flags=--jitless"])
    with static_site(tmp_path) as site:
        page = browser.new_page()
        page.goto(f"{site.address}/")
        until(page, "document.querySelector('.loading').textContent.includes('WebAssembly')")
    browser.close()


def test_many_files_are_answered_or_named_one_by_one(browser: Any, small_model: Path, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number:02}.jpg")
        shutil.copyfile(FACETED, paths[-1])
    paths[5].write_bytes(b"broken")
    with static_site(tmp_path / "server", model=small_model) as site:
        page = browser.new_page()
        ready(page, site.address, "Many")
        page.locator(".many input.chooser").set_input_files([str(path) for path in paths])
        until(page, "document.querySelector('.many .count').textContent === '12 of 12 answered, 1 failed'", 120)
        assert page.locator(".many .thumb img").count() == 11
        assert not page.is_visible(".many [data-table=parquet]")


def test_an_isolated_page_computes_in_threads_and_gives_the_same_answer(browser: Any, tmp_path: Path) -> None:
    with static_site(tmp_path, isolated=True) as site:
        page = browser.new_page()
        page.goto(f"{site.address}/?example=pointillist")
        heatmap(page)
        assert page.evaluate("crossOriginIsolated")
        assert page.text_content(".look .movement") == "Impressionism"
        assert "threads. For 3 test images it gives the logits" in runtime_sentence(page)
        assert int(page.text_content(".look .confidence").removesuffix("%")) == pytest.approx(94, abs=1)
