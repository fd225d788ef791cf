"""A receipt is the only witness of its act: a database that is busy for a moment does not lose it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text

from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import accept, effects
from tests.waiting import until
from webapi.extensions import db
from webapi.models import EffectState
from webapi.queue import acts
from webapi.queue.effects import outstanding

pytestmark = [
    pytest.mark.usefixtures("owner_alone"),
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]


def _impatient() -> None:
    """Let statements of this database wait for locks for a tenth of a second only."""
    name = db.engine.url.database
    with db.engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET lock_timeout = 100'))
    db.session.remove()
    db.engine.dispose()


def _release_after_a_failed_try(holder: psycopg.Connection) -> None:
    """Hold the lock until somebody has waited for it and given up."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(holder.info.dsn, password=holder.info.password, autocommit=True) as watcher:

        def waits() -> bool:
            return watcher.execute(waiting).fetchone() != (0,)

        until(waits, what="a writer that waits")
        until(lambda: not waits(), what="the writer to give up")
    holder.rollback()


def test_a_receipt_is_written_although_its_row_is_locked_for_a_moment() -> None:
    job_id = accept("errand.hold", Errands(acts=["one"]))
    _impatient()
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with attempt_at(), psycopg.connect(url) as holder, ThreadPoolExecutor(1) as pool:
        (act,) = outstanding(["one"])
        acts.mark([act])
        holder.execute("SELECT 1 FROM effects WHERE effect_key = 'one' FOR UPDATE")
        released = pool.submit(_release_after_a_failed_try, holder)
        act.settle(EffectState.DONE, code=250, reply="2.0.0 stored")
        released.result()
    assert (effects(job_id)["one"].state, effects(job_id)["one"].code) == ("done", 250)
