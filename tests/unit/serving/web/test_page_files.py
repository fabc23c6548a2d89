"""The files of the page, filled."""

from __future__ import annotations

import json
import re

from artnet.attribution.methods import METHODS
from artnet.model.classifier import Classifier
from artnet.serving.web.page_files import SCRIPTS, compare_html, look_html, many_html, page_settings, read, style_sheet


def test_every_page_is_filled_to_the_last_place(classifier: Classifier) -> None:
    settings = page_settings(classifier.config, 1000, True)
    movements = classifier.config.movements
    for html in (look_html(settings, movements), compare_html(settings, movements), many_html(settings)):
        assert not re.search(r"\$\w|\{\{|\$\{", html)
        assert "data-settings=" in html


def test_the_page_offers_every_method(classifier: Classifier) -> None:
    html = look_html("{}", classifier.config.movements)
    assert all(f'value="{name}"' in html for name in METHODS)


def test_the_settings_are_json_with_the_models_movements(classifier: Classifier) -> None:
    found = json.loads(page_settings(classifier.config, 1000, False))
    assert found["movements"] == list(classifier.config.movements)
    assert found["addresses"] is False


def test_the_style_sheet_and_the_scripts_name_no_other_host() -> None:
    for text in (style_sheet(), *map(read, SCRIPTS)):
        assert not re.search(r"https?://\w", text)
        assert "@import" not in text
