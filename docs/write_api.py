"""Write docs/api.md from the API's OpenAPI document; a test says when that is due."""

from __future__ import annotations

from pathlib import Path

from artnet.model.classifier import Classifier
from artnet.serving.api.api_page import markdown
from artnet.serving.api.app import create_api
from artnet.serving.api.openapi import document
from artnet.serving.work_queue import ClassifierQueue

HEAD = "<!-- Written by docs/write_api.py from the OpenAPI document; change that, not this page. -->\n\n"


def page() -> str:
    """Give the page's text."""
    return HEAD + markdown(document(create_api(ClassifierQueue(Classifier.load()))))


if __name__ == "__main__":
    Path(__file__).with_name("api.md").write_text(page(), encoding="utf-8")
