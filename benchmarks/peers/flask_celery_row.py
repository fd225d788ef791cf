"""Flask, Celery and a row in PostgreSQL by the ORM: what people add when a task must not be forgotten.

`python -m benchmarks.peers.flask_celery_row` makes the table.
"""

from __future__ import annotations

import os
import uuid

from celery import Celery
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.peers.done import tell


class Base(DeclarativeBase):
    """Of the models."""


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["PEER_DATABASE_URL"].replace("://", "+psycopg://", 1)
db = SQLAlchemy(app, model_class=Base)
celery = Celery(app.name, broker=os.environ["PEER_REDIS_URL"], set_as_current=False)
celery.conf.task_ignore_result = True


class Work(db.Model):  # type: ignore[name-defined]
    """One task that was asked for."""

    __tablename__ = "work"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    a: Mapped[int]
    b: Mapped[int]
    state: Mapped[str] = mapped_column(default="queued")


@celery.task
def add(work_id: str, token: str = "") -> None:
    """Add what the row says: a row is read, and updated twice."""
    with app.app_context():
        work = db.session.get_one(Work, uuid.UUID(work_id))
        work.state = "started"
        db.session.commit()
        work.state = str(work.a + work.b)
        db.session.commit()
    tell(token)


@app.post("/add")
def submit() -> tuple[dict[str, str], int]:
    """Commit the row, then publish its id."""
    asked = request.get_json()
    work = Work(a=asked["a"], b=asked["b"])
    db.session.add(work)
    db.session.commit()
    add.delay(str(work.id), asked.get("token", ""))
    return {"id": str(work.id)}, 202


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
