"""The commands: parse, call one function, print.

Knows nothing itself; every import that costs time stands inside the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from artnet import __version__
from artnet.cli.app import serve_app
from artnet.cli.classify import classify
from artnet.cli.console import print_line, progress, say, take_any_name
from artnet.cli.explain import explain
from artnet.cli.options import (
    Against,
    DeviceChoice,
    Faithfulness,
    Json,
    Model,
    NoPictures,
    OodScores,
    Precision,
    PrecisionChoice,
    Runtime,
    RuntimeChoice,
    Views,
)
from artnet.cli.prepare import prepare
from artnet.cli.similar import index, similar
from artnet.errors import ArtNetError, UsageError
from artnet.training.requirements import check_installed

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help is printed in half the time
    pretty_exceptions_enable=False,
    help="Say which modern movement a painting belongs to, how sure one can be, and show why.",
)

app.command("app")(serve_app)
app.command()(classify)
app.command()(explain)
app.command()(index)
app.command()(similar)
app.command()(prepare)

INTERRUPTED = 130
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")  # how launchers number processes that train together


def main() -> None:
    """Run the command line; every error that a user can meet becomes one sentence and an exit code."""
    import warnings

    take_any_name()
    warnings.filterwarnings("ignore", module="PIL")  # what a damaged file needs said, our errors say
    try:
        code = app(standalone_mode=False) or 0
    except ArtNetError as error:
        say(f"artnet: {error}")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # Typer's own usage errors have it
            raise
        say(f"artnet: {error.format_message()}")
        sys.exit(getattr(error, "exit_code", 2))
    if code == INTERRUPTED:
        say("artnet: interrupted")
    sys.exit(code)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Say which modern movement a painting belongs to, how sure one can be, and show why."""
    if show:
        print_line(__version__)
        raise typer.Exit


@app.command()
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="The run folder to make.")],
    recipe: Annotated[str, typer.Option("--recipe", help="Named settings, see docs/train.md.")] = "finetune",
    backbone: Annotated[
        str | None, typer.Option("--backbone", help="Any name that timm knows; else the recipe's or densenet121.")
    ] = None,
    weights: Annotated[
        str, typer.Option("--weights", metavar="FILE|pretrained|none", help="Where the backbone starts from.")
    ] = "pretrained",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Instead of the recipe's.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change one of the recipe's settings.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31, help="Decides every random choice.")] = 0,
    device: Annotated[DeviceChoice, typer.Option("--device", help="Where to train.")] = DeviceChoice.auto,
    devices: Annotated[int, typer.Option("--devices", min=1, help="Train on so many at once (DDP).")] = 1,
    num_nodes: Annotated[int, typer.Option("--num-nodes", min=1, help="Machines that train together.")] = 1,
    checkpoint_every: Annotated[
        float, typer.Option("--checkpoint-every", metavar="MINUTES", min=0, help="Keep a state so often.")
    ] = 5.0,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes that decode views.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in RUN.")] = False,
    precision: Annotated[
        PrecisionChoice, typer.Option("--precision", help="auto: bf16 where the device computes in it; or f32.")
    ] = PrecisionChoice.auto,
) -> int:
    """Train a network on a prepared dataset."""
    check_installed()
    import dataclasses

    from artnet.training.devices import FitOptions
    from artnet.training.fit import fit
    from artnet.training.recipe import adjusted, find_recipe
    from artnet.training.run import RunSettings
    from artnet.training.trainer import Watch

    settings = adjusted(find_recipe(recipe), changes or [])
    if epochs is not None:
        settings = dataclasses.replace(settings, epochs=epochs)
    name = backbone or settings.backbone or "densenet121"
    run = RunSettings(backbone=name, weights=weights, recipe_name=recipe, recipe=settings, seed=seed)
    options = FitOptions(device, devices, num_nodes, workers, resume, 60 * checkpoint_every, precision)
    is_first = not any(os.environ.get(rank, "0") != "0" for rank in RANKS)
    with progress("training", shown=is_first) as advance:
        watch = Watch(
            on_step=lambda step: advance(step.done, step.total, step.line),
            on_epoch=lambda scores: print_line(scores.line) if is_first else None,
            on_embedded=lambda done, total: advance(done, total, "embedding"),
            on_note=lambda note: say(f"artnet: warning: {note}") if is_first else None,
        )
        fit(data, out, run, options, watch)
    if is_first:
        print_line(f"trained; make a model folder with: artnet export {out} --out FOLDER")
    return 0


@app.command()
def evaluate(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where report.json, report.html ... go.")],
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "test",
    model: Model = None,
    views: Views = "voting",
    against: Against = None,
    ood: OodScores = None,
    no_pictures: NoPictures = False,
    faithfulness: Faithfulness = 0,
    record: Annotated[bool, typer.Option("--record", help="Write the scores into the model folder's card.")] = False,
    as_json: Json = False,
    runtime: Runtime = RuntimeChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Measure a model on a prepared dataset."""
    from artnet.cli.console import print_report
    from artnet.evaluation.evaluate import EvaluateOptions, checked_views
    from artnet.evaluation.evaluate import evaluate as evaluate_model
    from artnet.evaluation.report import check_report_folder, record_scores, write_report
    from artnet.model.classifier import Classifier

    if record and model is None:
        raise UsageError("--record writes into the model folder, so name it with --model FOLDER")
    check_report_folder(out)
    other = None if against is None else Classifier.load(against, runtime, precision)
    options = EvaluateOptions(checked_views(views), other, tuple(ood or ()), not no_pictures, faithfulness)
    with progress("answering") as advance:
        report = evaluate_model(Classifier.load(model, runtime, precision), data, split, options, advance)
    for warning in report.warnings:
        say(f"artnet: warning: {warning}")
    write_report(out, report)
    if record and model is not None:
        record_scores(model, report)
    if as_json:
        print_line(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        print_report(report)
        print_line(f"{report.paintings} paintings; report in {out}")
    return 0


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The model folder to make.")],
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="FILE.toml", help="What the model card says of licences and limits."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DATA", help="The run's dataset, where it has been moved.")
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option("--gallery", metavar="DATA", help="Also keep what excites channels; holds parts of pictures."),
    ] = None,
) -> int:
    """Turn a finished run into a model folder."""
    check_installed()
    from artnet.attribution.exemplars import GALLERY_FILE
    from artnet.evaluation.exemplars import write_gallery
    from artnet.model.classifier import Classifier
    from artnet.training.export.export import export as export_run
    from artnet.training.export.export import read_facts
    from artnet.training.run import open_run

    known = None if facts is None else read_facts(facts)
    with progress("calibrating") as advance:
        agreement = export_run(open_run(run), out, known, data, advance)
    print_line(
        f"{out}: agrees with autograd on {agreement.pictures} pictures; relative L2 distance of logits and "
        f"activations {agreement.forward:.1e}, of gradients {agreement.gradient:.1e}"
    )
    if gallery is not None:
        with progress("looking for patches") as advance:
            patches = write_gallery(Classifier.load(out), out, gallery, advance)
        print_line(f"{patches} patches in {out / GALLERY_FILE}; they are parts of the dataset's pictures")
    return 0


@app.command()
def info(model: Model = None, as_json: Json = False) -> int:
    """Describe a model folder: movements, views, layers, scores."""
    from dataclasses import asdict

    from artnet.model.card import model_card
    from artnet.model.config import read_model

    folder, config = read_model(model)
    if as_json:
        print_line(json.dumps({"folder": str(folder), **asdict(config)}, ensure_ascii=False))
    else:
        print_line(f"{folder}\n")
        print_line(model_card(config).split("---\n", 2)[-1].strip())
    return 0


if __name__ == "__main__":
    main()
