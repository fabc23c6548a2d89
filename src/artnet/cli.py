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
from artnet.app_command import serve_app
from artnet.console import Tally, print_answer, print_json, print_line, progress, say, take_any_name
from artnet.errors import ArtNetError, UsageError
from artnet.explain_command import explain
from artnet.options import (
    Against,
    DeviceChoice,
    EngineChoice,
    Faithfulness,
    Json,
    Model,
    NoPictures,
    Precision,
    PrecisionChoice,
    Runtime,
    Strangers,
    Views,
)
from artnet.training.requirements import check_installed

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help is printed in half the time
    pretty_exceptions_enable=False,
    help="Say which modern movement a painting belongs to, how sure one can be, and show why.",
)

app.command("app")(serve_app)
app.command()(explain)

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
def classify(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders or patterns.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a table: .csv, .jsonl or .parquet.")
    ] = None,
    as_json: Json = False,
    all_views: Annotated[
        bool, typer.Option("--all-views", help="Also compute the views whose vote has no weight.")
    ] = False,
    model: Model = None,
    runtime: Runtime = EngineChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Say which movement each painting belongs to."""
    from artnet.batch import classify_all
    from artnet.classify import Classifier
    from artnet.sources import holds_many
    from artnet.table import check_table_path, write_table

    if out is not None:
        if as_json:
            raise UsageError("--out writes a table and --json prints; give one of them")
        check_table_path(out)
    classifier = Classifier.load(model, runtime, precision)
    answers = classify_all(classifier, sources, "all" if all_views else "voting")
    tally = Tally()
    single = len(sources) == 1 and not holds_many(sources[0])
    with progress("classifying", shown=out is not None or not sys.stdout.isatty()) as advance:
        counted = tally.count(answers, advance)
        if out is not None:
            write_table(out, counted, classifier.config.movements)
        elif as_json:
            print_json(counted, single)
        else:
            for answer in counted:
                print_answer(answer)
    if not single or out is not None:
        say(f"{tally.total} pictures, {tally.failed} failed" + (f"; written to {out}" if out else ""))
    return 1 if tally.failed else 0


@app.command()
def prepare(
    paths: Annotated[list[Path], typer.Argument(metavar="SOURCE... OUT", help="Collections, then the new folder.")],
    split_by: Annotated[str, typer.Option("--split-by", help="artist or painting.")] = "artist",
    ratios: Annotated[str, typer.Option("--ratios", help="Shares of train, val and test.")] = "70:15:15",
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives another split.")] = 0,
    size_px: Annotated[int, typer.Option("--size-px", min=16, max=2048, help="Side of a view.")] = 256,
    fit: Annotated[
        str, typer.Option("--fit", help="letterbox or stretch: how the whole fills its view.")
    ] = "letterbox",
    taxonomy: Annotated[
        str, typer.Option("--taxonomy", help="artnet-2026, artnet-2020 or your own TOML file.")
    ] = "artnet-2026",
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="MOVEMENT", help="Leave a movement out; may be repeated.")
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option("--catalog", help="painter-by-numbers, wikiart, huggingface, folders or csv; else recognised."),
    ] = None,
) -> int:
    """Turn collections into a dataset with nothing leaking between its splits."""
    from artnet.console import print_audit
    from artnet.layouts import read_catalog
    from artnet.prepare import PrepareOptions, check_out
    from artnet.prepare import prepare as prepare_dataset
    from artnet.split import parse_ratios
    from artnet.taxonomy import load_taxonomy
    from artnet.taxonomy import without as leave_out
    from artnet.views import checked_fit

    if len(paths) < 2:
        raise UsageError("prepare needs at least one SOURCE and then OUT, the folder to make")
    options = PrepareOptions(
        size_px=size_px, fit=checked_fit(fit), split_by=split_by, ratios=parse_ratios(ratios), seed=seed
    )
    check_out(paths[-1], paths[:-1])
    kept = leave_out(load_taxonomy(taxonomy), without or [])
    catalogs = [read_catalog(path, catalog) for path in paths[:-1]]
    with progress("cutting views") as advance:
        summary = prepare_dataset(catalogs, paths[-1], kept, options, advance)
    print_audit(summary, paths[-1])
    return 0


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

    from artnet.training.fit import fit
    from artnet.training.loop import Watch
    from artnet.training.machine import FitOptions
    from artnet.training.recipe import adjusted, find_recipe
    from artnet.training.run import RunSettings

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
    strangers: Strangers = None,
    no_pictures: NoPictures = False,
    faithfulness: Faithfulness = 0,
    record: Annotated[bool, typer.Option("--record", help="Write the scores into the model folder's card.")] = False,
    as_json: Json = False,
    runtime: Runtime = EngineChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Measure a model on a prepared dataset."""
    from artnet.classify import Classifier
    from artnet.console import print_report
    from artnet.evaluate import EvaluateOptions, checked_views
    from artnet.evaluate import evaluate as evaluate_model
    from artnet.report import check_report_folder, record_scores, write_report

    if record and model is None:
        raise UsageError("--record writes into the model folder, so name it with --model FOLDER")
    check_report_folder(out)
    other = None if against is None else Classifier.load(against, runtime, precision)
    options = EvaluateOptions(checked_views(views), other, tuple(strangers or ()), not no_pictures, faithfulness)
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
    from artnet.classify import Classifier
    from artnet.gallery import GALLERY_FILE, write_gallery
    from artnet.training.export import export as export_run
    from artnet.training.export import read_facts
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

    from artnet.card import model_card
    from artnet.model import read_model

    folder, config = read_model(model)
    if as_json:
        print_line(json.dumps({"folder": str(folder), **asdict(config)}, ensure_ascii=False))
    else:
        print_line(f"{folder}\n")
        print_line(model_card(config).split("---\n", 2)[-1].strip())
    return 0


if __name__ == "__main__":
    main()
