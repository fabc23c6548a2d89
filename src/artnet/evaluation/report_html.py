"""Render report.json as report.html."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from artnet.html.charts import coverage_plot, reliability_plot
from artnet.html.render import render

_CALIBRATIONS = {"before": "With temperature 1", "after": "With the model's temperature"}


def report_page(report: Mapping[str, Any], thumbnails: Sequence[bytes] = ()) -> str:
    """Return an evaluation as one HTML page that refers to no other host.

    Args:
        report: What `Report.to_dict` returns, or report.json.
        thumbnails: A JPEG for each of the report's errors; without them the errors become a table.
    """
    return render("report.html.j2", report=report, thumbnails=thumbnails, charts=_charts(report))


def _charts(report: Mapping[str, Any]) -> dict[str, Any]:
    selective = report["selective"]
    return {
        "titles": _CALIBRATIONS,
        "calibration": {
            name: reliability_plot(
                entry["bins"]["counts"], entry["bins"]["accuracy"], f"{title}: accuracy by confidence"
            )
            for name, title in _CALIBRATIONS.items()
            for entry in [report["calibration"][name]]
        },
        "selective": coverage_plot(
            selective["curve_coverage"],
            selective["curve_accuracy"],
            (selective["coverage"]["value"], selective["accuracy"]["value"]),
            "accuracy over coverage, the most confident predictions first",
        ),
    }
