"""What is asked for each part and each batch of rows is answered by the index of recipients, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.queue.rows import OWNER
from tests.services.mailings.ground import mailing, people, run, submit, template
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.services.mail import suppressions
from webapi.services.mailings import watching

pytestmark = pytest.mark.usefixtures("owner")


@contextmanager
def plans(sent: list[str]) -> Iterator[None]:
    """How SQLite goes about the statements within that read mails."""
    asked: list[tuple[str, Any]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    with db.engine.connect() as connection:
        for statement, parameters in asked:
            if "FROM effects" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                sent.append(" ".join(row.detail for row in rows))


def test_mails_are_found_by_their_recipients(mail_server: SmtpServer) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL knows how many rows there are, and decides by that")
    template()
    mailing_id = submit(people(3), confirm="now")
    run(mailing_id)
    row = mailing(mailing_id)
    found: list[str] = []
    with plans(found):
        assert len(list(watching.verdicts(row, None))) == 4
        suppressions.holding(OWNER, [f"person{number}@example.com" for number in range(200)])
    assert len(found) == 2
    assert all("SEARCH effects USING INDEX ix_effects_recipient" in plan for plan in found), found
