"""Every command of docs/more-data.md works on shards of the Hub's schema, with a tiny vision transformer."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artnet.cli.main import main
from artnet.data.dataset import count_rows
from artnet.data.split import SPLITS
from artnet.model.config import GRAPH_FILE, read_config
from artnet.model.engine import output_names
from artnet.model.onnxruntime import OnnxRuntimeEngine
from artnet.model.openvino import OpenVinoEngine
from artnet.training.export.onnx_graph import random_mixture, random_views, relative_distance
from fixtures.collections import PICTURE, WIKIART_CLASSES, Work, draw_csv, paint, write_csv

PAGE = Path(__file__).parent.parent.parent / "docs" / "more-data.md"
COMMANDS = re.findall(r"^    artnet (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
STYLES = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract_Expressionism", "Ukiyo_e")
ARTISTS = ("Unknown Artist", "claude-monet", "paul-cezanne", "pablo-picasso")
# What the page says of a large backbone and of a page that never ends, in what a test can wait for.
TINY = {
    "vit_base_patch14_dinov2": "test_vit --set last_block=3 --set head_first=false",
    "--weights pretrained": "--weights none --epochs 1 --device cpu --workers 0",
}


def draw_shards(folder: Path) -> None:
    """Lay drawn paintings out as `huggan/wikiart`: class labels as numbers, their names in the metadata, two shards."""
    labels = {"artist": ARTISTS, "genre": ("abstract_painting", "landscape"), "style": WIKIART_CLASSES}
    features = {name: {"names": list(names), "_type": "ClassLabel"} for name, names in labels.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}, **features}}})}
    (folder / "data").mkdir(parents=True)
    for shard in range(2):
        numbers = range(60 * shard, 60 * shard + 60)
        table = pa.table(
            {
                "image": pa.array([{"bytes": paint(number, 80, 96), "path": None} for number in numbers], PICTURE),
                "artist": pa.array([0 if number % 3 else number // 3 % 4 for number in numbers], pa.int64()),
                "genre": pa.array([number % 2 for number in numbers], pa.int64()),
                "style": pa.array([WIKIART_CLASSES.index(STYLES[number % 6]) for number in numbers], pa.int64()),
            }
        )
        path = folder / "data" / f"train-{shard:05d}-of-00002.parquet"
        pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=25)


def keep_two(table: Path) -> None:
    """Delete all lines of a table but two, as a person who finds most labels right."""
    with table.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    write_csv(table, [header, *rows[:2]])


def check_runtimes(model: Path) -> None:
    """Check that both runtimes compute the same of a transformer's graph; export has compared one with autograd."""
    layers, views = read_config(model).layers, random_views(224)
    assert all(layer.grid == (14, 14) for layer in layers)
    target, mixture = np.eye(5, dtype=np.float32)[:2], random_mixture(sum(layer.channels for layer in layers), 2)
    names = output_names(attention=True)
    exact, other = (
        engine.run(views, target, names, mixture)
        for engine in (OpenVinoEngine(model / GRAPH_FILE, "f32", cached=False), OnnxRuntimeEngine(model / GRAPH_FILE))
    )
    for name in names:
        assert relative_distance(other[name], exact[name]) < 1e-3, name


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_shards(tmp_path / "wikiart")
    works = [Work("Realism", f"Painter {number}", "", "", paint(1000 + number)) for number in range(5)]
    draw_csv(tmp_path / "my-paintings", works)
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        if command.startswith("app "):  # serves until it is stopped
            continue
        if "--exclude" in command:
            keep_two(tmp_path / "labels" / "suspects.csv")
        for large, tiny in TINY.items():
            command = command.replace(large, tiny)
        monkeypatch.setattr(sys, "argv", ["artnet", *command.split()])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code, command
    assert sum(count_rows(tmp_path / "data", split) for split in SPLITS) == 100  # of 120, 20 are Ukiyo-e
    assert sum(count_rows(tmp_path / "data-cleaned", split) for split in SPLITS) == 98
    assert {"model", "report", "labels", "run", "predictions.csv"} <= {path.name for path in tmp_path.iterdir()}
    check_runtimes(tmp_path / "model")
