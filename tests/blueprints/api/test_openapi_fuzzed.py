"""Whatever the OpenAPI document allows, and much that it does not, is sent to a real server: schemathesis, all checks.

What the document cannot say (that a statement runs, that a template is there) is answered with 409, 412 or 422, which
counts as a good answer to data that fit their schema. A status of 500 or more never does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from tests.blueprints.api.things import everything
from tests.blueprints.site import Site
from tests.processes import ROOT
from tests.web_server import web_server
from webapi.config import environment

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

GOOD = '["2xx", "304", "401", "403", "404", "409", "412", "422", "429"]'
CONFIG = f"""
[parameters]
{{parameters}}

# All of them: named on the command line, they would be asked for where they are switched off below, too.
[checks]
enabled = true

[checks.positive_data_acceptance]
expected-statuses = {GOOD}

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "429"]

# A year that is no year of ours is 400, as all that is wrong with a query is, and so are a bulk act on nothing in
# particular and an integer of more than 64 bits in a payload. The document has no words for these.
[[operations]]
include-path-regex = "^/api/v1/(jobs($|/[a-z])|mailings$|schedules)"
[operations.checks.positive_data_acceptance]
expected-statuses = {GOOD.replace('"401"', '"400", "401"')}

# A number is a kind like any other text, once it stands in a query.
[[operations]]
include-path-regex = "^/api/v1/jobs/(cancel|replay)$"
[operations.checks.negative_data_rejection]
enabled = false

[generation]
allow-x00 = false
"""
TOLD = re.compile(r"(\d+) generated")


def run(app: Flask, folder: Path, *options: str, pinned: bool = True) -> str:
    """What schemathesis says of all of it. Paths are `pinned` to things of Ada's, or it follows what it made."""
    site = Site(app, folder)
    ids = "\n".join(f'"path.{name}" = "{value}"' for name, value in everything(site).items() if pinned)
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(parameters=ids))
    with web_server(app, folder / "web.log") as server:
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
                f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--warnings", "off",
                "-H", f"Authorization: {site.ada.headers['Authorization']}", "--no-color", *options,
            ],
            env=environment({"SCHEMATHESIS_HOOKS": "tests.blueprints.api.serializers", "PYTHONPATH": str(ROOT)}),
            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    print(done.stdout[done.stdout.index("= SUMMARY") :])
    return done.stdout


def test_every_example_passes_all_checks(app: Flask, tmp_path: Path) -> None:
    told = run(app, tmp_path, "--phases", "examples")
    found = TOLD.search(told)
    assert found is not None
    assert int(found[1]) > 100


@pytest.mark.soak
@pytest.mark.parametrize(("phases", "pinned"), [("examples,coverage,fuzzing", True), ("stateful", False)])
def test_what_is_made_up_passes_all_checks_too(app: Flask, tmp_path: Path, phases: str, pinned: bool) -> None:
    told = run(app, tmp_path, "--phases", phases, "--max-examples", "20", pinned=pinned)
    found = TOLD.search(told)
    assert found is not None
    assert int(found[1]) > 100
