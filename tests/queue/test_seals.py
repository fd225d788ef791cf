"""Secrets at rest: encrypted in the ledger, opened by nobody but who holds the key, for no other owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from pydantic import BaseModel, Field
from sqlalchemy import select

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, job
from webapi.extensions import db
from webapi.models import Job, Schedule, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Kind, seals
from webapi.queue.run import work
from webapi.queue.schedules import fire_due

pytestmark = pytest.mark.usefixtures("owner")
SECRET: dict[str, Any] = {"writeOnly": True}
CANARY = "canary-Zx81"


class Vault(BaseModel):
    """Every shape that a secret may have, and something that is none."""

    name: str = "vault"
    word: str | None = Field(None, json_schema_extra=SECRET)
    number: int = Field(0, json_schema_extra=SECRET)
    headers: dict[str, str] = Field({}, json_schema_extra=SECRET)
    deep: list[dict[str, Any]] = Field([], json_schema_extra=SECRET)


FULL = Vault(word=CANARY, number=7341, headers={"X": CANARY, "Y": ""}, deep=[{"a": CANARY, "b": [None, True, 1.5]}])
SEEN: list[Vault] = []


def _open(vault: Vault) -> None:
    """Look into it."""
    SEEN.append(vault)


KIND = Kind(name="vault.open", function=_open, payload=Vault)


@pytest.fixture(autouse=True)
def _kind(ground: Flask) -> Iterator[None]:
    SEEN.clear()
    before = {name: ground.config[name] for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS")}
    ground.extensions["kinds"][KIND.name] = KIND
    yield
    del ground.extensions["kinds"][KIND.name]
    ground.config.update(before)


def rotate(ground: Flask, *, keep: bool) -> None:
    """A new key; the old one stays good for opening, or not."""
    old = ground.config["SECRET_KEY"]
    ground.config.update(SECRET_KEY=uuid4().hex * 2, SECRET_KEY_FALLBACKS=[old] if keep else [])


def due_schedule() -> UUID:
    row = Schedule(
        id=uuid4(), owner_id=OWNER, name="s", kind=KIND.name, payload=seals.sealed(FULL, OWNER), cron="* * * * *",
        timezone="UTC", next_at=after(-1),
    )  # fmt: skip
    with writing() as session:
        session.add(row)
        session.flush()
        schedule_id: UUID = row.id
    return schedule_id


def the_schedule(schedule_id: UUID) -> Schedule:
    db.session.rollback()
    return db.session.get_one(Schedule, schedule_id, populate_existing=True)


def test_every_shape_is_sealed_and_comes_back_as_it_was() -> None:
    kept = seals.sealed(FULL, OWNER)
    text = json.dumps(kept)
    assert (CANARY in text, "7341" in text, kept["name"]) == (False, False, "vault")
    assert (set(kept["headers"]), kept["deep"][0]["b"][0]) == ({"X", "Y"}, None)
    assert seals.opened(KIND, kept, OWNER) == FULL


def test_the_same_secret_is_never_sealed_twice_alike() -> None:
    assert seals.sealed(FULL, OWNER)["word"] != seals.sealed(FULL, OWNER)["word"]


def test_what_looks_sealed_already_is_sealed_like_anything_else() -> None:
    """Else a token seen in the ledger would be opened for whoever hands it in."""
    stolen = seals.sealed(FULL, OWNER)["word"]
    again = seals.sealed(Vault(word=stolen), OWNER)
    assert seals.opened(KIND, again, OWNER) == Vault(word=stolen)


def test_a_token_in_the_job_of_another_owner_opens_nowhere() -> None:
    with pytest.raises(seals.Unopenable):
        seals.opened(KIND, seals.sealed(FULL, OWNER), uuid4())


@pytest.mark.parametrize("word", ["plain", "", 7, True, ["x"], "gAAAAA", "é"])
def test_what_is_no_token_is_not_taken_for_a_secret(word: Any) -> None:
    with pytest.raises(seals.Unopenable):
        seals.opened(KIND, {"word": word}, OWNER)


def test_one_changed_character_is_found() -> None:
    kept = seals.sealed(FULL, OWNER)
    token = kept["word"]
    kept["word"] = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
    with pytest.raises(seals.Unopenable):
        seals.opened(KIND, kept, OWNER)


def test_without_secrets_nothing_changes() -> None:
    errands = Errands(acts=["one"])
    assert seals.sealed(errands, OWNER) == seals.marked(errands, b"key") == {"acts": ["one"]}
    assert seals.masked(Errands, {"acts": ["one"]}) == {"acts": ["one"]}


def test_the_owner_sees_the_names_and_no_value() -> None:
    shown = seals.masked(Vault, seals.sealed(FULL, OWNER))
    assert shown == {
        "name": "vault", "word": "***", "number": "***", "headers": {"X": "***", "Y": "***"},
        "deep": [{"a": "***", "b": [None, "***", "***"]}],
    }  # fmt: skip


def test_two_requests_are_told_apart_by_their_secrets_and_hold_none() -> None:
    one, same, other = (seals.marked(Vault(word=word), b"key") for word in (CANARY, CANARY, "other"))
    assert one == same != other
    assert CANARY not in json.dumps(one)


def test_the_worker_opens_what_the_ledger_keeps_sealed() -> None:
    job_id = accept(KIND.name, FULL)
    assert CANARY not in json.dumps(job(job_id).payload)
    work(KIND)
    assert (job(job_id).state, SEEN) == ("succeeded", [FULL])


def test_after_a_rotation_what_was_sealed_before_still_opens(ground: Flask) -> None:
    job_id = accept(KIND.name, FULL)
    rotate(ground, keep=True)
    work(KIND)
    assert (job(job_id).state, SEEN) == ("succeeded", [FULL])


def test_with_the_key_gone_the_job_fails_and_says_what_to_do_and_can_be_run_again(ground: Flask) -> None:
    job_id = accept(KIND.name, FULL)
    old = ground.config["SECRET_KEY"]
    rotate(ground, keep=False)
    work(KIND)
    failed = job(job_id)
    assert (failed.state, failed.error_code, SEEN) == ("failed", "unopenable", [])
    assert "SECRET_KEY_FALLBACKS" in (failed.error_public or "")
    ground.config["SECRET_KEY_FALLBACKS"] = [old]
    seals.opened(KIND, failed.payload, OWNER)


def test_a_schedule_fires_with_its_secrets_and_is_sealed_anew_under_the_newest_key(ground: Flask) -> None:
    schedule_id = due_schedule()
    rotate(ground, keep=True)
    fire_due()
    ground.config["SECRET_KEY_FALLBACKS"] = []
    assert seals.opened(KIND, the_schedule(schedule_id).payload, OWNER) == FULL
    work(KIND)
    assert SEEN == [FULL]


def test_a_schedule_whose_key_is_gone_says_so_and_stays_due(ground: Flask) -> None:
    schedule_id = due_schedule()
    old = ground.config["SECRET_KEY"]
    rotate(ground, keep=False)
    fire_due()
    assert "SECRET_KEY_FALLBACKS" in (the_schedule(schedule_id).problem or "")
    assert db.session.scalars(select(Job)).all() == []
    ground.config["SECRET_KEY_FALLBACKS"] = [old]
    fire_due()
    assert the_schedule(schedule_id).problem is None
    assert len(db.session.scalars(select(Job)).all()) == 1


def test_an_owner_is_all_that_a_key_knows_of(owner: User) -> None:
    """A kind may be renamed, and a job replayed: neither is in the key."""
    other = Kind(name="vault.renamed", function=_open, payload=Vault)
    assert seals.opened(other, seals.sealed(FULL, owner.id), owner.id) == FULL
