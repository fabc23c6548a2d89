"""Classes of one's own in a real browser: taught, shown, corrected in the page, and taught again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from artnet.cli.commands.teach import teach
from artnet.model.classifier import Classifier
from fixtures.correcting import correct_in_look, correct_in_many, look_at, take_away
from fixtures.page import ROOT, ready, served, static_site

pytest.importorskip("onnx", reason="needs pip install 'artnet[teach]'")
NAMES = ['=1+1, "so".png', "two\nlines.png"]


@pytest.fixture
def page(browser: Any) -> Any:
    return browser.new_context(service_workers="block").new_page()


def test_a_model_of_ones_own_is_looked_at_corrected_in_the_page_and_taught_again(page: Any, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "examples" / "shapes.py", tmp_path], check=True)
    rings, grids, model = tmp_path / "new" / "rings-11.png", tmp_path / "new" / "grids-11.png", tmp_path / "model"
    table, again = tmp_path / "corrections.csv", tmp_path / "again"
    assert teach(model, str(tmp_path / "mine")) == 0

    with served(tmp_path, "--model", str(model), "--precision", "f32") as site:
        ready(page, site.address)
        look_at(page, rings)
        shown = page.locator(".look .bars .name").all_text_contents()
        assert sorted(shown) == ["Blocks", "Dots", "Lines", "Stripes"]
        assert page.text_content(".masthead p").startswith("Which of its classes")
        page.click(".look .try")
        page.wait_for_selector(".look .edits li")
        correct_in_look(page, "Rings", new=True)
        correct_in_many(page, grids, "Lines")
        assert page.text_content(".corrections summary") == "2 corrections"
        rows = take_away(page, table)
    told = [(row["source"], row["answer"], row["correction"]) for row in rows]
    assert told == [(rings.name, shown[0], "Rings"), (grids.name, "Stripes", "Lines")]

    assert teach(again, base=model, corrections=table, pictures=str(tmp_path / "new")) == 0
    assert "2 corrections" in (again / "README.md").read_text("utf-8")
    corrected = Classifier.load(again, precision="f32")
    assert [corrected.classify(path).movement for path in (rings, grids)] == ["Rings", "Lines"]


def test_corrections_stay_in_the_browser_are_undone_and_name_any_file(page: Any, tmp_path: Path) -> None:
    source, table = ROOT / "examples" / "faceted.jpg", tmp_path / "corrections.csv"
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    with static_site(tmp_path) as site:
        ready(page, site.address)
        for number, name in enumerate(NAMES):
            (tmp_path / name).write_bytes(source.read_bytes() + bytes(number))  # another digest, the same picture
            look_at(page, tmp_path / name)
            correct_in_look(page, "Realism")
        page.reload()
        assert page.text_content(".corrections summary") == "2 corrections"
        rows = take_away(page, table)
        assert [row["source"] for row in rows] == NAMES
        assert [row["sha256"] for row in rows] == [digest(tmp_path / name) for name in NAMES]
        look_at(page, tmp_path / NAMES[0])
        page.click(".look .correct button")
        assert page.text_content(".look .correct") == "Wrong?"
        page.click(".corrections summary")
        page.click(".corrections .remove")
        page.click(".corrections .restore")
        assert [row["source"] for row in take_away(page, table)] == NAMES[1:]
    assert set(methods) == {"GET"}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
