"""What these tests stand on: a ledger that each finds empty, files handed in, and their inspection in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from webapi.extensions import db
from webapi.models import Dataset, Report, ReportVersion, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import datasets

Take = Callable[..., Dataset]


@pytest.fixture
def take(owner: User) -> Take:
    """Hand in a text, and with `read` have it inspected too."""

    def take(content: str, name: str | None = None, file_name: str = "x.csv", *, read: bool = False) -> Dataset:
        row = datasets.create(owner, name, file_name, io.BytesIO(content.encode()))
        if read:
            inspect()
        return datasets.find(owner.id, row.id)

    return take


def inspect() -> None:
    """Do the next inspection."""
    db.session.rollback()
    work(kind_named("dataset.inspect"))
    db.session.rollback()


def report(owner: User, name: str, *versions: list[UUID], deleted: bool = False) -> UUID:
    """A report whose versions read these datasets, the newest last."""
    report_id = uuid7()
    with writing() as session:
        session.add(Report(id=report_id, owner_id=owner.id, name=name, version=len(versions)))
        session.flush()
        if deleted:
            session.get_one(Report, report_id).deleted_at = now()
        for number, read in enumerate(versions, 1):
            pairs = [["t", str(each)] for each in read]
            session.add(
                ReportVersion(report_id=report_id, version=number, title=name, source="data", sql="x", datasets=pairs)
            )
    return report_id


def stored(app: Flask, sha256: str) -> bool:
    return bool(app.extensions["files"].path(sha256).exists())
