"""Write an audit as a page that a person can read.

Knows nothing but audit.json: every figure is taken from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from artnet.html.render import page, table

_SHOWN = 50  # pairs and styles; all of them stand in audit.json


def audit_page(name: str, summary: Mapping[str, Any]) -> str:
    """Compose the page from an audit as `audit.audit` gives it."""
    intro = (
        f"{summary['paintings']} paintings, {summary['without_artist']} of them by nobody known; "
        f"{sum(summary['rejected'].values())} files were left out. {_leaks(summary)}"
    )
    sections = [
        _splits(summary),
        _stratification(summary["stratification"]),
        _baselines(summary["baselines"]),
        _facets(summary["facets"]),
        _pairs("Near-duplicates under two movements", summary["near_duplicates"]["under_two_movements"]),
        _pairs("Near-duplicates under two artists", summary["near_duplicates"]["under_two_artists"]),
        _counts("Left out, by reason", summary["rejected"]),
        _counts("Styles", summary["styles"]),
        _counts("Styles of no movement, left out", summary["styles_of_no_movement"]),
    ]
    return page(name, intro, [section for section in sections if section])


def _leaks(summary: Mapping[str, Any]) -> str:
    artists, near = len(summary["artists_across_splits"]), summary["near_duplicates"]
    return (
        f"{artists} artists stand in more than one split. {near['pairs']} pairs of near-duplicates were found, "
        f"copies of {len(near['groups'])} paintings; of "
        f"{len(near['across_splits'])} of them one was left out, because they would have stood in two splits."
    )


def _splits(summary: Mapping[str, Any]) -> str:
    splits = summary["splits"]
    rows = [[name, *(str(splits[split].get(name, 0)) for split in splits)] for name in summary["movements"]]
    return table("Paintings by movement and split", ["movement", *splits], rows)


def _stratification(found: Mapping[str, Any]) -> str:
    wanted, uneven = found["wanted"], {(each["movement"], each["split"]) for each in found["warnings"]}
    rows = [["wanted", *(f"{share:.1%}" for share in wanted.values()), "", "", ""]]
    for name, each in found["movements"].items():
        shares = [f"{share:.1%}{' !' * ((name, split) in uneven)}" for split, share in each["shares"].items()]
        largest, groups = each["largest_group"], f"{each['groups']} ({each['effective_groups']:.1f})"
        rows.append([name, *shares, groups, largest["name"] or "none has a name", f"{largest['share']:.1%}"])
    caption = (
        "How evenly the splits divide each movement; the effective number of groups in brackets; "
        "! marks a share off by more than half of what was wanted, or fewer than 20 paintings"
    )
    return table(caption, ["movement", *wanted, "groups", "largest group", "its share"], rows)


def _baselines(baselines: Mapping[str, float | None]) -> str:
    rows = [[name.replace("_", " "), "-" if score is None else f"{score:.3f}"] for name, score in baselines.items()]
    return table("What a lazy guesser scores on test (accuracy)", ["guesser", "accuracy"], rows)


def _facets(facets: Mapping[str, Mapping[str, Any]]) -> str:
    movements = list(next(iter(facets.values()))["medians"])
    rows = []
    for name, facet in facets.items():
        score = facet["balanced_accuracy"]
        verdict = "gives the movement away" if facet["gives_away"] else "no"
        medians = [f"{facet['medians'][movement]:.3g}" for movement in movements]
        rows.append([name.replace("_", " "), *medians, "-" if score is None else f"{score:.2f}", verdict])
    head = ["median of", *movements, "balanced accuracy", "warning"]
    return table("What the files alone tell of the movement", head, rows)


def _pairs(caption: str, pairs: Sequence[Sequence[str]]) -> str:
    return table(caption, ["one", "the other"], pairs[:_SHOWN]) if pairs else ""


def _counts(caption: str, counts: Mapping[str, int]) -> str:
    rows = [[name, str(count)] for name, count in list(counts.items())[:_SHOWN]]
    return table(caption, ["", "count"], rows) if rows else ""
