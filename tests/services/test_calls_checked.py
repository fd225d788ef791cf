"""How docs/calls.md tells the other side to check a signature is right: its lines are run as they stand."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from webapi.config import environment
from webapi.services.calls import signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"test": "grüß\\n"}'.encode()
MESSAGE, MOMENT = "01a1fdb8-3b62-727f-9087-4f3554bf0a54", 1795258071


def lines(language: str) -> str:
    """The block of a language in the page."""
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "docs" / "calls.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(bytes(range(64))).decode()])
def test_openssl_makes_the_same_signature(tmp_path: Path, secret: str) -> None:
    (tmp_path / "body").write_bytes(BODY)
    given = {"CALL_SECRET": secret, "WEBHOOK_ID": MESSAGE, "WEBHOOK_TIMESTAMP": str(MOMENT)}
    done = subprocess.run(
        ["sh", "-eu", "-c", lines("sh")],
        cwd=tmp_path,
        env=environment(given),
        capture_output=True,
        check=True,
        text=True,
    )
    assert f"v1,{done.stdout.strip()}" == signature(secret, MESSAGE, MOMENT, BODY)


@pytest.mark.parametrize(("body", "verdict"), [(BODY, "True"), (BODY + b" ", "False")])
def test_python_takes_what_is_signed_and_nothing_else(body: bytes, verdict: str) -> None:
    headers = {
        "webhook-id": MESSAGE, "webhook-timestamp": str(MOMENT),
        "webhook-signature": signature(SECRET, MESSAGE, MOMENT, BODY),
    }  # fmt: skip
    program = f"import base64, hmac\n{lines('python')}\nprint(signed({SECRET!r}, {headers!r}, {body!r}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == verdict
