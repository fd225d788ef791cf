"""Held mails of several parts go together, or none of them does."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.queue.rows import OWNER
from tests.services.mailings.ground import mailing, parts, people, run, submit, template
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, Invalid, NotFound
from webapi.models import EffectState, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services.mail import suppressions
from webapi.services.mailings import releasing, steering, watching


@pytest.fixture
def held(owner: User, mail_server: SmtpServer) -> UUID:
    """A mailing in two parts, with a held mail in each and two in the first."""
    template()
    row = mailing(submit(people(201)))
    for number in (0, 1, 200):
        suppressions.add(OWNER, f"person{number}@example.com", "manual")
    steering.confirm(row)
    run(row.id)
    return row.id


def ids(mailing_id: UUID) -> list[UUID]:
    return [row.id for row in watching.mails(mailing(mailing_id), [EffectState.HELD])]


def test_all_of_them_go_in_one_call(held: UUID, owner: User, mail_server: SmtpServer) -> None:
    assert len(ids(held)) == 3
    releasing.release(owner, mailing(held), ids(held))
    run(held)
    found = watching.standing(mailing(held))
    assert (found.phase, found.delivered, found.held) == ("done", 201, 0)
    assert len(mail_server.stored) == len({mail.recipients for mail in mail_server.stored}) == 201


def test_with_one_of_another_mailing_none_goes(held: UUID, owner: User) -> None:
    with pytest.raises(NotFound):
        releasing.release(owner, mailing(held), [*ids(held), uuid4()])
    assert ([job.state for job in parts(held)], len(ids(held))) == (["failed"] * 2, 3)


def test_with_one_that_is_not_held_none_goes(held: UUID, owner: User) -> None:
    (done,) = watching.mails(mailing(held), [EffectState.DONE], limit=1)
    with pytest.raises(Invalid):
        releasing.release(owner, mailing(held), [*ids(held), done.id])
    assert ([job.state for job in parts(held)], len(ids(held))) == (["failed"] * 2, 3)


def test_while_a_part_of_them_is_not_over_none_goes(held: UUID, owner: User) -> None:
    first, *_, last = ids(held)
    releasing.release(owner, mailing(held), [first])
    with pytest.raises(Conflict):
        releasing.release(owner, mailing(held), [last, ids(held)[0]])
    assert len(ids(held)) == 2
    work(kind_named("email.part"))
