"""A person's own classes become a model folder that classifies and explains."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from artnet.attribution.explain import explain
from artnet.cli.commands.teach import teach
from artnet.errors import DataError, ModelError, OutputError
from artnet.imaging.properties import measure_properties
from artnet.model.classifier import Classifier
from artnet.model.config import GRAPH_FILE, default_model, read_config, sha256_of, write_config
from artnet.serving.api.app import create_app
from artnet.serving.work_queue import ClassifierQueue

pytest.importorskip("onnx", reason="needs pip install '.[teach]'")


def stripes(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    for x in range(0, 160, int(rng.integers(8, 24))):
        draw.rectangle((x, 0, x + 4, 120), fill=colour(rng))


def dots(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    for x, y in rng.uniform(0, 160, (300, 2)):
        draw.ellipse((x, y, x + 5, y + 5), fill=colour(rng))


def blocks(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    for x, y in rng.uniform(0, 110, (6, 2)):
        draw.rectangle((x, y, x + 40, y + 30), fill=colour(rng))


def nothing(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Leave the ground as it is."""


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 255, 3).tolist()
    return red, green, blue


def paint(draw: Callable[[np.random.Generator, ImageDraw.ImageDraw], None], seed: int, path: Path) -> None:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (160, 120), colour(rng))
    draw(rng, ImageDraw.Draw(image))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of eight paintings each, what is wrong among them, and the model taught from them."""
    folder = tmp_path_factory.mktemp("teach")
    for name, draw, count in (("Stripes", stripes, 8), ("Dots 🎨", dots, 10), ("Blocks", blocks, 8)):
        for seed in range(count):
            paint(draw, seed, folder / "mine" / name / f"{seed}.png")
    paint(blocks, 9, folder / "mine" / "blocks" / "9.png")
    paint(nothing, 20, folder / "mine" / "Alone" / "20.png")
    (folder / "mine" / "Blocks" / "broken.png").write_bytes(b"broken")
    assert teach(folder / "model", str(folder / "mine")) == 1
    return folder


def test_new_paintings_are_classified_by_the_classes_taught(taught: Path, tmp_path: Path) -> None:
    classifier = Classifier.load(taught / "model")
    assert classifier.config.movements == ("Alone", "Blocks", "Dots 🎨", "Stripes")
    for name, draw in (("Stripes", stripes), ("Dots 🎨", dots), ("Blocks", blocks)):
        paint(draw, 50, tmp_path / "new.png")
        assert classifier.classify(tmp_path / "new.png").movement == name


def test_its_maps_show_what_speaks_for_a_class(taught: Path) -> None:
    classifier = Classifier.load(taught / "model", precision="f32")
    image = Image.new("RGB", (224, 224), "white")
    half = Image.open(taught / "mine" / "Dots 🎨" / "1.png").resize((112, 224))
    image.paste(half, (0, 0))
    heatmap = explain(classifier, image, movement="Dots 🎨", depth=9).heatmap(size=(224, 224))
    assert heatmap[:, :112].mean() > 2 * heatmap[:, 112:].mean()


def test_the_folder_says_how_well_each_class_is_known(taught: Path) -> None:
    scores = json.loads((taught / "model" / "config.json").read_text())["scores"]
    assert scores["values"]["accuracy"]["value"] > 0.8
    assert scores["by_movement"]["Blocks"]["paintings"] == 9
    assert scores["by_movement"]["Alone"] == {"paintings": 1, "recall": None, "low": None, "high": None}
    assert scores["by_movement"]["Dots 🎨"]["low"] < scores["by_movement"]["Dots 🎨"]["recall"]
    assert "## Scores" in (taught / "model" / "README.md").read_text(encoding="utf-8")


def test_properties_of_classes_with_ten_images_have_ranges(taught: Path) -> None:
    ranges = Classifier.load(taught / "model").ranges
    assert ranges is not None
    assert dict(ranges.paintings) == {"Dots 🎨": 10}
    deciles = ranges.quantiles["lightness"]["Dots 🎨"]
    found = [
        measure_properties(Image.open(path).convert("RGB"))["lightness"] for path in taught.glob("mine/Dots*/*.png")
    ]
    assert deciles[0] == pytest.approx(min(found), abs=1)


def test_a_table_is_read_and_what_it_lists_wrongly_is_named(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = taught / "table.csv"
    names = [(f"mine/{name}/{seed}.png", f"A/{name[:2]}") for name in ("Stripes", "Blocks") for seed in range(5)]
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = [("path", "class"), *names, ("mine/gone.png", "A/St"), ("mine/Stripes/0.png", "A/Bl")]
        csv.writer(file).writerows(rows)
    assert teach(taught / "from-table", str(table)) == 1
    message = capsys.readouterr().err
    assert "gone.png: the catalog lists it but there is no such file" in message
    assert "0.png: the same file is listed under A/Bl and A/St" in message
    assert Classifier.load(taught / "from-table").config.movements == ("A/Bl", "A/St")


def test_classes_in_turn_are_in_more_than_one_fold(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = taught / "turns.csv"
    names = [(f"mine/{name}/{seed}.png", seed) for name in ("Stripes", "Blocks") for seed in range(5)]
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "class"), *((path, f"Class {seed}") for path, seed in names)])
    assert teach(taught / "from-turns", str(table)) == 0
    printed = capsys.readouterr().out
    assert "too few to be measured" not in printed
    assert "no ranges of properties for Class 0, Class 1, Class 2, Class 3, Class 4: they need 10 images" in printed


def test_a_model_of_which_nothing_could_be_measured_tells_its_facts(tmp_path: Path) -> None:
    for draw in (stripes, dots):
        paint(draw, 1, tmp_path / "mine" / draw.__name__ / "1.png")
    assert teach(tmp_path / "model", str(tmp_path / "mine")) == 0
    api = create_app(ClassifierQueue(Classifier.load(tmp_path / "model")))
    response = TestClient(api).get("/v1/model")
    assert response.status_code == 200
    assert response.json()["scores"] == {}


def test_a_score_that_is_not_known_is_left_out(taught: Path, tmp_path: Path) -> None:
    model = shutil.copytree(taught / "model", tmp_path / "model")
    values = {"accuracy": {"value": 0.5}, "balanced_accuracy": {"value": None}}
    write_config(model, replace(read_config(model), scores={"values": values}))
    response = TestClient(create_app(ClassifierQueue(Classifier.load(model)))).get("/v1/model")
    assert response.json()["scores"] == {"accuracy": 0.5}


def test_a_model_without_embeddings_cannot_be_taught(taught: Path, tmp_path: Path) -> None:
    import onnx

    base = tmp_path / "base"
    shutil.copytree(default_model(), base)
    graph = onnx.load(base / GRAPH_FILE)
    graph.graph.output.remove(next(each for each in graph.graph.output if each.name == "embedding"))
    onnx.save(graph, base / GRAPH_FILE)
    write_config(base, replace(read_config(base), ood=None, graph_sha256=sha256_of(base / GRAPH_FILE)))
    with pytest.raises(ModelError, match="its graph has no embeddings to teach on"):
        teach(tmp_path / "model", str(taught / "mine"), base=base)
    assert not (tmp_path / "model").exists()


def test_what_cannot_be_taught_is_refused(taught: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        teach(taught / "model", str(taught / "mine"))
    paint(dots, 1, tmp_path / "one" / "Dots" / "1.png")
    with pytest.raises(DataError, match=r"has 1 classes \(Dots\), and a model needs 2 to 200"):
        teach(tmp_path / "model", str(tmp_path / "one"))
    assert not (tmp_path / "model").exists()
