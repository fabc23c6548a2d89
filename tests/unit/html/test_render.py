"""Templates escape what they are given, and the macros that all pages share write and draw numbers."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from artnet.html.render import data_url, environment, format_number, render


def call(expression: str, **context: Any) -> str:
    """Render a template that imports all macros."""
    return environment().from_string('{% import "macros.html.j2" as m %}' + expression).render(context)


def test_a_table_has_a_caption_a_head_and_rows() -> None:
    text = call('{% call m.table("Caption", ["a", "b"], text=[2]) %}{{ m.row("x", 1) }}{% endcall %}')
    assert '<caption>Caption</caption>\n<tr><th scope="col">a</th><th scope="col">b</th></tr>' in text
    assert '<tr><th scope="row">x</th><td>1</td></tr>' in text
    assert 'class="text-2"' in text
    assert 'role="group" aria-label="Caption"' in text


def test_names_cannot_become_markup() -> None:
    text = call(
        "{% call m.section(evil) %}{% call m.table(evil, [evil]) %}{{ m.row(evil, evil) }}{% endcall %}"
        "{{ m.heat_table(evil, [evil], [[1]]) }}{% call m.figure(evil) %}{{ m.image(jpeg, evil) }}{% endcall %}"
        "{% endcall %}",
        evil='"><script>&',
        jpeg=b"jpeg",
    )
    assert "<script>" not in text
    assert '""' not in text


def test_html_is_left_as_it_is() -> None:
    assert "<td><b>1</b></td><td>&lt;b&gt;</td>" in call('{{ m.row("x", html, "<b>") }}', html=Markup("<b>1</b>"))


def test_a_confusion_matrix_shows_counts_and_shares_of_the_truth() -> None:
    text = call('{{ m.heat_table("caption", ["a", "b"], [[3, 1], [0, 0]]) }}')
    assert '<td class="heat right" style="--share:0.750">3<small>75%</small></td>' in text
    assert '<td class="heat wrong" style="--share:0.250">1<small>25%</small></td>' in text
    assert '<td class="sum">3</td><td class="sum">1</td><td>4</td>' in text  # predicted, and all


def test_an_interval_is_written_and_drawn() -> None:
    entry = {"value": 0.5, "low": 0.4, "high": 0.75}
    assert call("{{ m.interval(entry) }}", entry=entry) == "0.500 (0.400 to 0.750)"
    drawing = ElementTree.fromstring(call("{{ m.interval_bar(entry) }}", entry=entry))
    assert drawing.get("aria-label") == "0.500, 0.400 to 0.750"
    assert [mark.get("x2") for mark in drawing if mark.get("class") == "span"] == ["106.0"]  # 4 + 136 * 0.75


def test_an_unknown_interval_is_not_drawn() -> None:
    unknown = dict.fromkeys(("value", "low", "high"))
    assert call("{{ m.interval_bar(entry) }}", entry=unknown) == ""
    assert call("{{ m.interval(entry) }}", entry=unknown) == "none to find"


def test_a_template_without_its_variables_is_refused() -> None:
    with pytest.raises(UndefinedError, match="audit"):
        render("audit.html.j2", name="mine")


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_missing_number_has_a_word(value: float | None) -> None:
    assert format_number(value, ".1%", "-") == "-"


def test_a_jpeg_becomes_a_data_url() -> None:
    assert data_url(b"jpeg") == "data:image/jpeg;base64,anBlZw=="
