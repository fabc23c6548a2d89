"""Answer which movement a painting belongs to and how sure one can be.

Knows nothing about where pictures come from or how answers are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.errors import ModelError, UsageError
from artnet.imaging.decode import (
    DEFAULT_LIMITS,
    ImageFile,
    Limits,
    decode_image,
    decode_reduced,
    read_file,
    upright_srgb,
)
from artnet.imaging.views import VIEWS, WHOLE, Box, View, extract_views, whole_view
from artnet.metrics.classification import sigmoid, softmax
from artnet.model.config import GRAPH_FILE, OOD_FILE, ModelConfig, Preprocessing, read_model
from artnet.model.engine import STYLES, Engine, open_engine
from artnet.model.ood import OodDetector, read_ood_detector

Decision = Literal["confident", "unsure", "unfamiliar"]


@dataclass(frozen=True)
class ViewScores:
    """What one view alone would have answered."""

    name: str
    box: Box
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Prediction:
    """The answer for one painting; scores are 0 to 1 and add up to 1, width and height are in pixels.

    `ood_score` is the distance from the paintings that the model knows (see `ood`), None where it cannot
    tell. `styles` are fine styles, each scored 0 to 1 for itself: a painting may be two things, or none of them. Empty
    in models without a head for styles.
    """

    source: str
    movement: str
    confidence: float
    decision: Decision
    scores: Mapping[str, float]
    views: tuple[ViewScores, ...]
    model: str
    width: int
    height: int
    ood_score: float | None = None
    styles: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give the prediction as the JSON object that `artnet classify --json` prints."""
        return {
            "source": self.source,
            "movement": self.movement,
            "confidence": self.confidence,
            "decision": self.decision,
            "scores": dict(self.scores),
            **({"styles": dict(self.styles)} if self.styles else {}),
            "views": [
                {"name": view.name, "box": list(view.box.as_tuple()), "scores": dict(view.scores)}
                for view in self.views
            ],
            "model": self.model,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True)
class ModelOutputs:
    """What the network makes of some views: logits (V, C), and, where the model can tell, more.

    That is the whole's ood_score and the styles' logits (V, K); the whole's embedding (E,) where it was computed.
    """

    logits: NDArray[np.float32]
    ood_score: float | None
    styles: NDArray[np.float32] | None = None
    embedding: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class OpenedImage:
    """A picture's views, and its own upright `size` (width, height); `image` may have been decoded smaller."""

    file: ImageFile
    image: Image.Image
    size: tuple[int, int]
    views: tuple[View, ...]

    def in_full(self) -> Image.Image:
        """Give the picture at its own size; decoded anew only where it was decoded smaller."""
        if self.image.size == self.size:
            return self.image
        return decode_image(self.file.data, self.file.name, self.file.limits)


class Classifier:
    """A model folder, opened once and used often; safe to share between threads.

    `folder` is where it lies, None where its parts came from elsewhere.
    """

    def __init__(
        self,
        config: ModelConfig,
        engine: Engine,
        ood: OodDetector | None = None,
        folder: Path | None = None,
    ) -> None:
        said = (len(config.movements), config.preprocessing.size_px)
        if (engine.classes, engine.size_px) != said:
            raise ModelError(
                f"{config.name}: config.json speaks of {said[0]} movements and views of {said[1]} px, but the graph "
                f"has {engine.classes} outputs and takes {engine.size_px} px; copy or export the model folder again"
            )
        if engine.styles != len(config.styles):
            raise ModelError(
                f"{config.name}: config.json names {len(config.styles)} styles, but the graph answers on "
                f"{engine.styles}; copy or export the model folder again"
            )
        self.config = config
        self.engine = engine
        self.ood = ood
        self.folder = folder

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        runtime: str = "openvino",
        precision: str = "auto",
        at_once: int = 1,
        processors: int | None = None,
    ) -> Classifier:
        """Open a model folder, by default the one inside the package.

        `at_once` is how many threads shall be answered at the same time; each then has its share of the `processors`,
        without a number all of them. The answers are the same.
        Errors: `ModelError` for a folder that is incomplete or altered, `UsageError` for an unknown runtime.

        >>> Classifier.load().config.movements[0]
        'Cubism'
        """
        path, config = read_model(None if folder is None else Path(folder))
        ood = None if config.ood is None else read_ood_detector(path / OOD_FILE)
        return cls(config, open_engine(path / GRAPH_FILE, runtime, precision, at_once, processors), ood, path)

    def classify(
        self,
        source: str | Path | ImageFile | Image.Image,
        views: Literal["voting", "all"] = "voting",
        limits: Limits = DEFAULT_LIMITS,
    ) -> Prediction:
        """Classify one painting, given as a path, as a file's bytes or as a Pillow image of any mode.

        `views="all"` also computes the views whose vote has no weight. Errors: `SourceError`, `ImageError`.
        """
        if isinstance(source, Image.Image):
            return self.classify_image(upright_srgb(source), name="", views=views)
        file = source if isinstance(source, ImageFile) else read_file(source, limits)
        return self.answer_opened(self.open(file, views))

    def answer_opened(self, opened: OpenedImage) -> Prediction:
        """Classify a picture that `open` has opened; its file's name becomes the prediction's `source`."""
        return self.answer(opened.file.name, opened.size, opened.views, self.see(opened.views))

    def classify_image(self, image: Image.Image, name: str, views: Literal["voting", "all"] = "voting") -> Prediction:
        """Classify an upright sRGB image; `name` becomes the prediction's `source`."""
        cut = self.cut(image, views)
        return self.answer(name, (image.width, image.height), cut, self.see(cut))

    def open(self, file: ImageFile, views: Literal["voting", "all"] = "voting") -> OpenedImage:
        """Decode a picture file and cut its views.

        Where the whole alone is looked at, a JPEG is decoded only as finely as that needs: less than half of
        the time, for a change of 1.4 levels of 255 on average, which moves scores by less than another good filter
        (Lanczos) would. Errors: `ImageError`.
        """
        if views != "voting" or self.config.voting_views != (WHOLE,):
            image = decode_image(file.data, file.name, file.limits)
            return OpenedImage(file, image, image.size, self.cut(image, views))
        image, size = decode_reduced(file.data, file.name, self.config.preprocessing.size_px, file.limits)
        return OpenedImage(file, image, size, tuple(replace(view, box=Box(0, 0, *size)) for view in self.cut(image)))

    def whole(self, opened: OpenedImage) -> View:
        """Give the whole view of an opened picture; it is cut here where it has no vote."""
        seen = self.config.preprocessing
        there = next((view for view in opened.views if view.name == WHOLE), None)
        return there or whole_view(opened.image, seen.size_px, seen.fit)

    def cut(self, image: Image.Image, views: Literal["voting", "all"] = "voting") -> tuple[View, ...]:
        """Cut the views of an upright sRGB image that are to be looked at."""
        if views not in ("voting", "all"):
            raise UsageError(f"views is {views!r}; use voting or all")
        names = VIEWS if views == "all" else self.config.voting_views
        return extract_views(image, self.config.preprocessing.size_px, self.config.preprocessing.fit, names)

    def see(self, views: Sequence[View], embed: bool = False) -> ModelOutputs:
        """Run the network on views of one painting; `embed` asks for the whole's embedding, which must be among them.

        Errors: `UsageError` where it is not.
        """
        names = [view.name for view in views]
        if embed and WHOLE not in names:
            raise UsageError(
                "the embedding is that of the whole view, which this model does not look at; use all views"
            )
        measured = self.ood is not None and WHOLE in names
        wanted = ["logits", *(["embedding"] if measured or embed else []), *([STYLES] if self.config.styles else [])]
        found = self.engine.run(network_input(views, self.config.preprocessing), None, wanted)
        embedding = found["embedding"][names.index(WHOLE)] if measured or embed else None
        ood_score = None
        if self.ood is not None and embedding is not None:
            ood_score = float(self.ood.ood_score(embedding[None])[0])
        return ModelOutputs(found["logits"], ood_score, found.get(STYLES), embedding)

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        """Give the embedding (E,) of the whole of an upright sRGB image.

        Near for pictures that look alike to the model. Errors: `ModelError` for a graph without embeddings.
        """
        seen = self.config.preprocessing
        found = self.see(extract_views(image, seen.size_px, seen.fit, (WHOLE,)), embed=True).embedding
        if found is None:
            raise ModelError(f"{self.config.name}: its graph gives no embedding; export the model again")
        return found

    def decide(self, confidence: float, ood_score: float | None) -> Decision:
        """Say whether an answer can be relied on; of a picture unlike any painting, not even that it is unsure."""
        known = self.config.ood
        if known is not None and ood_score is not None and ood_score > known.threshold:
            return "unfamiliar"
        return "unsure" if confidence < self.config.calibration.unsure_below else "confident"

    def answer(self, name: str, size: tuple[int, int], cut: Sequence[View], seen: ModelOutputs) -> Prediction:
        """Let the views of a painting of `size` (width, height) vote; `name` becomes the prediction's `source`."""
        config, logits = self.config, seen.logits
        temperature = config.calibration.temperature
        weights = [config.view_weights.get(view.name, 0.0) for view in cut]
        scores = self._named(vote(logits, weights, temperature))
        movement = max(scores, key=lambda key: scores[key])
        styles = {} if seen.styles is None else self._named_styles(style_scores(seen.styles, weights))
        return Prediction(
            source=name,
            movement=movement,
            confidence=scores[movement],
            decision=self.decide(scores[movement], seen.ood_score),
            scores=scores,
            views=tuple(
                ViewScores(view.name, view.box, self._named(row))
                for view, row in zip(cut, softmax(logits, temperature), strict=True)
            ),
            model=config.name,
            width=size[0],
            height=size[1],
            ood_score=seen.ood_score,
            styles=styles,
        )

    def _named(self, row: NDArray[np.float64]) -> dict[str, float]:
        return {movement: float(score) for movement, score in zip(self.config.movements, row, strict=True)}

    def _named_styles(self, row: NDArray[np.float64]) -> dict[str, float]:
        return {style: float(score) for style, score in zip(self.config.styles, row, strict=True)}


def network_input(views: Sequence[View], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Scale views to what the network was trained on; (N, 3, S, S) float32."""
    width, height = views[0].image.size
    inputs = np.empty((len(views), 3, height, width), np.float32)
    for view, planes in zip(views, inputs, strict=True):
        for plane, band, mean, std in zip(
            planes, view.image.split(), preprocessing.mean, preprocessing.std, strict=True
        ):
            plane[...] = band  # uint8; then in place, plane by plane: faster than looking each value up
            plane /= np.float32(255)
            plane -= np.float32(mean)
            plane /= np.float32(std)
    return inputs


def vote(logits: NDArray[np.floating], weights: Sequence[float], temperature: float) -> NDArray[np.float64]:
    """Average the views' calibrated scores by weight: logits (..., V, C) to scores (..., C)."""
    shares = np.asarray(weights, np.float64)
    result: NDArray[np.float64] = np.einsum("...vc,v->...c", softmax(logits, temperature), shares / shares.sum())
    return result


def style_scores(logits: NDArray[np.floating], weights: Sequence[float]) -> NDArray[np.float64]:
    """Average the views' logits of styles by the weight of their votes: (..., V, K) to scores (..., K), 0 to 1 each."""
    shares = np.asarray(weights, np.float64)
    return sigmoid(np.einsum("...vk,v->...k", np.asarray(logits, np.float64), shares / shares.sum()))
