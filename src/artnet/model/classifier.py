"""The classifier: a model folder loaded once, from an image to a prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artnet.errors import ModelError, UsageError
from artnet.imaging.decode import DEFAULT_LIMITS, Limits
from artnet.imaging.views import VIEWS, WHOLE, View, is_uniform
from artnet.metrics.classification import softmax
from artnet.model.config import GRAPH_FILE, OOD_FILE, PROPERTIES_FILE, ModelConfig, read_model
from artnet.model.engine import STYLES, Engine
from artnet.model.ood import OodDetector, read_ood_detector
from artnet.model.prediction import (
    ModelOutputs,
    Prediction,
    ViewScores,
    decide,
    likely_styles,
    movement_set,
    style_scores,
    vote,
)
from artnet.model.preprocessing import ImageSource, OpenedImage, network_input, open_views
from artnet.model.property_ranges import PropertyRanges, read_property_ranges

Views = Literal["voting", "all"]
Precision = Literal["auto", "f32"]
Runtime = Literal["openvino", "onnxruntime"]
RUNTIMES: tuple[Runtime, ...] = ("openvino", "onnxruntime")
PRECISIONS: tuple[Precision, ...] = ("auto", "f32")


class Classifier:
    """A model folder, loaded once and used often; safe to share between threads.

    `classify` is `open`, `infer` and `predict` in a row: call them yourself to keep the views or the embedding.

    Attributes:
        config: the model's settings
        engine: the runtime with the graph
        ood: detector of images unlike the training data; None in models without one
        folder: the model folder; None where the parts came from elsewhere
        ranges: of the training paintings' measured properties; None in models without them
    """

    def __init__(
        self,
        config: ModelConfig,
        engine: Engine,
        ood: OodDetector | None = None,
        folder: Path | None = None,
        ranges: PropertyRanges | None = None,
    ) -> None:
        declared = (len(config.movements), config.preprocessing.size_px, len(config.styles))
        if (engine.classes, engine.size_px, engine.styles) != declared:
            raise ModelError(
                f"{config.name}: config.json declares {declared[0]} movements, views of {declared[1]} px and "
                f"{declared[2]} styles, but the graph has {engine.classes}, {engine.size_px} px and {engine.styles}; "
                "copy or export the model folder again"
            )
        self.config = config
        self.engine = engine
        self.ood = ood
        self.folder = folder
        self.ranges = ranges

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        runtime: str = "openvino",
        precision: str = "auto",
        concurrency: int = 1,
        processors: int | None = None,
    ) -> Classifier:
        """Load a model folder.

        Args:
            folder: model folder, by default the one inside the package
            runtime: `openvino` or `onnxruntime`
            precision: `auto` computes in bf16 where the processor is faster in it, `f32` gives the same bits everywhere
            concurrency: how many threads classify at the same time; each has its share of the processors
            processors: how many processors to use, by default all

        Raises:
            ModelError: for a folder that is incomplete, altered or contradicts itself
            UsageError: for a runtime or precision that does not exist

        >>> Classifier.load().config.movements[0]
        'Cubism'
        """
        path, config = read_model(None if folder is None else Path(folder))
        ood = None if config.ood is None else read_ood_detector(path / OOD_FILE)
        ranges = read_property_ranges(path / PROPERTIES_FILE) if config.properties_sha256 else None
        engine = open_engine(path / GRAPH_FILE, runtime, precision, concurrency, processors)
        return cls(config, engine, ood, path, ranges)

    def classify(
        self,
        source: ImageSource | OpenedImage,
        views: Views = "voting",
        limits: Limits = DEFAULT_LIMITS,
        trim: bool = True,
    ) -> Prediction:
        """Classify one painting.

        Args:
            source: path, encoded bytes (`ImageFile`), Pillow image of any mode, or what `open` returned
            views: `voting` computes the views whose vote has weight, `all` all six; the scores are the same
            limits: of the file at a path
            trim: whether uniform margins are left out, by a model that does so

        Raises:
            SourceError: for a file that cannot be read
            ImageError: for one that is not an image in a known format, or too large
        """
        opened = source if isinstance(source, OpenedImage) else self.open(source, views, limits, trim)
        return self.predict(opened, self.infer(opened.views))

    def embed(self, source: ImageSource | OpenedImage) -> NDArray[np.float32]:
        """Return the embedding (E,) of the whole view; near for paintings that look alike to the model.

        Raises:
            SourceError: for a file that cannot be read
            ImageError: for one that is not an image in a known format, or too large
        """
        opened = source if isinstance(source, OpenedImage) else self.open(source)
        embedding = self.infer([opened.whole_view()], embed=True).embedding
        assert embedding is not None
        return embedding

    def open(
        self, source: ImageSource, views: Views = "voting", limits: Limits = DEFAULT_LIMITS, trim: bool = True
    ) -> OpenedImage:
        """Decode an image and cut its views; arguments and errors as those of `classify`."""
        if views not in ("voting", "all"):
            raise UsageError(f"views is {views!r}; use voting or all")
        preprocessing = self.config.preprocessing
        preprocessing = replace(preprocessing, trim=preprocessing.trim and trim)
        return open_views(source, preprocessing, VIEWS if views == "all" else self.config.voting_views, limits)

    def infer(self, views: Sequence[View], embed: bool = False) -> ModelOutputs:
        """Run the network on views of one painting; `embed` adds the embedding of the whole view, one of them."""
        names = [view.name for view in views]
        if embed and WHOLE not in names:
            raise UsageError("the embedding is that of the whole view, which is not among these; use all views")
        measured = embed or (self.ood is not None and WHOLE in names)
        outputs = ["logits", *(["embedding"] if measured else []), *([STYLES] if self.config.styles else [])]
        results = self.engine.run(network_input(views, self.config.preprocessing), None, outputs)
        embedding = results["embedding"][names.index(WHOLE)] if measured else None
        ood_score = None
        if self.ood is not None and embedding is not None:
            ood_score = float(self.ood.ood_score(embedding[None])[0])
            if is_uniform(views[names.index(WHOLE)], self.config.preprocessing.fit):
                ood_score = math.inf  # a blank page: some paintings are hardly more, and the network cannot tell
        return ModelOutputs(results["logits"], ood_score, results.get(STYLES), embedding)

    def predict(self, opened: OpenedImage, outputs: ModelOutputs) -> Prediction:
        """Combine what `infer` computed of an opened image's views into its prediction."""
        config, temperature = self.config, self.config.calibration.temperature
        weights = [config.view_weights.get(view.name, 0.0) for view in opened.views]
        scores = _by_name(config.movements, vote(outputs.logits, weights, temperature))
        movement = max(scores, key=lambda key: scores[key])
        styles = {} if outputs.styles is None else _by_name(config.styles, style_scores(outputs.styles, weights))
        return Prediction(
            source=opened.name,
            movement=movement,
            confidence=scores[movement],
            decision=decide(config, scores[movement], outputs.ood_score),
            scores=scores,
            views=tuple(
                ViewScores(view.name, view.box, _by_name(config.movements, row))
                for view, row in zip(opened.views, softmax(outputs.logits, temperature), strict=True)
            ),
            model=config.name,
            width=opened.size[0],
            height=opened.size[1],
            ood_score=outputs.ood_score,
            styles=styles,
            likely_styles=likely_styles(styles, config.style_thresholds),
            set=movement_set(scores, config.calibration.set_threshold),
        )


def open_engine(
    graph: Path, runtime: str = "openvino", precision: str = "auto", concurrency: int = 1, processors: int | None = None
) -> Engine:
    """Open an ONNX graph with a runtime.

    Args:
        graph: the model.onnx of a model folder
        runtime: one of `RUNTIMES`
        precision: `auto` computes logits in bf16 where the processor is faster in it; gradients are always float32
        concurrency: how many callers share the processors at the same time; further ones wait
        processors: how many to use, by default all; ONNX Runtime heeds neither this nor `concurrency`
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}")
    if concurrency < 1:
        raise UsageError(f"concurrency is {concurrency}; use 1 or more")
    if runtime == "openvino":
        from artnet.model.openvino import OpenVinoEngine  # each brings a library that the other does without

        return OpenVinoEngine(graph, precision, concurrency=concurrency, processors=processors)
    if runtime == "onnxruntime":
        from artnet.model.onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(graph)
    raise UsageError(f"runtime is {runtime!r}; use one of {', '.join(RUNTIMES)}")


def _by_name(names: Sequence[str], scores: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, scores.tolist(), strict=True))
