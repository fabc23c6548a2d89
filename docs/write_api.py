"""Write docs/api.md from the API's OpenAPI document; a test says when that is due."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

from artnet.model.classifier import Classifier
from artnet.serving.api.app import create_app
from artnet.serving.api.openapi import document
from artnet.serving.api.reference import reference
from artnet.serving.work_queue import ClassifierQueue

TEMPLATE = """\
<!-- Written by docs/write_api.py from the OpenAPI document; change that, not this page. -->

# {{ title }}

{{ description }}
{% for operation in operations %}

## {{ operation.name }}

{{ operation.description }}

{{ operation.curl|indent(4, first=true) }}
{% if operation.fields %}

| field | type | default | meaning |
| --- | --- | --- | --- |
{% for field in operation.fields %}
| `{{ field.name }}` | {{ field.type }} | {{ "`%s`" % field.default if field.default }} | {{ field.description }} |
{% endfor %}
{% endif %}

| status | meaning |
| --- | --- |
{% for status, meaning in operation.responses %}
| {{ status }} | {{ meaning }} |
{% endfor %}
{% if operation.example %}

{{ operation.example|indent(4, first=true) }}
{% endif %}
{% endfor %}

## Problems

Errors are answered as `application/problem+json` (RFC 9457), a [ProblemResponse](#problemresponse).
{% for kind, meaning in problems.items() %}

### {{ kind }}

{{ meaning }}
{% endfor %}

## Models

Every member that is not marked `?` is always there.
{% for model in models %}

### {{ model.name }}

{{ model.description }}

| member | type | meaning |
| --- | --- | --- |
{% for member in model.members %}
| `{{ member.name }}`{{ "" if member.is_required else " ?" }} | {{ member.type }} | {{ member.description }} |
{% endfor %}
{% endfor %}
"""


def page() -> str:
    """Return the page's text."""
    app = create_app(ClassifierQueue(Classifier.load()))
    template = Environment(trim_blocks=True, keep_trailing_newline=True).from_string(TEMPLATE)
    return template.render(vars(reference(document(app))))


if __name__ == "__main__":
    Path(__file__).with_name("api.md").write_text(page(), encoding="utf-8")
