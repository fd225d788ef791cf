"""Whoever can write to Redis can run nothing: a message without our MAC, or with another's, is dropped."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from webapi import create_app
from webapi.queue.signing import HEADER, keys, sign, verified

KEY, OLD_KEY = "the key of today is long enough", "the key of yesterday is as long"
BASE = {"DATABASE_URL": "sqlite://", "SECRET_KEY_FALLBACKS": []}


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({**BASE, "SECRET_KEY": KEY})


class Message:
    """A message of Celery's own producer, as a worker sees it; tests change it on its way."""

    def __init__(self, app: Flask, **options: Any) -> None:
        sent = app.extensions["celery"].amqp.as_task_v2("an-id", "process_data", args=[[1, 2]], kwargs={}, **options)
        self.task = sent.headers["task"]
        self.args, self.kwargs, embedded = sent.body
        self.request = SimpleNamespace(
            id=sent.headers["id"], timelimit=sent.headers["timelimit"], headers=dict(sent.headers), **embedded
        )

    def verified(self, app: Flask) -> bool:
        return verified(app, self.task, self.request, self.args, self.kwargs)


def test_what_we_sent_is_taken(app: Flask) -> None:
    assert Message(app).verified(app)


def test_arguments_that_are_a_tuple_on_the_way_out_are_taken(app: Flask) -> None:
    message = Message(app)
    message.args = tuple(message.args)
    assert message.verified(app)


def _name(message: Message) -> None:
    message.task = "email.send"


def _args(message: Message) -> None:
    message.args = [[1, 2, 3]]


def _kwargs(message: Message) -> None:
    message.kwargs = {"job": "another"}


def _id(message: Message) -> None:
    message.request.id = "another-id"


def _timelimit(message: Message) -> None:
    message.request.timelimit = [None, 99999]


def _callbacks(message: Message) -> None:
    message.request.callbacks = [{"task": "email.send"}]


def _errbacks(message: Message) -> None:
    message.request.errbacks = [{"task": "email.send"}]


def _chain(message: Message) -> None:
    message.request.chain = [{"task": "email.send"}]


def _chord(message: Message) -> None:
    message.request.chord = {"task": "email.send"}


def _no_mac(message: Message) -> None:
    del message.request.headers[HEADER]


def _no_headers(message: Message) -> None:
    message.request.headers = None


def _empty_mac(message: Message) -> None:
    message.request.headers[HEADER] = ""


def _mac_that_is_no_text(message: Message) -> None:
    message.request.headers[HEADER] = {"v1": True}


def _mac_of_another_version(message: Message) -> None:
    message.request.headers[HEADER] = message.request.headers[HEADER].replace("v1.", "v2.")


def _mac_beyond_ascii(message: Message) -> None:
    message.request.headers[HEADER] = "v1.é"


CHANGES = [
    _name, _args, _kwargs, _id, _timelimit, _callbacks, _errbacks, _chain, _chord,
    _no_mac, _no_headers, _empty_mac, _mac_that_is_no_text, _mac_of_another_version,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_what_was_changed_on_its_way_is_dropped(app: Flask, change: Callable[[Message], None]) -> None:
    message = Message(app)
    change(message)
    assert not message.verified(app)


def test_a_mac_beyond_ascii_is_dropped_too(app: Flask) -> None:
    message = Message(app)
    _mac_beyond_ascii(message)
    assert not message.verified(app)


@pytest.fixture(scope="module")
def rotated() -> Flask:
    """The same system after its key was changed: what the old one signed is still on its way."""
    return create_app({**BASE, "SECRET_KEY": "a new key that is long enough too", "SECRET_KEY_FALLBACKS": [KEY]})


def test_a_message_of_the_key_before_is_taken(app: Flask, rotated: Flask) -> None:
    assert Message(app).verified(rotated)


def test_what_is_sent_now_is_signed_with_the_new_key(app: Flask, rotated: Flask) -> None:
    assert not Message(rotated).verified(app)


def test_a_key_that_was_dropped_opens_nothing(rotated: Flask) -> None:
    stranger = create_app({**BASE, "SECRET_KEY": OLD_KEY})
    assert not Message(stranger).verified(rotated)


def test_the_message_key_is_not_the_secret_key_itself(app: Flask) -> None:
    assert KEY.encode() not in keys(app)
    assert len(keys(app)[0]) == 32


def test_the_mac_does_not_depend_on_the_order_of_names() -> None:
    first, second = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    nothing = [None] * 4
    macs = {sign(b"key", "task", "id", [], kwargs, [None, None], nothing) for kwargs in (first, second)}
    assert len(macs) == 1


def test_values_cannot_wander_from_one_field_to_the_next() -> None:
    nothing = [None] * 4
    one = sign(b"key", "task", "id", ["a"], {}, [None, None], nothing)
    other = sign(b"key", "taskid", "", ["a"], {}, [None, None], nothing)
    assert one != other
