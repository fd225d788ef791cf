"""A statement of ours over values of a payload, in this process: a child would take longer than the work.

Nothing of a person's is run here. Their values are a file that we wrote, and the database can read that one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from webapi.errors import Permanent
from webapi.services.queries.process import Frame
from webapi.services.queries.run import Result, read_frames
from webapi.services.queries.sources import Refusal, Source

MEMORY = "256MB"
FRAME = 1000  # rows


@contextmanager
def query_nearby(sql: str, name: str, source: Source) -> Iterator[Result]:
    """Run one statement that we wrote. Permanent, with a sentence, when the values cannot be read."""
    import duckdb

    from webapi.services.queries import reading, statements

    with duckdb.connect(config={"memory_limit": MEMORY, "threads": 1, "temp_directory": ""}) as database:
        link = source.path.with_name(f"{source.path.name}.link")
        link.unlink(missing_ok=True)
        try:
            options = reading.attach(database, name, source, link)
            database.execute("SET TimeZone = 'UTC'")
            database.execute("SET allowed_paths = ?", [[str(link)]])
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            columns, running = statements.run(database, statements.single(sql), {})
        except (Refusal, duckdb.Error) as error:
            raise Permanent(f"{name} could not be read: {str(error).partition(chr(10))[0][:300]}") from None

        def frames() -> Iterator[Frame]:
            while rows := running.fetchmany(FRAME):
                yield b"R", rows
            yield b"E", None

        yield read_frames(columns, {name: options}, frames())
