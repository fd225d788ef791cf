"""The table of those who keep a row for each task: started and done, in two commits."""

from __future__ import annotations

import os
from threading import local

import psycopg

URL = os.environ["PEER_DATABASE_URL"]
own = local()  # each thread has a connection


def make(count: int) -> None:
    """The table, with so many rows."""
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS work (id int PRIMARY KEY, state text NOT NULL)")
        connection.execute("INSERT INTO work SELECT n, 'queued' FROM generate_series(1, %s) AS n", (count,))


def work(number: int) -> None:
    """What a task does about its row."""
    if not hasattr(own, "connection"):
        own.connection = psycopg.connect(URL, autocommit=True)
    for state in ("started", "done"):
        own.connection.execute("UPDATE work SET state = %s WHERE id = %s", (state, number))
