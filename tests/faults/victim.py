"""One step of the protocol in a process that may die in it: `python -m tests.faults.victim submit|work|relay …`."""

from __future__ import annotations

import io
import resource
import sys
from uuid import UUID

from tests.wsgi import app
from webapi.queue import Once, kind_named, submit
from webapi.queue.batch import submit_batch
from webapi.queue.relay import Relay
from webapi.queue.run import work
from webapi.services import storage

LITTLE = 8_000_000  # bytes that a file may have; a ledger of the tests has fewer


def main(step: str, kind_name: str, owner: str, payload: str) -> None:
    with app.app_context():
        kind = kind_named(kind_name)
        if step == "submit":
            once = Once("sweep", "the same key", "the same request")
            submit(kind_name, kind.payload.model_validate_json(payload), owner_id=UUID(owner), once=once)
        elif step == "batch":
            once, one = Once("sweep", "the same key", "the same request"), kind.payload.model_validate_json(payload)
            submit_batch(kind, dict.fromkeys(range(3), one), owner_id=UUID(owner), once=once, tags=[])
        elif step == "work":
            work(kind)
        elif step == "work with little room":
            resource.setrlimit(resource.RLIMIT_FSIZE, (LITTLE, LITTLE))
            work(kind)
        elif step == "upload":
            storage.receive(UUID(owner), "upload.txt", "text/plain", io.BytesIO(b"handed in"))
        else:
            Relay(app).run_once()


if __name__ == "__main__":
    main(*sys.argv[1:])
