"""Compare training steps of artnet-2020, Keras and timm, then `probe` with fine-tuning.

    python benchmarks/train.py [--steps N] [--only steps|probe] [--backbone NAME ...]

Makes a temporary environment with tensorflow-cpu (pip, some 1.5 GB, needs an index), unless `--keras PYTHON` names an
interpreter that has it. Each program is a process that takes one step of 32 images of 256 px when told to, in turn, so
that all run under the same load; printed are medians. On a busy machine the processor seconds, which do not contain
waiting, say more, with one thread each (OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1).

The programs, all with a DenseNet-121 with random weights and five classes:
- artnet: a step of `artnet train --recipe artnet-2020`: three convolutions, normalisations and head are trained.
- keras: the same network and the same trained layers, `train_on_batch`, Adam, float32, as in the project of 2020.
- timm: timm's train.py without options: SGD with momentum, float32, channels first; all tensors are trained.
- timm, same tensors: the same with only the tensors of artnet-2020 trained.

Then `probe` on 5,000 stored views (all of it: writing the trunk, embedding, 60 epochs of the head) is compared with
five epochs of `finetune`, calculated from the median of measured steps and of measured validation batches.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BATCH, SIZE_PX, CLASSES, WARM_UP = 32, 256, 5, 2
PAINTINGS, VALIDATION, FINE_EPOCHS, FINE_PX = 5000, 750, 5, 224

KERAS = """
import os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import layers
trunk = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=({size}, {size}, 3))
trained = ("conv5_block15_2_conv", "conv5_block16_1_conv", "conv5_block16_2_conv")
for layer in trunk.layers:
    layer.trainable = layer.name in trained or isinstance(layer, layers.BatchNormalization)
head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.BatchNormalization(),
        layers.Dense({classes}, activation="softmax")]
model = keras.Sequential([trunk, *head])
model.compile(optimizer=keras.optimizers.Adam(1e-4), loss="categorical_crossentropy", metrics=["accuracy"])
views = np.random.default_rng(0).normal(size=({batch}, {size}, {size}, 3)).astype("float32")
target = np.eye({classes}, dtype="float32")[np.arange({batch}) % {classes}]
print("ready", sum(int(np.prod(w.shape)) for w in model.trainable_weights), "keras", keras.__version__, flush=True)
for line in sys.stdin:
    started = time.perf_counter(), time.process_time()
    model.train_on_batch(views, target)
    print(time.perf_counter() - started[0], time.process_time() - started[1], flush=True)
"""


def serve(step, label: str) -> None:  # type: ignore[no-untyped-def]
    """Take a step for each line of standard input and print its wall and processor seconds."""
    print("ready", label, flush=True)
    for _ in sys.stdin:
        started = time.perf_counter(), time.process_time()
        step()
        print(time.perf_counter() - started[0], time.process_time() - started[1], flush=True)


def serve_artnet() -> None:
    """Take steps of the recipe artnet-2020."""
    import torch

    from artnet.training.batches.views import Batch
    from artnet.training.devices import FitOptions, open_fabric
    from artnet.training.network.freezing import set_train_mode
    from artnet.training.network.network import build_network
    from artnet.training.recipe import find_recipe
    from artnet.training.run import Run, RunSettings
    from artnet.training.trainer import Callbacks, Session, make_learner, take_step

    recipe, options = find_recipe("artnet-2020"), FitOptions(device="cpu")
    settings = RunSettings("densenet121", "none", "artnet-2020", recipe, mean=(0.5,) * 3, std=(0.2,) * 3)
    session = Session(open_fabric(options, recipe.batch), Run(Path(), settings), settings, options, Callbacks())
    learner = make_learner(session, build_network("densenet121", CLASSES, "none"))
    set_train_mode(learner.state.network, recipe.freezing)
    pixels = torch.randint(0, 256, (BATCH, 3, SIZE_PX, SIZE_PX), dtype=torch.uint8)
    count = sum(tensor.numel() for tensor in learner.state.network.parameters() if tensor.requires_grad)
    movements = torch.arange(BATCH) % CLASSES
    batch = Batch(pixels, movements, torch.full((BATCH,), -1))
    serve(lambda: take_step(session, learner, batch), f"{count} torch {torch.__version__}")


def serve_timm(same_tensors: bool) -> None:
    """Take the steps of timm's train.py with its defaults (0.1, SGD with momentum, weight decay 2e-5, float32)."""
    import timm
    import torch
    from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
    from torch import nn

    from artnet.training.recipe import find_recipe

    model = timm.create_model("densenet121", num_classes=CLASSES).train()
    if same_tensors:
        modules = find_recipe("artnet-2020").freezing.trained_modules
        for name, module in model.named_modules():
            learns = name in modules or name == "classifier" or isinstance(module, nn.BatchNorm2d)
            for tensor in module.parameters(recurse=False):
                tensor.requires_grad_(learns)
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.1, momentum=0.9, weight_decay=2e-5)
    criterion, views, movements = (
        nn.CrossEntropyLoss(),
        torch.randn(BATCH, 3, SIZE_PX, SIZE_PX),
        torch.arange(BATCH) % 5,
    )
    count = sum(tensor.numel() for tensor in model.parameters() if tensor.requires_grad)

    def step() -> None:
        loss = criterion(model(views), movements)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    serve(step, f"{count} timm {timm.__version__}")


def race(commands: dict[str, list[str]], steps: int) -> dict[str, tuple[float, float]]:
    """Return each program's median wall and processor seconds of a step, taken in turn, without two warm-up rounds."""
    processes = {
        name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name, command in commands.items()
    }
    seconds: dict[str, list[list[float]]] = {name: [] for name in commands}
    try:
        for name, process in processes.items():
            print(f"{name}: trainable numbers and version: {process.stdout.readline().strip()}", flush=True)  # type: ignore[union-attr]
        for number in range(steps + WARM_UP):
            for name, process in processes.items():
                process.stdin.write("step\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                taken = [float(part) for part in process.stdout.readline().split()]  # type: ignore[union-attr]
                print(f"    {name:20} {taken[0]:7.2f} s, {taken[1]:7.2f} s of processors", flush=True)
                if number >= WARM_UP:
                    seconds[name].append(taken)
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
    return {
        name: (statistics.median(wall for wall, _ in taken), statistics.median(spent for _, spent in taken))
        for name, taken in seconds.items()
    }


def keras_python(folder: Path) -> str:
    """Make an environment with Keras on TensorFlow and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "tensorflow-cpu"], check=True)
    return python


def stored_views(count: int):  # type: ignore[no-untyped-def]
    """Return stored views: smooth random images as JPEG, 64 different ones."""
    import numpy as np
    from PIL import Image

    from artnet.training.batches.views import StoredViews

    rng, different = np.random.default_rng(0), []
    for _ in range(64):
        picture = Image.fromarray(rng.integers(0, 256, (56, 56, 3), np.uint8)).resize((FINE_PX, FINE_PX))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        different.append(buffer.getvalue())
    movements = np.arange(count) % CLASSES
    encoded = [different[index % 64] for index in range(count)]
    shares = np.eye(CLASSES, dtype=np.float32)[movements]
    return StoredViews(encoded, movements, np.zeros(count, int), np.full(count, -1), shares)


def probe_against_finetune(backbone: str, steps: int) -> None:
    """Run `probe` whole and a few steps of `finetune`, and print both."""
    import numpy as np

    from artnet.training.batches.views import Epoch, StoredViews, training_batches
    from artnet.training.devices import FitOptions, open_fabric
    from artnet.training.linear_probe import train_head
    from artnet.training.network.freezing import set_train_mode
    from artnet.training.network.network import build_network
    from artnet.training.recipe import find_recipe
    from artnet.training.run import Run, RunSettings
    from artnet.training.trainer import Callbacks, Session, make_learner, predict, take_step, training_size_px

    train, val, options = stored_views(PAINTINGS), stored_views(VALIDATION), FitOptions(device="cpu", workers=0)
    with tempfile.TemporaryDirectory() as folder:

        def session(name: str) -> Session:
            recipe = find_recipe(name)
            settings = RunSettings(backbone, "none", name, recipe, mean=(0.5,) * 3, std=(0.5,) * 3, size_px=FINE_PX)
            return Session(
                open_fabric(options, recipe.batch), Run(Path(folder), settings), settings, options, Callbacks()
            )

        started = now()
        train_head(session("probe"), build_network(backbone, CLASSES, "none"), train, val)
        probe = now() - started
        print(
            f"{backbone}: probe on {PAINTINGS} paintings: {probe[0]:.0f} s, {probe[1]:.0f} s of processors", flush=True
        )

        fine = session("finetune")
        recipe = fine.settings.recipe
        learner = make_learner(fine, build_network(backbone, CLASSES, "none"))
        set_train_mode(learner.state.network, recipe.freezing)
        taken, epoch = [], Epoch(0, 0, training_size_px(fine.settings))
        before = now()
        for batch in training_batches(train, recipe, epoch, options.workers):
            take_step(fine, learner, batch)
            before, after = now(), before
            taken.append(before - after)
            if len(taken) == steps + WARM_UP:
                break
        step = np.median(taken[WARM_UP:], 0)
        started = now()
        few = StoredViews(*(values[:128] for values in vars(val).values()))
        predict(fine, learner.state.average, few)
        validation = (now() - started) * VALIDATION / 128
    tuned = FINE_EPOCHS * (PAINTINGS // recipe.batch * step + validation)
    print(
        f"{backbone}: {FINE_EPOCHS} epochs of finetune, from {steps} steps of {step[0]:.2f} s ({step[1]:.2f} s of "
        f"processors) and validation: {tuned[0]:.0f} s, {tuned[1]:.0f} s of processors; probe is "
        f"{tuned[0] / probe[0]:.1f} times faster, {tuned[1] / probe[1]:.1f} times by processors",
        flush=True,
    )


def now() -> np.ndarray:
    """Return the wall and processor seconds."""
    import numpy as np

    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--keras", help="an interpreter that has Keras on TensorFlow")
    parser.add_argument("--only", choices=["steps", "probe"])
    parser.add_argument("--backbone", action="append", help="for the second comparison")
    parser.add_argument("--serve", choices=["artnet", "timm", "timm-same"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_artnet() if options.serve == "artnet" else serve_timm(options.serve == "timm-same")
        return
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    if options.only != "probe":
        own = [sys.executable, __file__, "--serve"]
        with tempfile.TemporaryDirectory() as folder:
            keras = options.keras or keras_python(Path(folder))
            script = KERAS.format(size=SIZE_PX, classes=CLASSES, batch=BATCH)
            commands = {
                "artnet-2020": [*own, "artnet"],
                "keras": [keras, "-c", script],
                "timm train.py": [*own, "timm"],
                "timm, same tensors": [*own, "timm-same"],
            }
            seconds = race(commands, options.steps)
        own_wall, own_spent = seconds["artnet-2020"]
        print(f"{'a step of 32 images':22} {'wall s':>8} {'images/s':>11} {'ours is':>8} {'cpu s':>8} {'ours is':>8}")
        for name, (wall, spent) in seconds.items():
            print(
                f"{name:22} {wall:10.2f} {BATCH / wall:10.1f} {wall / own_wall:9.2f}x {spent:10.2f} "
                f"{spent / own_spent:9.2f}x"
            )
    if options.only != "steps":
        for backbone in options.backbone or ["mobilenet_edgetpu_100", "densenet121"]:
            probe_against_finetune(backbone, 2 * options.steps)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
