"""The `evaluate` command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from artnet.cli.console import print_line, print_message, print_report, progress_bar
from artnet.cli.options import Json, Model, Precision, Runtime
from artnet.errors import UsageError


def evaluate(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for report.json, report.html ...")],
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "test",
    model: Model = None,
    views: Annotated[
        Literal["voting", "all"], typer.Option("--views", help="voting, or all six to compare them.")
    ] = "voting",
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FOLDER", help="A second model folder to compare with.")
    ] = None,
    ood: Annotated[
        list[str] | None,
        typer.Option("--ood", metavar="FOLDER", help="Out-of-distribution images; may be repeated."),
    ] = None,
    no_images: Annotated[
        bool, typer.Option("--no-images", help="List the most confident errors without their images.")
    ] = False,
    faithfulness: Annotated[
        int, typer.Option("--faithfulness", metavar="N", min=0, help="Test the explanations of N paintings.")
    ] = 0,
    record: Annotated[bool, typer.Option("--record", help="Write the scores into the model folder's card.")] = False,
    as_json: Json = False,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Evaluate a model on a prepared dataset."""
    from artnet.evaluation.evaluate import EvaluateOptions
    from artnet.evaluation.evaluate import evaluate as evaluate_model
    from artnet.evaluation.report import create_report_folder, record_scores, write_report
    from artnet.model.classifier import Classifier

    if record and model is None:
        raise UsageError("--record writes into the model folder, so name it with --model FOLDER")
    create_report_folder(out)
    second = None if against is None else Classifier.load(against, runtime, precision)
    options = EvaluateOptions(views, second, tuple(ood or ()), not no_images, faithfulness)
    with progress_bar("evaluating") as advance:
        evaluation = evaluate_model(Classifier.load(model, runtime, precision), data, split, options, advance)
    report = evaluation.report
    for warning in report.meta.warnings:
        print_message(f"artnet: warning: {warning}")
    write_report(out, evaluation)
    if record and model is not None:
        record_scores(model, report)
    if as_json:
        print_line(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        print_report(report)
        print_line(f"{report.meta.paintings} paintings; report in {out}")
    return 0
