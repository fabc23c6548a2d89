"""What the commands print: answers on standard output, progress and messages on standard error.

Knows nothing about how answers come about.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artnet.batch.predict import Result
    from artnet.evaluation.report import Report
    from artnet.model.prediction import Prediction

_STYLES_SHOWN = 3
Advance = Callable[..., None]  # (done, total, what) with the last two optional
PicturesSeen = Callable[[int, int, int | None], None]  # done, failed, and how many there are, where that is known


@dataclass
class Tally:
    """How many pictures were answered and how many failed."""

    total: int = 0
    failed: int = 0

    def count(self, answers: Iterable[Result], advance: Advance) -> Iterator[Result]:
        """Count answers as they pass, saying each failure on standard error."""
        for answer in answers:
            self.total += 1
            if answer.error is not None:
                self.failed += 1
                print_message(f"artnet: {answer.error}")
            advance(self.total)
            yield answer


def escape_unencodable() -> None:
    """Let standard output and error print names that their encoding lacks, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_message(message: str) -> None:
    """Print a message for a person on standard error."""
    print(message, file=sys.stderr)


def print_line(text: str) -> None:
    """Print a line on standard output at once."""
    print(text, flush=True)


def print_answer(answer: Result) -> None:
    """Print one line for a source; a failure was said on standard error already."""
    if answer.prediction is not None:
        print_line(prediction_line(answer.prediction))


def prediction_line(prediction: Prediction) -> str:
    """Put a prediction in one line: source, movement, confidence, decision, all scores, then the likely styles."""
    ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
    scores = ", ".join(f"{movement} {score:.2f}" for movement, score in ranked)
    unsure = f"unsure: {ranked[0][0]} or {ranked[1][0]}"
    verdict = unsure if prediction.decision == "unsure" else prediction.decision
    line = f"{prediction.source}: {prediction.movement} {prediction.confidence:.0%} ({verdict})  [{scores}]"
    likely = sorted((item for item in prediction.styles.items() if item[1] >= 0.5), key=lambda item: -item[1])
    styles = ", ".join(f"{style} {score:.2f}" for style, score in likely[:_STYLES_SHOWN])
    return f"{line}  styles: {styles}" if styles else line


def print_audit(summary: Mapping[str, Any], folder: Path) -> None:
    """Print what a prepared dataset holds; what its audit warns of goes to standard error."""
    for split, counts in summary["splits"].items():
        print_line(f"{split:5} " + "  ".join(f"{name} {count}" for name, count in counts.items()))
    for facet in (name for name, found in summary["facets"].items() if found["gives_away"]):
        print_message(f"artnet: warning: {facet.replace('_', ' ')} alone tells movements apart; see audit.html")
    uneven = [
        f"{each['split']} has {each['paintings']} of {each['movement']} "
        f"({each['share']:.0%}, requested {each['wanted']:.0%})"
        for each in summary["stratification"]["warnings"]
    ]
    if uneven:
        more = f" and {len(uneven) - 3} more" if len(uneven) > 3 else ""
        print_message(
            f"artnet: warning: few, or far from the shares wanted: {', '.join(uneven[:3])}{more}; see audit.html"
        )
    left_out = sum(summary["rejected"].values())
    print_line(f"{summary['paintings']} paintings in {folder}; {left_out} left out, see rejected.csv and audit.html")


def print_report(report: Report) -> None:
    """Print an evaluation's scores, one a line; all of them are in the report's files."""
    for name, entry in report.overall.items():
        print_line(f"{name.replace('_', ' '):24} {entry.value:.3f}  ({entry.low:.3f} to {entry.high:.3f})")
    for name, movement in report.groups.by_movement.items():
        recall = f"recall {movement.recall.value:.3f} of" if movement.paintings else "none in the data,"
        print_line(f"{name:24} {recall} {movement.paintings} paintings")
    if report.styles is not None:
        random = report.styles.mean_share
        print_line(f"{'fine styles':24} {report.styles.mean:.3f} mean average precision, {random:.3f} at random")
    for name, group in report.groups.by_decision.items():
        share = group.paintings / report.meta.paintings
        print_line(f"{name:24} {share:.3f} of the predictions, accuracy {group.accuracy.value:.3f}")
    for name, ood in report.ood.items():
        print_line(f"{name:24} AUROC {ood.auroc:.3f}, {ood.detection_rate:.3f} called unfamiliar")
    if (comparison := report.comparison) is not None:
        print_line(
            f"against {comparison.second}: {comparison.difference.value:+.3f} accuracy, "
            f"p = {comparison.p_value:.2g} (McNemar)"
        )


def print_json(answers: Iterable[Result], single: bool) -> None:
    """Print one object for a single source, otherwise a list, item by item as they come."""
    if single:
        for answer in answers:
            print_line(json.dumps(answer.to_dict(), ensure_ascii=False))
        return
    print_line("[")
    comma = ""
    for answer in answers:
        print_line(comma + json.dumps(answer.to_dict(), ensure_ascii=False))
        comma = ","
    print_line("]")


@contextmanager
def batch_progress(shown: bool = True) -> Iterator[PicturesSeen]:
    """Show how many pictures are done, how fast, how many failed and how long it will take, where that is seen."""
    if not (shown and sys.stderr.isatty()):
        yield lambda done, failed, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    facts = TextColumn("{task.fields[rate]}, {task.fields[failed]} failed, time left")
    parts = (TextColumn("classifying"), BarColumn(), MofNCompleteColumn(), facts, TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=None, rate="starting", failed=0)
        first: int | None = None  # those that an earlier run did are no measure of the rate
        started = time.monotonic()

        def seen(done: int, failed: int, total: int | None) -> None:
            nonlocal first
            first = done if first is None else first
            rate = (done - first) / max(time.monotonic() - started, 1e-3)
            bar.update(task, completed=done, total=total, rate=f"{rate:.1f}/s", failed=failed)

        yield seen


@contextmanager
def progress_bar(what: str, shown: bool = True) -> Iterator[Advance]:
    """Show one line of progress on standard error while the block runs, where that is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield lambda done, total=None, note=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Rich would otherwise catch what goes to standard output and print it on the terminal, redirected or not.
    with Progress(*parts, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total=None, note=None: bar.update(
            task, completed=done, total=total, description=note or what
        )
