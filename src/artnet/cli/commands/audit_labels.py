"""The `audit-labels` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import print_label_audit, print_message, progress_bar
from artnet.cli.options import Model, Precision, Runtime


def audit_labels(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for suspects.csv and suspects.html.")],
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """List the paintings of a prepared dataset whose labels look wrong."""
    from artnet.evaluation.labels.audit import audit_labels as audit_dataset
    from artnet.evaluation.labels.report import write_label_audit
    from artnet.evaluation.report import create_report_folder
    from artnet.model.classifier import Classifier

    create_report_folder(out)
    with progress_bar("embedding") as advance:
        audit = audit_dataset(Classifier.load(model, runtime, precision), data, advance)
    for warning in audit.warnings:
        print_message(f"artnet: warning: {warning}")
    write_label_audit(out, audit, data)
    print_label_audit(audit, out)
    return 0
