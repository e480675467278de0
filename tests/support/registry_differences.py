"""The ways in which the native registry may answer otherwise than MLflow on SQLite: any other is a defect."""

from __future__ import annotations

import json

from support.differential import Answer, Call
from support.registry_differential import Difference
from support.registry_words import TOO_LONG_NAME


def _error(answer: Answer) -> dict[str, str]:
    """MLflow's form of an error, with nothing in it if the answer has another."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) and "error_code" in body else {}


def _same_error(expected: Answer, given: Answer) -> bool:
    error = _error(given)
    return expected.status == given.status and bool(error) and _error(expected) == error


def _same_error_but_message(expected: Answer, given: Answer) -> bool:
    left, right = _error(expected), _error(given)
    is_error = expected.status == given.status and "message" in left and "message" in right
    return is_error and left | {"message": right["message"]} == right


def _is_clear_refusal(answer: Answer) -> bool:
    return answer.status == 400 and _error(answer).get("error_code") == "INVALID_PARAMETER_VALUE"


def _is_page_of_html(answer: Answer) -> bool:
    return answer.status == 500 and b"<!doctype html>" in answer.body


def _has_too_long_name(call: Call) -> bool:
    return TOO_LONG_NAME in str(call.body)


def _differs_in_database_text(call: Call, expected: Answer, given: Answer) -> bool:
    left, right = _error(expected), _error(given)
    ours, _, theirs = left.get("message", "").partition(" Error: ")
    return "(sqlite3." in theirs and expected.status == given.status and left | {"message": ours} == right


DIFFERENCES = [
    Difference(
        "spaces in errors",
        "MLflow writes its errors with a space after each comma and colon; they say the same without",
        lambda call, expected, given: _same_error(expected, given),
    ),
    Difference(
        "a page of HTML",
        "MLflow answers some bad calls with the page of an uncaught exception; a client is better told what is wrong",
        lambda call, expected, given: _is_page_of_html(expected) and _is_clear_refusal(given),
    ),
    Difference(
        "a name over 256 characters",
        "SQLite does not enforce the width of MLflow's column; PostgreSQL does, and so do we on every database",
        lambda call, expected, given: _has_too_long_name(call) and _is_clear_refusal(given),
    ),
    Difference(
        "an empty media type",
        "MLflow tells an empty Content-Type from none; we say of both that it is missing",
        lambda call, expected, given: ("Content-Type", "") in call.headers and _same_error_but_message(expected, given),
    ),
    Difference(
        "a negative number of models",
        "MLflow takes it for a place to cut the list at, and SQLite for no limit; its search for versions refuses it",
        lambda call, expected, given: "max_results=-" in str(call.query) and _is_clear_refusal(given),
    ),
    Difference(
        "text of the database",
        "MLflow puts the statement and its parameters into the message; no SQL appears in ours",
        _differs_in_database_text,
    ),
]
