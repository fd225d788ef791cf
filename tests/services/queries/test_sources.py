"""Sources and options survive the pipe."""

from __future__ import annotations

import json
from pathlib import Path

from webapi.services.queries.sources import Options, Source


def test_a_source_arrives_as_it_was_sent() -> None:
    source = Source(
        Path("/x/ü.csv"), "csv", Options(delimiter=";", header=True, columns=(("a", "BIGINT"), ("b", "DATE")))
    )
    assert Source.load(json.loads(json.dumps(source.dump()))) == source
    assert Source.load(json.loads(json.dumps(Source(Path("/x"), "json").dump()))) == Source(Path("/x"), "json")
