"""A model folder is read whole and right, or refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artnet.errors import ModelError
from artnet.model.classifier import Classifier
from artnet.model.config import (
    CONFIG_FILE,
    GRAPH_FILE,
    OOD_FILE,
    PROPERTIES_FILE,
    default_model,
    read_config,
    read_model,
    write_config,
)
from artnet.model.prediction import decide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_model(), tmp_path / "model"))


def change(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    fields = json.loads((folder / CONFIG_FILE).read_text())
    edit(fields)
    (folder / CONFIG_FILE).write_text(json.dumps(fields))


def test_the_embedded_model_knows_the_five_movements_and_nine_layers() -> None:
    _, config = read_model()
    assert config.movements == ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract")
    assert [layer.depth for layer in config.layers] == list(range(1, 10))
    assert config.voting_views[0] == "whole"


def test_the_embedded_model_is_within_its_size() -> None:
    size = sum(path.stat().st_size for path in default_model().iterdir())
    assert size <= 60 * 2**20


def test_a_model_folder_holds_nothing_that_executes() -> None:
    names = {CONFIG_FILE, GRAPH_FILE, OOD_FILE, PROPERTIES_FILE, "README.md"}
    assert {path.name for path in default_model().iterdir()} == names


def test_a_config_is_written_and_read_back_alike(folder: Path) -> None:
    config = read_config(folder)
    write_config(folder, config)
    assert read_config(folder) == config


@pytest.mark.parametrize("name", [CONFIG_FILE, GRAPH_FILE, OOD_FILE, PROPERTIES_FILE])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        read_model(folder)


@pytest.mark.parametrize("name", [GRAPH_FILE, OOD_FILE, PROPERTIES_FILE])
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError, match="sha256"):
        read_model(folder)


def test_class_names_that_disagree_with_the_graph_are_refused(folder: Path) -> None:
    change(folder, lambda fields: fields.update(movements=[*fields["movements"], "Dada"], self_check=None))
    with pytest.raises(ModelError, match=r"6 movements.* has 5,"):
        Classifier.load(folder)


def test_a_view_size_that_disagrees_with_the_graph_is_refused(folder: Path) -> None:
    change(folder, lambda fields: fields["preprocessing"].update(size_px=192))
    with pytest.raises(ModelError, match="views of 192 px"):
        Classifier.load(folder)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda fields: fields.update(format="other/9"), "format"),
        (lambda fields: fields.pop("view_weights"), "view_weights"),
        (lambda fields: fields.update(movements=["Cubism", "Cubism"]), "different names"),
        (lambda fields: fields["view_weights"].update(middle=1), "view_weights"),
        (lambda fields: fields.update(view_weights={"whole": 0}), "view_weights"),
        (lambda fields: fields["preprocessing"].update(fit="crop"), "fit"),
        (lambda fields: fields["preprocessing"].update(std=[1, 1, 0]), "std"),
        (lambda fields: fields["calibration"].update(temperature=0), "temperature"),
        (lambda fields: fields["calibration"].update(temperature=float("nan")), "temperature"),
        (lambda fields: fields["calibration"].update(unsure_below=2), "unsure_below"),
        (lambda fields: fields["calibration"].update(set_threshold=1.5), "set_threshold"),
        (lambda fields: fields.update(style_thresholds={"Cubism": 2}), "style_thresholds"),
        (lambda fields: fields.update(style_thresholds={"Dada": 0.5}), "style_thresholds"),
        (lambda fields: fields["ood"].update(method="guess"), "method of ood"),
        (lambda fields: fields["ood"].update(threshold=0), "threshold of ood"),
        (lambda fields: fields["ood"].pop("sha256"), "sha256"),
        (lambda fields: fields.update(view_weights={"centre": 1}), "vote of the whole"),
        (lambda fields: fields["preprocessing"].update(size_px="224"), "size_px"),
        (lambda fields: fields["preprocessing"].update(trim="yes"), "trim"),
        (lambda fields: fields["preprocessing"].update(mean=[0, 0, float("nan")]), "mean"),
        (lambda fields: fields.update(training=[]), "training"),
        (lambda fields: fields.update(properties_sha256=1), "properties_sha256"),
        (lambda fields: fields["self_check"]["logits"][1].pop(), "self_check"),
        (lambda fields: fields["self_check"]["logits"][1].__setitem__(0, float("nan")), "self_check"),
        (lambda fields: fields["layers"].pop(), "depths"),
        (lambda fields: fields.update(surprise=1), "surprise"),
    ],
)
def test_a_setting_that_contradicts_is_refused(folder: Path, edit: Callable[[Any], Any], fault: str) -> None:
    change(folder, edit)
    with pytest.raises(ModelError, match=fault):
        read_model(folder)


def test_a_folder_without_an_ood_detector_is_never_unfamiliar(folder: Path) -> None:
    change(folder, lambda fields: fields.pop("ood"))
    change(folder, lambda fields: [fields["calibration"].pop(name) for name in ("coverage", "accuracy")])
    (folder / OOD_FILE).unlink()
    opened = Classifier.load(folder)
    assert opened.ood is None
    assert decide(opened.config, 1.0, 1e9) == "confident"
    assert opened.config.calibration.coverage is None


def test_a_folder_without_ranges_of_properties_is_read(folder: Path) -> None:
    change(folder, lambda fields: fields.pop("properties_sha256"))
    (folder / PROPERTIES_FILE).unlink()
    assert Classifier.load(folder).ranges is None


def test_a_config_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / CONFIG_FILE).write_text("{")
    with pytest.raises(ModelError, match=r"config\.json: cannot be read as JSON"):
        read_model(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        read_model(tmp_path / "nowhere")


def test_a_folder_of_an_older_version_keeps_margins(folder: Path) -> None:
    change(folder, lambda fields: fields["preprocessing"].pop("trim", None))
    assert read_model(folder)[1].preprocessing.trim is False
