"""Write the cards that the Hugging Face Hub shows: of a model folder and of a prepared dataset.

Knows nothing but config.json, dataset.json and audit.json: every figure on a card is taken from there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artnet.dataset import DatasetInfo
from artnet.model import CARD_FILE, ModelConfig
from artnet.views import WHOLE


def write_card(folder: Path, config: ModelConfig) -> None:
    """Write README.md, the model card that the Hugging Face Hub shows."""
    (folder / CARD_FILE).write_text(model_card(config), encoding="utf-8")


def model_card(config: ModelConfig) -> str:
    """Compose the card's Markdown."""
    sections = [_header(config), _use(config), _making(config), _scores(config), _limits(config)]
    return "\n\n".join(sections) + "\n"


def dataset_card(info: DatasetInfo, summary: dict[str, Any]) -> str:
    """Compose the card of a prepared dataset from its description and its audit."""
    lines = ["---", "task_categories: [image-classification]", "configs:", "- config_name: default"]
    lines += ["  data_files:"]
    lines += [
        f"  - split: {split}\n    path: {split}-*.parquet" for split, counts in summary["splits"].items() if counts
    ]
    lines += [
        "---",
        "",
        f"# {info.name}",
        "",
        f"{summary['paintings']} paintings, prepared with `artnet prepare` (taxonomy {info.taxonomy}, views of "
        f"{info.size_px} px, {info.fit}, split by {info.split_by}, seed {info.seed}).",
        "",
        "| movement | " + " | ".join(summary["splits"]) + " |",
        "| --- |" + " ---: |" * len(summary["splits"]),
    ]
    for movement in info.movements:
        counts = (str(counts.get(movement, 0)) for counts in summary["splits"].values())
        lines.append(f"| {movement} | {' | '.join(counts)} |")
    lines += [
        "",
        "The pictures keep their makers' rights; see where they came from in the column `source`.",
        "",
    ]
    return "\n".join(lines)


def _header(config: ModelConfig) -> str:
    return "\n".join(
        [
            "---",
            "library_name: artnet",
            "pipeline_tag: image-classification",
            f"license: {config.training.get('license', 'other')}",
            "tags: [art, painting, onnx, openvino, grad-cam]",
            "---",
            "",
            f"# {config.name}",
            "",
            f"Says which of {len(config.movements)} movements a painting belongs to: {', '.join(config.movements)}. "
            f"The graph holds a {config.backbone} and its backward pass, so that it can be explained without a "
            "deep-learning framework.",
        ]
    )


def _use(config: ModelConfig) -> str:
    size_px, fit = config.preprocessing.size_px, config.preprocessing.fit
    voting = [f"{name} {weight:g}" for name, weight in config.view_weights.items() if weight > 0]
    vote = "the whole painting alone" if config.voting_views == (WHOLE,) else ", ".join(voting)
    return "\n".join(
        [
            "## Use",
            "",
            "    artnet classify painting.jpg --model FOLDER",
            "    artnet explain painting.jpg --model FOLDER --out sheet.png",
            "",
            f"Input: views of {size_px} px ({fit}). Vote: {vote}. Temperature {config.calibration.temperature:g}; an "
            f"answer under a confidence of {config.calibration.unsure_below:.2f} is called unsure.",
        ]
    )


def _making(config: ModelConfig) -> str:
    lines = ["## How it was made", ""]
    lines += [
        f"- {key.replace('_', ' ')}: {value}"
        for key, value in config.training.items()
        if key not in ("limits", "license")
    ]
    lines += [f"- taxonomy: {config.taxonomy}"]
    return "\n".join(lines)


def _scores(config: ModelConfig) -> str:
    scores = config.scores
    if not scores:
        return "## Scores\n\nNot evaluated yet: `artnet evaluate DATA --model FOLDER --out REPORT --record`."
    lines = [
        "## Scores",
        "",
        f"On the {scores['split']} split of {scores['data']} ({scores['paintings']} paintings; {scores['protocol']}), "
        "with 95 % bootstrap intervals over paintings:",
        "",
        "| score | value | 95 % interval |",
        "| --- | ---: | ---: |",
    ]
    lines += [_interval_row(name, value) for name, value in scores["values"].items()]
    lines += ["", "| movement | paintings | found (recall) |", "| --- | ---: | ---: |"]
    lines += [
        f"| {name} | {entry['paintings']} | {_share(entry['recall'])} |"
        for name, entry in scores["by_movement"].items()
    ]
    return "\n".join(lines)


def _interval_row(name: str, entry: dict[str, Any]) -> str:
    return f"| {name.replace('_', ' ')} | {entry['value']:.3f} | {entry['low']:.3f} to {entry['high']:.3f} |"


def _share(value: float | None) -> str:
    return "none to find" if value is None else f"{value:.3f}"


def _limits(config: ModelConfig) -> str:
    return "\n".join(
        [
            "## Limits",
            "",
            "- It answers with one of its movements whatever it is shown; it does not yet say that a picture is unlike "
            "any painting it has seen.",
            "- Style labels are opinions, and a painting may honestly be two things: read the scores, not only the "
            "first of them.",
            "- It sees a reproduction, a few hundred pixels wide: no surface, no size, no date.",
        ]
        + [f"- {limit}" for limit in config.training.get("limits", [])]
    )
