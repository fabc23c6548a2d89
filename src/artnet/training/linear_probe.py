"""A linear probe: the head alone is trained, on embeddings of the trunk that OpenVINO computes once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from artnet.errors import TrainingError
from artnet.hardware import processor_count
from artnet.imaging.views import WHOLE, square_view
from artnet.model.config import Preprocessing
from artnet.model.engine import Engine
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.training.batches.views import StoredViews, sample_epoch
from artnet.training.devices import seeded
from artnet.training.export.onnx_graph import write_trunk
from artnet.training.history import EpochScores, TrainScores, score_epoch, write_history
from artnet.training.network.freezing import freeze, parameter_groups
from artnet.training.network.loss import make_targets, total_loss
from artnet.training.network.network import PaintingNetwork
from artnet.training.recipe import RECIPES, FreezingOptions
from artnet.training.schedule import set_rates
from artnet.training.trainer import Session

EMBEDDINGS = "embeddings"  # embeddings.safetensors
_BATCH = 64  # views that are decoded and embedded together


def train_head(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Train the head on embeddings, which are computed unless the run has them, and write the best one.

    Raises:
        TrainingError: for a loss that is not finite
    """
    rows = []
    for scores in _best_head(session, network, train, val):
        rows.append(scores)
        session.callbacks.on_epoch(scores)
    session.run.write_tensors("best", dict(network.state_dict()))
    write_history(session.run, rows)


def initialise_head(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Initialise the head of a network that will be fine-tuned with the best one for its frozen trunk.

    A random head would first distort what the trunk knows: Kumar et al., "Fine-tuning can distort pretrained features
    and underperform out-of-distribution", 2022, https://arxiv.org/abs/2202.10054.
    """
    recipe = session.settings.recipe
    probe = replace(
        RECIPES["probe"],
        balance=recipe.balance,
        label_smoothing=recipe.label_smoothing,
        styles_weight=recipe.styles_weight,
    )
    for _ in _best_head(replace(session, settings=replace(session.settings, recipe=probe)), network, train, val):
        pass


def infer_views(
    engine: Engine, views: StoredViews, preprocessing: Preprocessing, output: str = "embedding"
) -> Iterator[np.ndarray]:
    """Yield one output of the graph for all views in order, as arrays (n, ...) float32.

    Threads decode and infer; an engine with a concurrency of its own keeps all processors busy.
    """

    def infer_one(index: int) -> np.ndarray:
        view = square_view(WHOLE, views.decode(index))
        values: np.ndarray = engine.run(network_input([view], preprocessing), None, [output])[output][0]
        return values

    with ThreadPoolExecutor(processor_count() + 1) as pool:
        for start in range(0, len(views.encoded), _BATCH):
            yield np.stack(list(pool.map(infer_one, range(start, min(start + _BATCH, len(views.encoded))))))


def _best_head(
    session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews
) -> Iterator[EpochScores]:
    """Train the head, yielding each epoch's scores, and leave the network with the best head by validation."""
    freeze(network, FreezingOptions(frozen_share=1.0))
    best, weights = -1.0, network.state_dict()
    for scores in _epochs(session, network, _embeddings(session, network, train, val), (train, val)):
        if scores.val_balanced_accuracy > best:
            best = scores.val_balanced_accuracy
            weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        yield scores
    network.load_state_dict(weights)


def _embeddings(
    session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews
) -> tuple[Tensor, Tensor]:
    """Return the embeddings (N, E) of train and val, from the run if it has them."""
    if not session.run.has_tensors(EMBEDDINGS):
        total, done = len(train.encoded) + len(val.encoded), 0
        tensors = {}
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / "trunk.onnx"
            write_trunk(network, session.settings.size_px, path)
            engine = OpenVinoEngine(path, cached=False, concurrency=processor_count())
            for split, views in (("train", train), ("val", val)):
                batches = []
                for batch in infer_views(engine, views, session.settings.preprocessing):
                    batches.append(batch)
                    done += len(batch)
                    session.callbacks.on_embedded(done, total)
                tensors[split] = torch.from_numpy(np.concatenate(batches))
        session.run.write_tensors(EMBEDDINGS, tensors)
    embeddings = session.run.read_tensors(EMBEDDINGS)
    return embeddings["train"], embeddings["val"]


def _epochs(
    session: Session, network: PaintingNetwork, embeddings: tuple[Tensor, Tensor], views: tuple[StoredViews, ...]
) -> Iterator[EpochScores]:
    """Train epoch by epoch in float32; all randomness follows from seed and epoch."""
    settings, recipe = session.settings, session.settings.recipe
    train, val = views
    movements, styles = torch.from_numpy(train.movements), torch.from_numpy(train.styles)
    shares = torch.from_numpy(train.shares)
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.rates), eps=recipe.rates.epsilon, fused=True)
    for epoch in range(recipe.epochs):
        started = time.monotonic()
        network.train()
        order = sample_epoch(train, recipe.balance, settings.seed, epoch)
        starts = range(0, len(order) - 1, recipe.batch)  # a last batch of one view would have no variance
        batches = [torch.from_numpy(order[start : start + recipe.batch]) for start in starts]
        loss_sum = hits = 0.0
        with seeded(int(np.random.default_rng((settings.seed, epoch, 2**31 + 1)).integers(2**62))):
            for index, rows in enumerate(batches):
                set_rates(optimizer, recipe.rates, epoch * len(batches) + index, recipe.epochs, len(batches))
                logits = network.classify(embeddings[0][rows])
                loss = total_loss(logits, make_targets(shares[rows], styles[rows], network), recipe)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                loss_sum += float(loss.detach())
                hits += float((logits.movements.argmax(1) == movements[rows]).float().mean())
        if not np.isfinite(loss_sum):
            raise TrainingError(f"the loss became {loss_sum} in epoch {epoch + 1}; lower rates.head and start again")
        network.eval()
        with torch.inference_mode():
            val_logits = network.classify(embeddings[1]).movements
        scores = TrainScores(loss_sum / len(batches), hits / len(batches), time.monotonic() - started)
        yield score_epoch(epoch + 1, scores, val_logits.numpy(), val.movements)
