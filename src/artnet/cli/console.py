"""Output of the commands: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from artnet.batch.job import Progress, Summary
    from artnet.batch.journal import Journal
    from artnet.batch.predict import Result
    from artnet.evaluation.labels.audit import LabelAudit
    from artnet.evaluation.report import Report
    from artnet.metrics.bootstrap import Interval
    from artnet.model.prediction import Prediction
    from artnet.teaching.corrections import Corrected
    from artnet.teaching.teach import Taught

_STYLES_SHOWN = 3
Advance = Callable[..., None]  # (done, total, description) with the last two optional


@dataclass
class ResultCounter:
    """Number of results, of failures among them, and of files passed over."""

    total: int = 0
    failed: int = 0
    hidden: int = 0

    def hide(self, name: str) -> None:
        """Count a file or folder that is passed over."""
        self.hidden += 1

    def count(self, results: Iterable[Result], advance: Advance) -> Iterator[Result]:
        """Pass results on, counting them and printing each failure on standard error."""
        for result in results:
            self.total += 1
            if result.error is not None:
                self.failed += 1
                print_message(f"artnet: {result.error}")
            advance(self.total)
            yield result


def escape_unencodable() -> None:
    """Print characters that the encoding of standard output or error lacks as escapes, in place of an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_message(message: str) -> None:
    """Print a message on standard error."""
    print(message, file=sys.stderr)


class _WarningPrinter(logging.Handler):
    """Print each warning of the library once, on standard error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._printed:
            self._printed.add(message)
            print_message(f"artnet: warning: {message}")


def print_warnings() -> None:
    """Print what the library warns of."""
    logging.getLogger("artnet").handlers = [_WarningPrinter()]


def print_line(text: str) -> None:
    """Print a line on standard output, unbuffered."""
    print(text, flush=True)


def hidden_note(count: int) -> str:
    """Return the end of a line that says how many files and folders were passed over, empty where none was."""
    return f", {count} hidden or system files passed over" if count else ""


def print_summary(summary: Summary) -> None:
    """Print, on standard error, a line each for movements, decisions and failures, where there are any."""
    predicted = summary.movements.total()
    if predicted:
        print_message("movements: " + ", ".join(f"{name} {count}" for name, count in summary.movements.most_common()))
        shares = (f"{count / predicted:.1%} {name}" for name, count in summary.decisions.most_common())
        print_message("decisions: " + ", ".join(shares))
    if summary.failures:
        print_message("failures: " + ", ".join(f"{count} {kind}" for kind, count in summary.failures.most_common()))


def prediction_line(prediction: Prediction) -> str:
    """Return one line of source, movement, confidence, decision and all scores, then the likely styles."""
    from artnet.model.prediction import decision_words, ranked  # brings NumPy, which `artnet --help` does without

    scores = ", ".join(f"{movement} {prediction.scores[movement]:.2f}" for movement in ranked(prediction.scores))
    verdict = decision_words(prediction)
    line = f"{prediction.source}: {prediction.movement} {prediction.confidence:.0%} ({verdict})  [{scores}]"
    styles = ", ".join(f"{style} {prediction.styles[style]:.2f}" for style in prediction.likely_styles[:_STYLES_SHOWN])
    return f"{line}  styles: {styles}" if styles else line


def print_audit(summary: Mapping[str, Any], folder: Path) -> None:
    """Print what a prepared dataset holds; what its audit warns of goes to standard error."""
    for split, counts in summary["splits"].items():
        print_line(f"{split:5} " + "  ".join(f"{name} {count}" for name, count in counts.items()))
    for name, facet in ((name, facet) for name, facet in summary["facets"].items() if facet["is_shortcut"]):
        medians = ", ".join(f"{movement} {value:.3g}" for movement, value in facet["medians"].items())
        print_message(
            f"artnet: warning: {name.replace('_', ' ')} alone predicts the movement, with a balanced accuracy of "
            f"{facet['balanced_accuracy']:.2f} ({1 / len(facet['medians']):.2f} at random); medians: {medians}; "
            "see audit.html"
        )
    uneven = [
        f"{share['split']} has {share['paintings']} of {share['movement']} "
        f"({share['share']:.0%}, requested {share['ratio']:.0%})"
        for share in summary["stratification"]["warnings"]
    ]
    if uneven:
        more = f" and {len(uneven) - 3} more" if len(uneven) > 3 else ""
        print_message(
            f"artnet: warning: few paintings, or not the requested share: {', '.join(uneven[:3])}{more}; see audit.html"
        )
    if unmatched := summary["unmatched_exclusions"]:
        print_message(
            f"artnet: warning: {len(unmatched)} lines of --exclude name no painting of these collections, the first is "
            f"line {unmatched[0]}"
        )
    left_out = sum(summary["rejected"].values())
    print_line(f"{summary['paintings']} paintings in {folder}; {left_out} left out, see rejected.csv and audit.html")


def print_label_audit(audit: LabelAudit, folder: Path) -> None:
    """Print how many suspects there are of each kind, the most frequent first."""
    kinds = Counter((suspect.labelled, suspect.suggested) for suspect in audit.suspects)
    for (labelled, suggested), count in kinds.most_common():
        print_line(f"{count:6} labelled {labelled}, look like {suggested}")
    print_line(f"{len(audit.suspects)} of {audit.paintings} labels look wrong; see suspects.html in {folder}")


def print_taught(taught: Taught, unused: int, folder: Path) -> None:
    """Print how well each class is recognised by heads that had not seen its images, with 95 % intervals."""
    scores = taught.scores
    for name, count, recall in zip(taught.config.movements, scores.counts, scores.recalls, strict=True):
        found = f"found {_with_ends(recall)}" if recall.known else "learnt, but too few to be measured"
        print_line(f"{name:24} {count:6} images, {found}")
    print_line(f"{'accuracy':24} {_with_ends(scores.accuracy)}, out of fold")
    print_line(f"{'balanced accuracy':24} {_with_ends(scores.balanced_accuracy)}, out of fold")
    if taught.without_ranges:
        from artnet.teaching.teach import MIN_RANGED

        names = ", ".join(taught.without_ranges)
        print_line(f"no ranges of properties for {names}: they need {MIN_RANGED} images of a class")
    left_out = f"; {unused} images are not learnt" if unused else ""
    print_line(f"{sum(scores.counts)} images in {len(scores.counts)} classes taught to {folder}{left_out}")


def print_corrected(corrected: Corrected, folder: Path) -> None:
    """Print what corrections changed."""
    print_line(f"{corrected.learnt} of {corrected.corrections} corrected images are now predicted as corrected")
    print_line(f"{corrected.forgotten:.1%} of other predictions change, as the training images' statistics tell")
    print_line(f"corrected model in {folder}")


def _with_ends(interval: Interval) -> str:
    if not interval.known:
        return "not measured"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def print_report(report: Report) -> None:
    """Print an evaluation's scores, one a line; all of them are in the report's files."""
    for name, entry in report.overall.items():
        print_line(f"{name.replace('_', ' '):24} {entry.value:.3f}  ({entry.low:.3f} to {entry.high:.3f})")
    for name, movement in report.groups.by_movement.items():
        recall = f"recall {movement.recall.value:.3f} of" if movement.paintings else "none in the data,"
        print_line(f"{name:24} {recall} {movement.paintings} paintings")
    if (sets := report.sets) is not None:
        coverage, size = sets.overall.coverage, sets.overall.size
        print_line(
            f"{'prediction sets':24} {coverage.value:.3f} hold the true movement ({coverage.low:.3f} to "
            f"{coverage.high:.3f}), {size.value:.2f} movements on average"
        )
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


def print_json(results: Iterable[Result], is_single: bool) -> None:
    """Print one object for a single image, otherwise a list, item by item as they come."""
    if is_single:
        for result in results:
            print_line(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    print_line("[")
    separator = ""
    for result in results:
        print_line(separator + json.dumps(result.to_dict(), ensure_ascii=False))
        separator = ","
    print_line("]")


@contextmanager
def batch_progress(journal: Journal) -> Iterator[Callable[[Progress], None]]:
    """Print failures, and how to resume if the block is stopped; on a terminal also show a bar with rate and time left.

    What the block yields is the `on_progress` of `run_job`.
    """
    from artnet.errors import ImageError, SourceError, StoppedError

    with _batch_bar() as update:

        def on_progress(progress: Progress) -> None:
            if progress.error is not None:
                print_message(f"artnet: {progress.error}")
            update(progress)

        try:
            yield on_progress
        except KeyboardInterrupt:
            if not journal.row_count:
                raise
            raise StoppedError(f"stopped; {_kept(journal)}") from None
        except (SourceError, ImageError):
            if journal.row_count:
                print_message(_kept(journal))
            raise


def _kept(journal: Journal) -> str:
    return f"{journal.row_count} rows are kept; continue by the same command with --resume"


@contextmanager
def _batch_bar() -> Iterator[Callable[[Progress], None]]:
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    with _rich_bar("{task.fields[rate]}, {task.fields[failed]} failed, time left") as bar:
        task = bar.add_task("classifying", total=None, rate="starting", failed=0)
        resumed: int | None = None  # rows of an earlier run do not count for the rate
        started = time.monotonic()

        def update(progress: Progress) -> None:
            nonlocal resumed
            resumed = progress.done if resumed is None else resumed
            rate = (progress.done - resumed) / max(time.monotonic() - started, 1e-3)
            bar.update(
                task, completed=progress.done, total=progress.total, rate=f"{rate:.1f}/s", failed=progress.failed
            )

        yield update


@contextmanager
def progress_bar(description: str, shown: bool = True) -> Iterator[Advance]:
    """Show a progress bar on standard error while the block runs, where that is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield lambda done, total=None, note=None: None
        return
    with _rich_bar() as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total=None, note=None: bar.update(
            task, completed=done, total=total, description=note or description
        )


def _rich_bar(details: str = "") -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    description, facts = TextColumn("{task.description}"), TextColumn(details)
    columns = (description, BarColumn(), MofNCompleteColumn(), facts, TimeRemainingColumn())
    # Rich would otherwise catch what goes to standard output and print it on the terminal, redirected or not.
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
