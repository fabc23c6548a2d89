"""Errors as problems, without what is not the stranger's business."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from artnet import errors
from artnet.errors import ArtNetError, BusyError, FormatError, ModelError, TooLargeError
from artnet.serving.api.openapi import KINDS, STATUSES
from artnet.serving.middleware.problems import problem_of


def below(kind: type[ArtNetError]) -> Iterator[type[ArtNetError]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def test_an_error_of_the_client_is_told_as_it_is() -> None:
    problem = problem_of(TooLargeError("a.png: 99 MB, over the budget"))
    assert problem.to_dict("id-1") == {
        "type": "/docs#too-large",
        "title": "Too large",
        "status": 413,
        "detail": "a.png: 99 MB, over the budget",
        "kind": "too-large",
        "request_id": "id-1",
    }


def test_fields_that_are_not_valid_are_listed() -> None:
    problem = problem_of(RequestValidationError([{"type": "x", "loc": ("body", "depth"), "msg": "too deep"}]))
    assert problem.to_dict("")["errors"] == [{"field": "depth", "message": "too deep"}]
    assert (problem.status, problem.kind) == (422, "fields")


def test_a_rule_of_ours_is_told_in_our_words_alone() -> None:
    entry = {"type": "value_error", "loc": ("body",), "msg": "Value error, send one image"}
    assert problem_of(RequestValidationError([entry])).detail == "the fields are not valid: body: send one image"


def test_what_reading_a_form_raises_is_told_as_it_is() -> None:
    error = HTTPException(400)
    error.__cause__ = FormatError("send a form")
    assert (problem_of(error).status, problem_of(error).kind) == (415, "format")


def test_a_busy_server_says_when_to_try_again() -> None:
    response = problem_of(BusyError("busy", 7)).response({})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(response.body)["kind"] == "busy"


@pytest.mark.parametrize("error", [ModelError("/home/me/model: is missing"), ValueError("secret"), KeyError("secret")])
def test_the_servers_own_faults_are_not_told(error: Exception) -> None:
    problem = problem_of(error)
    assert problem.status == 500
    assert not re.search("secret|/home", json.dumps(problem.to_dict("")))


def test_what_the_framework_refuses_is_a_problem_too() -> None:
    problem = problem_of(HTTPException(405, headers={"Allow": "GET"}))
    assert (problem.kind, problem.headers["Allow"]) == ("method-not-allowed", "GET")


def test_every_error_stands_in_the_tree_with_its_numbers() -> None:
    tree = " ".join((errors.__doc__ or "").split("The first number")[0].split())
    for each in below(ArtNetError):
        assert re.search(rf"\b{each.__name__} (?:│ )*{each.exit_code} {each.http_status} ", tree), each.__name__


def test_the_document_describes_kinds_and_statuses_that_there_are() -> None:
    kinds = {each.kind: each.http_status for each in below(ArtNetError)}
    for kind, meaning in KINDS.items():
        if kind in kinds:
            assert meaning.startswith(str(kinds[kind])), kind
    assert set(re.findall("`([a-z-]+)`", " ".join(STATUSES.values()))) <= set(KINDS)
