"""The page in a real browser, in both of its homes: served by `artnet app`, and as the static site."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.attribution.what_if import EDITS, what_if
from artnet.imaging.properties import PROPERTIES
from artnet.model.classifier import Classifier
from artnet.serving.api.report import decision_sentence
from fixtures.margins import framed, textured
from fixtures.page import (
    ROOT,
    Site,
    axe_script,
    heatmap,
    ready,
    served,
    show_example,
    static_site,
    until,
)

FACETED = ROOT / "examples" / "faceted.jpg"
VIEWS = ("Look", "Compare", "Many", "About")
ATELIER = ROOT / "examples" / "atelier.jpg"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DEVICES = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
OPEN = ("/", "/style.css", "/views/look.js", "/graph/cam.js", "/examples/faceted.jpg", "/healthz")
SHUT = (
    "/page.py",
    "/static/../../../pyproject.toml",
    "/..%2fsamples.py",
    "/examples/..%2f..%2fapp.jpg",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/file=/etc/passwd",
    "/model/model.onnx",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = ("--precision", "f32", "--ascent-steps", "4")  # as the tests' classifier, and not for the eye
    with served(tmp_path_factory.mktemp("temporary"), *options) as running:
        yield running


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with static_site(tmp_path_factory.mktemp("static")) as running:
        yield running


@pytest.fixture(scope="module")
def small_static(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The static site with a model that loads at once, where only the page matters and not its answers."""
    with static_site(tmp_path_factory.mktemp("small"), model=small_model) as running:
        yield running


@pytest.fixture(params=["server", "static"])
def site(request: pytest.FixtureRequest) -> Site:
    """The page in each of its homes."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open the page as a new visitor; whatever is asked of another host, or goes wrong in a script, fails the test."""
    contexts, requests, wrong = [], [], []

    def visitor(**settings: Any) -> Any:
        # Without the worker that keeps the static site offline, which would load 28 MB more for each test.
        context = browser.new_context(service_workers="block", **settings)
        contexts.append(context)
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield visitor
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))] == []
    assert wrong == []


def choose(page: Any, *paths: Path) -> None:
    page.locator(".look input.chooser").set_input_files([str(path) for path in paths])


def text(page: Any, selector: str) -> str:
    return str(page.text_content(selector)).strip()


def test_a_chosen_picture_is_answered_as_the_command_answers_it(
    visit: Callable[..., Any], site: Site, classifier: Classifier
) -> None:
    page = visit()
    ready(page, site.address)
    choose(page, FACETED)
    heatmap(page)
    found = classifier.classify(FACETED)
    assert text(page, ".look .movement") == found.movement
    shown = float(text(page, ".look .confidence").removesuffix("%"))
    assert shown == pytest.approx(100 * found.confidence, abs=1)
    assert page.locator(".look .bars li").count() == len(found.scores)
    assert text(page, ".look .decision") == decision_sentence(found)


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_pasted_or_dropped_picture_is_answered(
    visit: Callable[..., Any], server: Site, classifier: Classifier, way: str
) -> None:
    page = visit()
    ready(page, server.address)
    page.evaluate(
        """async ([way, data]) => {
            const given = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            given.items.add(new File([bytes], "given.jpg", { type: "image/jpeg" }));
            const event = way === "paste" ? new ClipboardEvent("paste", { clipboardData: given, bubbles: true })
              : new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
        }""",
        [way, base64.b64encode(FACETED.read_bytes()).decode()],
    )
    heatmap(page)
    assert text(page, ".look .movement") == classifier.classify(FACETED).movement


def test_a_picture_can_be_photographed(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    ready(page, server.address)
    page.click(".look .photograph")
    until(page, "document.querySelector('dialog video')?.videoWidth > 0")
    page.get_by_role("button", name="Take the picture").click()
    heatmap(page)
    assert page.get_attribute(".look .painting", "alt").startswith("photograph.jpg")
    assert page.locator("dialog video").count() == 0


def test_a_server_that_is_gone_is_said_in_words(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    ready(page, server.address)
    page.route("**/v1/**", lambda route: route.abort())
    choose(page, FACETED)
    page.wait_for_selector(".look .problem:not([hidden])")
    assert text(page, ".look .problem").startswith("ArtNet did not respond.")
    page.unroute("**/v1/**")
    choose(page, FACETED)
    heatmap(page)


def test_the_link_to_an_example_opens_the_same_picture_with_the_same_settings(
    visit: Callable[..., Any], server: Site
) -> None:
    page = visit()
    show_example(page, server.address, "expressive")
    page.select_option("#look-why", "Cubism")
    page.fill("#look-depth", "4")
    page.fill("#look-opacity", "50")
    until(page, "document.querySelector('.look figcaption').textContent.startsWith('Why Cubism? Grad-CAM, depth 4')")
    other = visit()
    other.goto(page.url)
    heatmap(other)
    assert text(other, ".look figcaption") == text(page, ".look figcaption")
    assert other.input_value("#look-opacity") == "50"


def test_the_sliders_answer_within_150_ms_and_without_the_server(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.wait_for_load_state("networkidle")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    times = page.evaluate(
        """async () => {
            const times = [];
            for (const [id, value] of [["depth", 1], ["depth", 5], ["depth", 7], ["opacity", 20]]) {
                const slider = document.getElementById(`look-${id}`), begun = performance.now();
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
                await new Promise(requestAnimationFrame);
                times.push(performance.now() - begun);
            }
            return times;
        }"""
    )
    assert requests == []
    assert float(np.median(times)) < 150


def test_the_browser_draws_the_map_that_the_command_draws(
    visit: Callable[..., Any], site: Site, classifier: Classifier
) -> None:
    page = visit()
    page.goto(f"{site.address}/?example=faceted&depth=7")
    heatmap(page)
    width, height, alphas = page.evaluate(
        """() => {
            const canvas = document.querySelector(".look canvas.heatmap");
            const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return [canvas.width, canvas.height, pixels.filter((_, index) => index % 4 === 3).join(",")];
        }"""
    )
    drawn = np.array([int(value) for value in alphas.split(",")]).reshape(height, width) / 255
    assert np.abs(drawn - explain(classifier, FACETED).heatmap(7, (width, height))).max() < 0.02


def test_margins_are_left_out_and_a_dashed_line_and_a_sentence_tell(
    visit: Callable[..., Any], site: Site, tmp_path: Path
) -> None:
    framed(textured(300, 240), 60, 30, 40, 30).save(tmp_path / "framed.png")
    page = visit()
    ready(page, site.address)
    choose(page, tmp_path / "framed.png")
    heatmap(page)
    assert text(page, ".look .margins") == "The margins around the painting, 40% of the picture, were left out."
    painting, image = (page.locator(f".look {each}").bounding_box() for each in ("canvas.inside", "img.painting"))
    scale = image["width"] / 400
    found = [(painting[side] - image[side]) / scale for side in ("x", "y")] + [painting["width"] / scale]
    assert found == pytest.approx([60, 30, 300], abs=1)


def test_a_question_changes_the_map_and_says_so(visit: Callable[..., Any], site: Site, classifier: Classifier) -> None:
    other = min((scores := classifier.classify(FACETED).scores), key=lambda name: scores[name])
    page = visit()
    show_example(page, site.address, "faceted")
    page.select_option("#look-rather", other)
    until(page, f"document.querySelector('.look figcaption').textContent.includes('rather than {other}')")
    page.check(".look .against")
    until(page, "document.querySelector('.look figcaption').textContent.includes('for and against')")
    assert text(page, ".look .scale span") == "against"
    page.select_option("#look-method", "eigencam")
    until(page, "document.querySelector('.look figcaption').textContent.includes('Eigen-CAM')")
    assert page.is_disabled("#look-why")
    assert page.is_disabled(".look .against")


def test_a_method_on_the_pixels_has_no_depths(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    page.goto(f"{server.address}/?example=faceted&method=smoothgrad")
    heatmap(page)
    assert "on the pixels" in text(page, ".look figcaption")
    assert page.is_disabled("#look-depth")


def test_the_six_views_are_drawn_with_their_votes(
    visit: Callable[..., Any], site: Site, classifier: Classifier
) -> None:
    page = visit()
    show_example(page, site.address, "faceted")
    page.check(".look .votes")
    page.wait_for_selector(".look .region.centre")
    views = {view.name: view for view in classifier.classify(FACETED, views="all").views}
    centre = max(views["centre"].scores, key=lambda name: views["centre"].scores[name])
    assert text(page, ".look .region.centre").startswith(centre)
    assert page.locator(".look .view-scores tr").count() == len(views)


def test_likely_styles_are_named_where_the_model_has_them(
    visit: Callable[..., Any], server: Site, classifier: Classifier
) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    assert page.is_visible(".look .styles") == bool(classifier.classify(FACETED).likely_styles)
    shown = """async () => {
        const { showPrediction } = await import("./views/prediction.js"), scores = { Cubism: 0.9, Realism: 0.1 };
        const styles = { "Analytical Cubism": 0.81, "Orphism": 0.6 }, likely_styles = ["Analytical Cubism"];
        const known = { movement: "Cubism", confidence: 0.9, decision: "confident", scores, views: [] };
        showPrediction(document.querySelector(".look"), { ...known, styles, likely_styles });
    }"""
    page.evaluate(shown)
    assert text(page, ".look .styles") == "Fine styles: Analytical Cubism 81%"


def test_similar_paintings_are_shown_where_the_server_has_an_index(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("lancedb", reason="install LanceDB: pip install '.[similar]'")
    index = tmp_path / "index"
    made = [sys.executable, "-m", "artnet", "index", str(FACETED), str(ATELIER), "--out", str(index)]
    subprocess.run(made, check=True, capture_output=True)
    page = browser.new_page()
    with served(tmp_path, "--index", str(index)) as site:
        page.goto(f"{site.address}/?example=atelier")
        page.wait_for_selector(".look .similar li")
        assert page.locator(".look .similar .name").all_text_contents() == ["atelier.jpg", "faceted.jpg"]
        page.close()


def test_a_map_is_tested_in_words(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.click(".look .measure")
    until(page, "document.querySelector('.look .faithfulness').textContent.startsWith('Tested')")
    first = text(page, ".look .faithfulness")
    page.fill("#look-depth", "7")
    assert text(page, ".look .faithfulness") != first


def test_what_a_depth_has_learnt_is_shown(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.fill("#look-depth", "1")
    page.click(".look button.channels")
    page.wait_for_selector(".look dialog.channels-dialog img:not([hidden])", timeout=120_000)
    assert page.locator(".look dialog.channels-dialog .choices button").count() == 3
    page.click(".look dialog.channels-dialog .close")
    assert not page.is_visible(".look dialog.channels-dialog")


def test_what_if_shows_every_edit_with_its_answer(
    visit: Callable[..., Any], server: Site, classifier: Classifier
) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.click(".look .try")
    page.wait_for_selector(".look .edits li")
    result = what_if(classifier, FACETED)
    assert page.locator(".look .sentences li").all_text_contents() == list(result.sentences)
    said = page.locator(".look .edits .said").all_text_contents()
    assert said == [f"{each.movement} {each.scores[each.movement]:.0%}" for each in result.outcomes]
    page.click(".look [data-example=atelier]")
    until(page, "document.querySelector('.look .what-if .answers').hidden")


def test_the_static_site_makes_the_edits_that_are_exact_in_a_browser(
    visit: Callable[..., Any], static: Site, classifier: Classifier
) -> None:
    page = visit()
    ready(page, static.address)
    page.click(".look [data-example=faceted]")
    heatmap(page)
    page.click(".look .try")
    page.wait_for_selector(".look .edits li", timeout=120_000)
    labels = page.locator(".look .edits .label").all_text_contents()
    result = what_if(classifier, FACETED, [name for name, edit in EDITS.items() if edit.label in labels])
    assert labels == [outcome.edit.label for outcome in result.outcomes]
    assert len(labels) == 12
    shown = [int(said.split()[-1].removesuffix("%")) for said in page.locator(".look .edits .said").all_text_contents()]
    assert shown == pytest.approx([100 * each.scores[each.movement] for each in result.outcomes], abs=4)
    assert not page.is_visible(".look .properties")


def test_properties_are_measured_and_say_that_they_do_not_explain(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.click(".look .gauge")
    page.wait_for_selector(".look .measured .strip .mark", state="attached")
    assert page.locator(".look .measured > li").count() == len(PROPERTIES)
    assert "they do not explain the answer" in text(page, ".look .properties .hint")


def saved(page: Any, press: str) -> tuple[str, bytes]:
    with page.expect_download() as coming:
        page.click(press)
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def test_everything_can_be_taken_away(visit: Callable[..., Any], server: Site, classifier: Classifier) -> None:
    page = visit()
    ready(page, server.address)
    choose(page, FACETED)
    heatmap(page)
    name, overlay = saved(page, ".look [data-download=overlay]")
    assert name == "faceted-depth9.png"
    assert Image.open(io.BytesIO(overlay)).size == (720, 930)
    name, report = saved(page, ".look [data-download=report]")
    assert name == "faceted-report.html"
    assert not re.search(rb'(?:src|href)="(?!data:)', report)
    numbers = json.loads(saved(page, ".look [data-download=numbers]")[1])
    assert numbers["prediction"]["movement"] == classifier.classify(FACETED).movement
    assert len(numbers["depths"]) == 9
    page.click(".look .all")
    assert page.locator(".look .nine canvas").count() == 9
    assert Image.open(io.BytesIO(saved(page, ".look [data-download=sheet]")[1])).format == "PNG"


def test_a_large_jpeg_gives_the_numbers_of_the_command_in_the_browser(
    visit: Callable[..., Any], static: Site, classifier: Classifier, tmp_path: Path
) -> None:
    Image.open(FACETED).resize((1500, 1938)).save(tmp_path / "large.jpg", quality=90)  # both decode a half of it
    page = visit()
    ready(page, static.address)
    choose(page, tmp_path / "large.jpg")
    heatmap(page)
    numbers = json.loads(saved(page, ".look [data-download=numbers]")[1])
    explanation = explain(classifier, tmp_path / "large.jpg")
    scores = explanation.prediction.scores
    assert numbers["prediction"]["scores"] == pytest.approx(dict(scores), abs=0.005)
    for depth in (3, 6, 9):
        grid, found = explanation.maps[depth].grid, numbers["depths"][depth - 1]["values"]
        assert np.corrcoef(np.ravel(grid), found)[0, 1] > 0.98


def test_a_depth_can_be_picked_from_the_nine(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    show_example(page, server.address, "faceted")
    page.click(".look .all")
    page.get_by_role("button", name=re.compile("^Depth 3")).click()
    assert page.input_value("#look-depth") == "3"
    assert not page.is_visible(".look .nine")


def test_two_visitors_never_see_each_others_painting(
    visit: Callable[..., Any], server: Site, classifier: Classifier
) -> None:
    one, other = visit(), visit()
    for page in (one, other):
        ready(page, server.address)
    for _ in range(3):
        choose(one, FACETED)
        choose(other, ATELIER)
    for page, path in ((one, FACETED), (other, ATELIER)):
        heatmap(page)
        assert text(page, ".look .movement") == classifier.classify(path).movement
        assert path.name in page.get_attribute(".look .painting", "alt")
    late = visit()
    ready(late, server.address)
    assert not late.is_visible(".look .result")


def test_a_picture_that_cannot_be_read_is_said_and_the_next_one_answered(
    visit: Callable[..., Any], server: Site, tmp_path: Path
) -> None:
    page = visit()
    ready(page, server.address)
    for name, data in {
        "empty.jpg": b"",
        "text.jpg": b"no picture at all",
        "cut.jpg": FACETED.read_bytes()[:5000],
        "header.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    }.items():
        (tmp_path / name).write_bytes(data)
        choose(page, tmp_path / name)
        until(page, f"document.querySelector('.look .problem').textContent.startsWith('{name}:')")
        assert page.is_visible(".look .problem")
    choose(page, FACETED)
    heatmap(page)
    assert not page.is_visible(".look .problem")


def test_of_several_pictures_one_is_shown_and_the_others_are_not_passed_over_in_silence(
    visit: Callable[..., Any], server: Site
) -> None:
    page = visit()
    ready(page, server.address)
    page.evaluate(
        """(data) => {
            const given = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            for (const name of ["one.jpg", "two.jpg"]) given.items.add(new File([bytes], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true }));
        }""",
        base64.b64encode(FACETED.read_bytes()).decode(),
    )
    heatmap(page)
    assert text(page, ".look .problem").startswith("Of 2 pictures, one.jpg is shown here.")


def test_a_picture_that_is_no_painting_gets_an_answer_and_what_it_is_worth(
    visit: Callable[..., Any], server: Site, tmp_path: Path, classifier: Classifier
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    page = visit()
    ready(page, server.address)
    choose(page, tmp_path / "noise.png")
    heatmap(page)
    assert text(page, ".look .decision") == decision_sentence(classifier.classify(tmp_path / "noise.png"))


def test_an_address_of_this_machine_is_refused_in_words(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    ready(page, server.address)
    page.fill("#look-address", f"{server.address}/examples/faceted.jpg")
    page.press("#look-address", "Enter")
    page.wait_for_selector(".look .problem:not([hidden])")
    assert "127.0.0.1" in text(page, ".look .problem")


@pytest.mark.parametrize("site", ["server", "small_static"], indirect=True)
def test_the_page_fits_a_phone(visit: Callable[..., Any], site: Site) -> None:
    page = visit(**PHONE)
    ready(page, f"{site.address}/?example=faceted&votes=yes")
    heatmap(page)
    for part in VIEWS:
        page.get_by_role("link", name=part).click()
        page.wait_for_selector(f".{part.lower()}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, part


def test_a_table_on_a_phone_breaks_no_word(visit: Callable[..., Any], server: Site) -> None:
    page = visit(**PHONE)
    ready(page, server.address, "Many")
    many(page, [FACETED, ATELIER])
    heights = page.locator(".many tbody th, .many tbody td:not(.thumb)").evaluate_all(
        "(cells) => cells.map((cell) => cell.offsetHeight / parseFloat(getComputedStyle(cell).lineHeight))"
    )
    assert max(heights) < 2.5  # lines
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_everything_works_with_the_keyboard_alone(
    visit: Callable[..., Any], server: Site, classifier: Classifier
) -> None:
    page = visit()
    ready(page, server.address)

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    tab_to("[data-example=faceted]")
    page.keyboard.press("Enter")
    heatmap(page)
    tab_to("#look-depth")
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("#look-depth", "aria-valuetext").startswith("8 of 9, ")
    tab_to(".all")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    tab_to("#look-why")
    movements, answer = classifier.config.movements, classifier.classify(FACETED).movement
    page.keyboard.press("ArrowUp" if answer == movements[-1] else "ArrowDown")
    until(page, f"!document.querySelector('.look figcaption').textContent.startsWith('Why {answer}')")
    tab_to(".votes")
    page.keyboard.press("Space")
    page.wait_for_selector(".look .region.centre")
    tab_to("[data-download=numbers]")
    with page.expect_download():
        page.keyboard.press("Enter")


# The static site shows less of the same page, in the same colours: once is enough there.
@pytest.mark.parametrize(
    ("site", "device"), [*(("server", name) for name in DEVICES), ("small_static", "phone")], indirect=["site"]
)
def test_axe_finds_nothing_serious(visit: Callable[..., Any], site: Site, device: str) -> None:
    script = axe_script()
    page = visit(**DEVICES[device])
    ready(page, site.address)
    page.evaluate(script)
    rules = "{ runOnly: ['color-contrast', 'link-in-text-block'] }" if device == "dark" else ""  # nothing else differs

    def serious() -> list[str]:
        found = page.evaluate(f"axe.run({rules})")["violations"]
        kinds = ("serious", "critical")
        return [f"{each['id']}: {node['html']}" for each in found if each["impact"] in kinds for node in each["nodes"]]

    for part in VIEWS:
        page.get_by_role("link", name=part).click()
        page.wait_for_selector(f".{part.lower()}")
        assert serious() == [], part
    page.get_by_role("link", name="Look").click()
    page.click(".look [data-example=pointillist]")
    heatmap(page)
    page.check(".look .votes")
    page.wait_for_selector(".look .region.centre")
    page.click(".look .correct button")
    assert serious() == []
    page.click(".look .correct [type=submit]")
    page.click(".corrections summary")
    page.click(".look .all")
    assert serious() == []


def test_two_paintings_stand_side_by_side_with_one_question(
    visit: Callable[..., Any], site: Site, classifier: Classifier
) -> None:
    page = visit()
    ready(page, site.address, "Compare")
    for place, path in enumerate((FACETED, ATELIER)):
        page.locator(".half").nth(place).locator(f"[data-example={path.stem}]").click()
    until(page, "document.querySelectorAll('.half canvas.heatmap:not([hidden])').length === 2")
    answers = [classifier.classify(path).movement for path in (FACETED, ATELIER)]
    assert page.locator(".half .movement").all_text_contents() == answers
    page.select_option("#compare-why", "Realism")
    page.fill("#compare-depth", "6")
    said = "[...document.querySelectorAll('.half figcaption')]"
    until(page, f"{said}.every((line) => line.textContent.startsWith('Why Realism? Depth 6'))")


def many(page: Any, paths: list[Path]) -> None:
    page.locator(".many input.chooser").set_input_files([str(path) for path in paths])
    until(
        page,
        f"document.querySelector('.many .count').textContent.startsWith('{len(paths)} of {len(paths)}')",
        120,
    )


def test_many_pictures_become_a_table_to_take_away(
    visit: Callable[..., Any], server: Site, classifier: Classifier, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    page = visit()
    ready(page, server.address, "Many")
    many(page, [FACETED, ATELIER, tmp_path / "broken.jpg"])
    assert text(page, ".many .count") == "3 of 3 answered, 1 failed"
    assert page.locator(".many .thumb img").count() == 2
    rows = list(csv.DictReader(io.StringIO(saved(page, ".many [data-table=csv]")[1].decode())))
    answers = [classifier.classify(path).movement for path in (FACETED, ATELIER)]
    assert [row["movement"] for row in rows] == [*answers, ""]
    assert rows[2]["error_kind"] == "format"
    assert saved(page, ".many [data-table=parquet]")[1][:4] == b"PAR1"


@pytest.mark.slow
def test_a_hundred_pictures_at_once_are_all_answered_while_another_visitor_is(
    visit: Callable[..., Any], server: Site, tmp_path: Path
) -> None:
    picture = Image.open(FACETED).resize((360, 465))
    paths = [tmp_path / f"{number:03}.jpg" for number in range(100)]
    for path in paths:
        picture.save(path)
    page, other = visit(), visit()
    ready(page, server.address, "Many")
    page.locator(".many input.chooser").set_input_files([str(path) for path in paths])
    ready(other, server.address)
    choose(other, FACETED)
    heatmap(other)
    until(page, "document.querySelector('.many .count').textContent === '100 of 100 answered'", 120)


def test_the_page_about_tells_the_figures_of_the_model(
    visit: Callable[..., Any], server: Site, classifier: Classifier
) -> None:
    page = visit()
    ready(page, server.address, "About")
    page.wait_for_selector(".about h2")
    accuracy = classifier.config.scores["values"]["accuracy"]["value"]
    assert f"{accuracy:.3f}" in text(page, ".about")
    assert "What to do about a wrong answer" in text(page, ".about")


def status(address: str, method: str = "GET", data: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, method=method), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


@pytest.mark.parametrize("path", OPEN)
def test_what_the_page_needs_is_open(server: Site, path: str) -> None:
    assert status(server.address + path) == 200


@pytest.mark.parametrize("path", SHUT)
def test_no_file_and_no_other_host_is_reached_through_the_page(server: Site, path: str) -> None:
    assert status(server.address + path) == 404


def test_the_page_names_no_other_host(server: Site) -> None:
    with urllib.request.urlopen(server.address, timeout=10) as answer:
        assert not re.search(r'(?:src|href)="https?:', answer.read().decode())
        policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert "'unsafe-inline'" not in policy


def test_nothing_is_left_in_the_temporary_folder(visit: Callable[..., Any], server: Site) -> None:
    page = visit()
    ready(page, server.address)
    choose(page, FACETED)
    heatmap(page)
    saved(page, ".look [data-download=overlay]")
    assert [path for path in server.temporary.rglob("*") if path.is_file()] == []
