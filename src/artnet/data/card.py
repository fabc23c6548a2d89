"""Compose the card of a prepared dataset."""

from __future__ import annotations

from typing import Any

from artnet.data.dataset import DatasetInfo


def dataset_card(info: DatasetInfo, summary: dict[str, Any]) -> str:
    """Compose the card of a prepared dataset from its description and its audit."""
    lines = ["---", "task_categories: [image-classification]", "configs:", "- config_name: default"]
    lines += ["  data_files:"]
    lines += [
        f"  - split: {split}\n    path: {split}-*.parquet" for split, counts in summary["splits"].items() if counts
    ]
    lines += [
        "---",
        "",
        f"# {info.name}",
        "",
        f"{summary['paintings']} paintings, prepared with `artnet prepare` (taxonomy {info.taxonomy}, views of "
        f"{info.size_px} px, {info.fit}, split by {info.split_by}, seed {info.seed}).",
        "",
        "| movement | " + " | ".join(summary["splits"]) + " |",
        "| --- |" + " ---: |" * len(summary["splits"]),
    ]
    for movement in info.movements:
        counts = (str(counts.get(movement, 0)) for counts in summary["splits"].values())
        lines.append(f"| {movement} | {' | '.join(counts)} |")
    lines += [
        "",
        "The pictures keep their makers' rights; see where they came from in the column `source`.",
        "",
    ]
    return "\n".join(lines)
