"""Fields that a request may have, and those that it may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from artnet.serving.api.schemas import ClassifyForm, ExplainForm


def test_fields_are_read_from_a_forms_texts() -> None:
    fields = ExplainForm.model_validate({"url": "x", "depth": "7", "against": "true", "opacity": "0.5"})
    assert (fields.depth, fields.against, fields.opacity) == (7, True, 0.5)


@pytest.mark.parametrize(
    "fields",
    [{"depth": "0"}, {"depth": "10"}, {"depth": "deepest"}, {"opacity": "nan"}, {"opacity": "2"}, {"side_px": "9999"},
     {"against": "perhaps"}, {"seed": "-1"}, {"format": "pdf"}, {"unknown": "1"}, {"movement": "x" * 101}],
)  # fmt: skip
def test_fields_that_are_not_valid_are_named(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        ExplainForm.model_validate({"url": "x", **fields})
    assert {error["loc"][0] for error in caught.value.errors()} == set(fields)


@pytest.mark.parametrize("fields", [{}, {"url": None}])
def test_a_request_without_an_image_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="send one image"):
        ClassifyForm.model_validate(fields)
