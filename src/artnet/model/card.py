"""Write the cards that the Hugging Face Hub shows: of a model folder and of a prepared dataset.

Knows nothing but config.json, dataset.json and audit.json: every figure on a card is taken from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artnet.imaging.views import WHOLE
from artnet.model.config import CARD_FILE, Calibration, ModelConfig


def write_card(folder: Path, config: ModelConfig) -> None:
    """Write README.md, the model card that the Hugging Face Hub shows."""
    (folder / CARD_FILE).write_text(model_card(config), encoding="utf-8")


def model_card(config: ModelConfig) -> str:
    """Compose the card's Markdown."""
    sections = [_header(config), _use(config), _making(config), _scores(config), _limits(config)]
    return "\n\n".join(sections) + "\n"


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
            "deep-learning framework."
            + (f" A second head scores {len(config.styles)} fine styles, each for itself." if config.styles else ""),
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
            f"answer under a confidence of {config.calibration.unsure_below:.2f} is called unsure."
            + _answered(config.calibration),
            *_unfamiliar(config),
        ]
    )


def _answered(calibration: Calibration) -> str:
    if calibration.coverage is None or calibration.accuracy is None:
        return ""
    return (
        f" Of the validation paintings {calibration.coverage:.0%} were answered above it, "
        f"{calibration.accuracy:.0%} of them rightly."
    )


def _unfamiliar(config: ModelConfig) -> list[str]:
    known = config.ood
    if known is None:
        return []
    return [
        "",
        f"A picture whose embedding lies more than {known.threshold:.1f} standard deviations from the paintings of "
        "training is called unfamiliar (Mahalanobis distance; Lee et al. 2018, Mueller and Hein 2025). The threshold "
        f"leaves at least {known.quantile:.1%} of each collection's validation paintings familiar.",
    ]


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
    return "\n".join([*lines, *_styles(scores), *_decisions(scores), *_ood(scores)])


def _styles(scores: Mapping[str, Any]) -> list[str]:
    found = scores.get("styles")
    if found is None:
        return []
    rows = [
        f"| {name} | {entry['paintings']} | {_share(entry['average_precision'])} | {entry['share']:.3f} |"
        for name, entry in found["by_style"].items()
    ]
    return [
        "",
        f"Fine styles, each scored for itself: mean average precision {found['mean']:.3f} (drawing lots: "
        f"{found['mean_share']:.3f}) on {found['paintings']} paintings.",
        "",
        "| style | paintings | average precision | drawing lots |",
        "| --- | ---: | ---: | ---: |",
        *rows,
    ]


def _decisions(scores: Mapping[str, Any]) -> list[str]:
    found = scores.get("by_decision", {})
    lines = [
        f"| {name} | {entry['paintings'] / scores['paintings']:.3f} | {_share(entry['accuracy'])} |"
        for name, entry in found.items()
    ]
    return ["", "| decision | share of paintings | of these right |", "| --- | ---: | ---: |", *lines] if lines else []


def _ood(scores: Mapping[str, Any]) -> list[str]:
    lines = [
        f"| {name} | {entry['images']} | {entry['auroc']:.3f} | {entry['detection_rate']:.3f} |"
        for name, entry in scores.get("ood", {}).items()
    ]
    head = "| pictures that are no such paintings | count | AUROC of the OOD score | called unfamiliar |"
    return ["", head, "| --- | ---: | ---: | ---: |", *lines] if lines else []


def _interval_row(name: str, entry: dict[str, Any]) -> str:
    return f"| {name.replace('_', ' ')} | {entry['value']:.3f} | {entry['low']:.3f} to {entry['high']:.3f} |"


def _share(value: float | None) -> str:
    return "none to find" if value is None else f"{value:.3f}"


def _never_unfamiliar(config: ModelConfig) -> str:
    said = "- It answers with one of its movements whatever it is shown"
    if config.ood is None:
        return f"{said}, and never says that a picture is unfamiliar."
    return (
        f"{said}. `unfamiliar` is a distance and no knowledge: many pictures that are no such paintings are missed, "
        "above all drawings and paintings of other periods."
    )


def _limits(config: ModelConfig) -> str:
    return "\n".join(
        [
            "## Limits",
            "",
            _never_unfamiliar(config),
            "- Style labels are opinions, and a painting may honestly be two things: read the scores, not only the "
            "first of them.",
            "- It sees a reproduction, a few hundred pixels wide: no surface, no size, no date.",
        ]
        + [f"- {limit}" for limit in config.training.get("limits", [])]
    )
