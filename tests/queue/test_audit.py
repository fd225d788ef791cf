"""Each invariant, broken behind the protocol's back, is found; what the protocol does breaks none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, text, update

from tests.conftest import Person
from tests.kinds.acting import Acts
from tests.kinds.faulty import Note
from webapi.extensions import db
from webapi.models import Artifact, Effect, EffectState, Job, JobEvent, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.run import work


def broken() -> set[str]:
    return {finding.name for finding in audit() if finding.offenders}


def done(ada: Person, tmp_path: Path, **how: list[str]) -> UUID:
    acts = Acts(path=str(tmp_path / "world"), **{"keys": ["a", "b"], **how})
    job_id = submit("test.acts", acts, owner_id=ada.id).id
    work(kind_named("test.acts"))
    return job_id


@pytest.mark.usefixtures("context")
def test_what_the_protocol_does_breaks_nothing(ada: Person, tmp_path: Path) -> None:
    done(ada, tmp_path)
    done(ada, tmp_path, unanswered=["a"])
    done(ada, tmp_path, refused=["b"])
    submit("test.file", Note(), owner_id=ada.id)
    work(kind_named("test.file"))
    submit("test.note", Note(), owner_id=ada.id, delay=60)
    assert broken() == set()


def _forget_an_event(job_id: UUID) -> None:
    db.session.execute(delete(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq == 2))


def _change_a_state(job_id: UUID) -> None:
    db.session.execute(update(Job).where(Job.id == job_id).values(state=State.FAILED))


def _undo_an_effect(job_id: UUID) -> None:
    db.session.execute(update(Effect).where(Effect.job_id == job_id).values(state=EffectState.UNKNOWN, maybe=True))


def _fail_over_an_unknown_effect(job_id: UUID) -> None:
    _undo_an_effect(job_id)
    _change_a_state(job_id)


def _drop_a_mark(job_id: UUID) -> None:
    db.session.execute(update(Effect).where(Effect.job_id == job_id).values(marked_at=None))


def _act_after_the_cancel(job_id: UUID) -> None:
    gone = {"state": State.CANCELLED, "cancel_requested_at": after(-60)}
    db.session.execute(update(Job).where(Job.id == job_id).values(**gone))


def _leave_it_running(job_id: UUID) -> None:
    stuck = {"state": State.RUNNING, "finished_at": None, "lease_until": after(-2000)}
    db.session.execute(update(Job).where(Job.id == job_id).values(**stuck))


def _move_after_the_end(job_id: UUID) -> None:
    end = {"job_id": job_id, "seq": 4, "epoch": 0, "attempt": 1, "at": now(), "actor": "x", "reason": "x"}
    states = {"from_state": "succeeded", "to_state": "queued", "refines": False}
    db.session.execute(JobEvent.__table__.insert().values(**end, **states))


BREAKS: list[tuple[Callable[[UUID], None], str]] = [
    (_forget_an_event, "I14b"),
    (_change_a_state, "I14a"),
    (_undo_an_effect, "I6a"),
    (_fail_over_an_unknown_effect, "I6b"),
    (_drop_a_mark, "I16"),
    (_act_after_the_cancel, "I11"),
    (_leave_it_running, "I12"),
    (_move_after_the_end, "I2"),
]


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(("breaks", "name"), BREAKS, ids=[name for _, name in BREAKS])
def test_a_broken_invariant_is_found(ada: Person, tmp_path: Path, breaks: Callable[[UUID], None], name: str) -> None:
    job_id = done(ada, tmp_path)
    with writing():
        breaks(job_id)
    assert name in broken()


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("index", "name", "again"),
    [("one_owner", "I3", "running"), ("one_end", "I4", "succeeded")],
)
def test_without_its_unique_index_a_doubled_event_is_found(
    ada: Person, tmp_path: Path, index: str, name: str, again: str
) -> None:
    job_id = done(ada, tmp_path)
    with writing() as session:
        session.execute(text(f"DROP INDEX {index}"))
        doubled = {"job_id": job_id, "seq": 4, "epoch": 0, "attempt": 1, "at": now(), "actor": "x", "reason": "x"}
        states = {"from_state": "succeeded", "to_state": again, "refines": False}
        session.execute(JobEvent.__table__.insert().values(**doubled, **states))
    assert name in broken()


@pytest.mark.usefixtures("context")
def test_a_file_that_is_gone_or_changed_is_found(app: Flask, ada: Person) -> None:
    submit("test.file", Note(), owner_id=ada.id)
    work(kind_named("test.file"))
    path = app.extensions["files"].path(db.session.query(Artifact).one().sha256)
    path.write_bytes(b"other")
    assert broken() == {"I7"}
    path.unlink()
    assert broken() == {"I7"}


def test_the_command_exits_with_one_when_something_is_broken(app: Flask, ada: Person, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit"]).exit_code == 0
    with app.app_context():
        job_id = done(ada, tmp_path)
        with writing():
            _forget_an_event(job_id)
    answer = runner.invoke(args=["audit"])
    assert answer.exit_code == 1
    assert str(job_id) in answer.output
