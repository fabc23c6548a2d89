"""Check that two checkouts give the same answers to the last bit: scores, embeddings' decisions, heatmaps, in float32.

    python benchmarks/same_answers.py write FILE.json IMAGE...
    python benchmarks/same_answers.py check FILE.json IMAGE...

Only public names are used, so that the same script runs in an older checkout (`PYTHONPATH=OLD/src`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from artnet import Classifier, explain


def answer_of(classifier: Classifier, path: Path) -> dict[str, Any]:
    """Return one image's scores as hexadecimal floats, and digests of its nine heatmaps."""
    prediction = classifier.classify(path, views="all")
    explanation = explain(classifier, path)
    heatmaps = {depth: np.ascontiguousarray(explanation.heatmap(depth)) for depth in range(1, 10)}
    return {
        "decision": prediction.decision,
        "scores": {name: score.hex() for name, score in prediction.scores.items()},
        "styles": {name: score.hex() for name, score in prediction.styles.items()},
        "views": {view.name: {name: score.hex() for name, score in view.scores.items()} for view in prediction.views},
        "size": [prediction.width, prediction.height],
        "heatmaps": {depth: hashlib.sha256(heatmap.tobytes()).hexdigest() for depth, heatmap in heatmaps.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["write", "check"])
    parser.add_argument("file", type=Path)
    parser.add_argument("images", type=Path, nargs="+")
    options = parser.parse_args()
    classifier = Classifier.load(precision="f32")
    answers = {path.name: answer_of(classifier, path) for path in sorted(options.images)}
    answers = json.loads(json.dumps(answers))
    if options.action == "write":
        options.file.write_text(json.dumps(answers, indent=1), encoding="utf-8")
        print(f"{len(answers)} answers written to {options.file}")
        return 0
    before = json.loads(options.file.read_text(encoding="utf-8"))
    different = [name for name in before.keys() | answers.keys() if before.get(name) != answers.get(name)]
    print(
        f"{len(answers)} answers, {len(different)} different{': ' if different else ''}{', '.join(sorted(different))}"
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
