"""Compose an evaluation as one page that a person can read, print or send.

Knows nothing about how the figures came about, and no address of any other host: drawings and pictures lie in it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape

import numpy as np

from artnet.evaluation.evaluate import Report
from artnet.evaluation.scores import GroupScores
from artnet.evaluation.worst_errors import WorstError
from artnet.html.charts import coverage_plot, interval_bar, reliability_plot
from artnet.html.render import Html, figure, group, heat_table, page, paragraph, section, table
from artnet.metrics.bootstrap import Interval

_HEADLINES = {
    "accuracy": "share of right answers",
    "balanced_accuracy": "mean of the movements' recalls",
    "macro_f1": "mean of the movements' F1",
    "top_2_accuracy": "the truth is among the best two",
}
_WORDS = frozenset({"answers", "meaning", "style", "truth", "answer"})
_LAZY = {
    "majority": "always the movement commonest in train",
    "artist_oracle": "the artist's commonest movement in train",
    "chance": "drawing lots",
}
_DECISIONS = {
    "confident": "four of five were right on validation",
    "unsure": "under the threshold of confidence",
    "unfamiliar": "unlike the paintings that the model knows",
}


def report_page(report: Report) -> str:
    """Compose the report as one page."""
    intro = (
        f"{report.paintings} paintings of the {report.split} split of {report.data}; {report.protocol}. All "
        "ranges are 95 % intervals from 1,000 bootstrap samples of paintings."
    )
    sections = [
        *(paragraph(warning, "warning") for warning in report.warnings),
        _headlines(report),
        _movements(report),
        _confusion(report),
        _calibration(report),
        _selective(report),
        _ood(report),
        _comparison(report),
        _views(report),
        _groups(report),
        _fine_styles(report),
        _maps(report),
        _mistakes(report),
    ]
    return page(report.model, intro, [part for part in sections if part])


def _headlines(report: Report) -> Html:
    tiles = [
        Html(
            f'<div class="tile">{_named(name)}<b>{report.values[name].value:.3f}</b>'
            f"<small>{_range(report.values[name])}</small><br><small>{meaning}</small></div>"
        )
        for name, meaning in _HEADLINES.items()
    ]
    rows = [
        [_named(name), meaning, "cannot be told" if report.baselines[name] is None else f"{report.baselines[name]:.3f}"]
        for name, meaning in _LAZY.items()
    ]
    return Html(
        group("tiles", tiles)
        + table("What needs no eyes, for comparison", ["guesser", "answers", "accuracy"], rows, _WORDS)
    )


def _movements(report: Report) -> Html:
    rows = [
        [name, str(entry.paintings), *(_measured(share) for share in (entry.recall, entry.precision, entry.f1))]
        for name, entry in report.by_movement.items()
    ]
    head = ["movement", "paintings", "found (recall)", "right when answered (precision)", "F1"]
    return section("Movement by movement", [table("", head, rows)])


def _confusion(report: Report) -> Html:
    caption = "A row is the truth, a column the answer; percentages and colours are shares of the row."
    return section("What is taken for what", [heat_table(caption, report.movements, report.confusion)])


def _calibration(report: Report) -> Html:
    captions = {"before": "With temperature 1", "after": "As users get it"}
    drawings = [
        figure(
            reliability_plot(found.bins, f"{captions[name]}: accuracy by confidence"),
            f"{captions[name]}: expected calibration error {_value(found.error)}",
        )
        for name, found in report.calibration.items()
    ]
    said = (
        "Of the answers given with 70 % confidence, seven in ten should be right: then a bar ends at the dashed line. "
        "Below the axis, how many paintings each bar stands for. The temperature was chosen on validation."
    )
    return section("Does the confidence tell the truth?", [paragraph(said), group("pair", drawings)])


def _selective(report: Report) -> Html:
    found = report.selective
    drawing = coverage_plot(
        found.curve_coverage,
        found.curve_accuracy,
        (found.coverage.value, found.accuracy.value),
        "accuracy over the share of paintings answered, the surest first",
    )
    caption = (
        f"The model's own threshold, {found.threshold:.2f}, is marked: it answers {_value(found.coverage)} of the "
        f"paintings and gets {_value(found.accuracy)} of those right. The area under the risk-coverage curve is "
        f"{found.area:.3f}; lower is better."
    )
    rows = [
        [
            name,
            _DECISIONS[name],
            str(entry.paintings),
            f"{entry.paintings / report.paintings:.1%}",
            _value(entry.accuracy),
        ]
        for name, entry in report.by_decision.items()
    ]
    head = ["decision", "meaning", "paintings", "share", "share right"]
    parts = [group("pair", [figure(drawing, caption)]), table("What it says of its answers", head, rows, _WORDS)]
    return section("Answering only when sure", parts)


def _ood(report: Report) -> str:
    if not report.ood:
        return ""
    collections = sorted({name for entry in report.ood.values() for name in entry.auroc_by_collection})
    rows = [
        [
            name,
            str(entry.pictures),
            f"{entry.auroc:.3f}",
            *(_number(entry.auroc_by_collection.get(each, float("nan"))) for each in collections),
            f"{entry.called_unfamiliar:.1%}",
        ]
        for name, entry in report.ood.items()
    ]
    wrongly = report.by_decision["unfamiliar"].paintings if "unfamiliar" in report.by_decision else 0
    said = (
        "The chance that a picture of the folder is stranger to the model than a painting of the split (AUROC: 0.5 is "
        "none, 1 always), against all paintings and against those of each collection. Of the split's own paintings, "
        f"{wrongly} ({wrongly / report.paintings:.1%}) are called unfamiliar."
    )
    head = ["folder", "pictures", "AUROC", *(f"against {name}" for name in collections), "called unfamiliar"]
    return section("Does it notice what is no such painting?", [paragraph(said), table("", head, rows)])


def _comparison(report: Report) -> str:
    found = report.comparison
    if found is None:
        return ""
    rows = [
        [found.first, _value(found.first_accuracy), str(found.only_first)],
        [found.second, _value(found.second_accuracy), str(found.only_second)],
    ]
    said = (
        f"On the same paintings the difference in accuracy is {found.difference.value:+.3f} "
        f"({found.difference.low:+.3f} to {found.difference.high:+.3f}, paired). Both are right on {found.both_right}, "
        f"neither on {found.neither}. McNemar's exact test: p = {found.p_value:.2g}."
    )
    head = ["model", "accuracy", "right where the other errs"]
    return section("Against another model", [paragraph(said), table("", head, rows)])


def _views(report: Report) -> Html:
    said = "The whole painting, five regions at the painting's own resolution, and all six together."
    if "five regions alone" not in report.by_views:
        said += " The regions do not vote in this model and were not computed; --views all compares them."
    return section("What each view is worth", [paragraph(said), _group_table("views", report.by_views)])


def _groups(report: Report) -> Html:
    said = (
        "Each group by itself; balanced over the movements that it holds. Where all of a few paintings are answered "
        "alike, resampling them shows no doubt: read the counts."
    )
    rows = [
        [name, str(entry.paintings), interval_bar(entry.accuracy), _value(entry.accuracy)]
        for name, entry in report.by_style.items()
    ]
    styles = table("The collections' own styles", ["style", "paintings", "", "found (recall)"], rows)
    return section(
        "By collection and style", [paragraph(said), _group_table("collection", report.by_collection), styles]
    )


def _fine_styles(report: Report) -> str:
    found = report.styles
    if found is None:
        return ""
    rows = [
        [
            name,
            str(entry.paintings),
            "none to find" if entry.average_precision is None else f"{entry.average_precision:.3f}",
            f"{entry.share:.3f}",
        ]
        for name, entry in found.by_style.items()
    ]
    said = (
        f"The second head scores each fine style for itself. Mean average precision {found.mean:.3f} on the "
        f"{found.paintings} paintings whose style it knows; drawing lots would give the share of positives, "
        f"{found.mean_share:.3f}. A painting counts for the one style that its collection names."
    )
    head = ["style", "paintings", "average precision", "drawing lots"]
    return section("Fine styles", [paragraph(said), table("", head, rows)])


def _group_table(what: str, groups: Mapping[str, GroupScores]) -> Html:
    rows = [
        [name, str(entry.paintings), _value(entry.accuracy), _value(entry.balanced_accuracy)]
        for name, entry in groups.items()
    ]
    return table("", [what, "paintings", "accuracy", "balanced accuracy"], rows)


def _maps(report: Report) -> Html:
    """Say whether the maps of evidence show what the model used."""
    if not report.maps:
        return Html("")
    head = ["depth", "deletion", "insertion", "gain over random", "with shuffled weights", "answer"]
    rows = [
        [
            str(found.depth),
            f"{found.deletion:.3f}",
            f"{found.insertion:.3f}",
            f"{found.gain:+.3f} ± {found.error:.3f}",
            f"{found.shuffled_correlation:+.2f}",
            "passes" if found.passes else "fails",
        ]
        for found in report.maps
    ]
    caption = f"Maps of evidence ({report.maps[0].method}) on {report.maps[0].paintings} paintings"
    return Html(
        table(caption, head, rows, _WORDS)
        + paragraph("Areas under the score as evidence is deleted or inserted; ± is the standard error of the gain.")
    )


def _mistakes(report: Report) -> str:
    if not report.mistakes:
        return ""
    said = f"The {len(report.mistakes)} wrong answers given with the highest confidence."
    if any(mistake.picture for mistake in report.mistakes):
        items = "\n".join(_pictured(mistake) for mistake in report.mistakes)
        return section("The surest mistakes", [paragraph(said), Html(f'<ol class="pictures">{items}</ol>')])
    rows = [
        [mistake.source, mistake.style.replace("_", " "), mistake.truth, mistake.answer, f"{mistake.confidence:.0%}"]
        for mistake in report.mistakes
    ]
    head = ["source", "style", "truth", "answer", "confidence"]
    return section("The surest mistakes", [paragraph(said), table("", head, rows, _WORDS)])


def _pictured(mistake: WorstError) -> str:
    data = b64encode(mistake.picture or b"").decode()
    style = mistake.style.replace("_", " ")
    truth = mistake.truth if style == mistake.truth else f"{mistake.truth} ({style})"
    return (
        f'<li><img alt="{escape(mistake.source)}" src="data:image/jpeg;base64,{data}">'
        f'<span class="answer">{escape(mistake.answer)} {mistake.confidence:.0%}</span><br>'
        f'is {escape(truth)}<br><span class="note">{escape(mistake.source)}</span></li>'
    )


def _named(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "none"


def _range(entry: Interval) -> str:
    return f"{entry.low:.3f} to {entry.high:.3f}" if np.isfinite(entry.value) else ""


def _value(entry: Interval) -> str:
    return f"{entry.value:.3f} ({_range(entry)})" if np.isfinite(entry.value) else "none to find"


def _measured(entry: Interval) -> Html:
    if not np.isfinite(entry.value):
        return Html("none to find")
    return Html(f"{interval_bar(entry)}<br>{entry.value:.3f} <small>{_range(entry)}</small>")
