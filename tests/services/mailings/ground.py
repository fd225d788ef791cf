"""A template, a file of recipients, and the jobs of a mailing done one by one."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from sqlalchemy import select

from tests.queue.rows import OWNER, accept, change
from webapi.extensions import db
from webapi.models import FINAL, Job, Mailing, State, User
from webapi.models.columns import after
from webapi.queue import kind_named
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services import storage
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.services.mailings import steering
from webapi.tasks.email_bulk import Bulk

WORDING = Wording(subject="For {{first_name}}", html="<p>Dear {{first_name}}, you owe {{sum}}.</p>")


def template(name: str = "invoice", wording: Wording = WORDING) -> None:
    templates.create(db.session.get_one(User, OWNER), name, wording)


def upload(content: bytes | str, name: str = "people.csv") -> UUID:
    raw = content.encode() if isinstance(content, str) else content
    return storage.receive(OWNER, name, "text/csv", BytesIO(raw)).id


def people(count: int, *more: str) -> str:
    """A file of so many good rows, and some lines more."""
    rows = [f"person{number}@example.com,Person {number},{number}.00" for number in range(count)]
    return "\n".join(["email,first_name,sum", *rows, *more]) + "\n"


def submit(content: bytes | str, name: str = "people.csv", **options: object) -> UUID:
    """The id of the mailing, which is checked when this returns."""
    bulk = Bulk(template="invoice@1", recipients=upload(content, name), **options)
    job_id = accept("email.bulk", bulk)
    work(kind_named("email.bulk"))
    return job_id


def mailing(mailing_id: UUID) -> Mailing:
    db.session.rollback()
    return steering.find(OWNER, mailing_id)


def parts(mailing_id: UUID) -> list[Job]:
    db.session.rollback()
    query = select(Job).where(Job.parent_id == mailing_id, Job.kind == "email.part").order_by(Job.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def run(mailing_id: UUID) -> None:
    """Do what is to be done for a mailing until nothing of it is due."""
    work(kind_named("email.spread"))
    wake_due()
    while any(job.state == State.QUEUED for job in parts(mailing_id)):
        work(kind_named("email.part"))


def hasten(mailing_id: UUID) -> None:
    """Let the time come for all parts that wait for theirs."""
    for job in parts(mailing_id):
        if job.state in {State.SCHEDULED, State.RETRYING}:
            change(job.id, run_at=after(0))
    wake_due()


def over(mailing_id: UUID) -> bool:
    return all(job.state in FINAL for job in parts(mailing_id))
