"""The files by which the system is deployed agree with the program, and with each other."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import deployment
from tests.deployment import ROOT, Command, queues_of, seconds
from webapi import create_app
from webapi.config import Settings
from webapi.queue.acts import ANSWER_LIMIT
from webapi.queue.worker import STOP_TIMEOUT

COMPOSE = deployment.compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = deployment.ours()
COMMANDS = deployment.commands()
WORKERS = [each for each in COMMANDS if "worker" in each.words]
PROFILES = sorted({profile for service in SERVICES.values() for profile in service.get("profiles", ())})
SECRET = re.compile(r"KEY|PASSWORD|DATABASE_URL|REDIS_URL|TOKEN|DSN")
# What a worker may need to stop: its jobs, an act that is under way, the relay's last pass.
TO_STOP = Settings.model_fields["STOP_SECONDS"].default + ANSWER_LIMIT + 1 + STOP_TIMEOUT


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.where)
def test_the_program_of_a_command_is_installed(command: Command) -> None:
    program = command.words[0]
    found = [folder / program for folder in {Path(sys.executable).parent, Path(sys.prefix) / "bin"}]
    assert any(path.exists() for path in found), f"{command.where} starts {program}, which the lock does not bring"


@pytest.mark.parametrize("command", WORKERS, ids=lambda command: command.where)
def test_a_worker_is_started_as_the_makefile_starts_it(command: Command) -> None:
    (made,) = re.findall(r"celery (-A wsgi:celery worker .*)", (ROOT / "Makefile").read_text("utf-8"))
    words = list(command.words)
    words[words.index("-Q") + 1], words[words.index("-c") + 1] = "$(QUEUES)", "$(CONCURRENCY)"
    assert words == ["celery", *made.split()]


def test_every_queue_has_workers_in_every_way_to_deploy() -> None:
    queues = set(create_app({"DATABASE_URL": "sqlite://"}).extensions["queues"])
    for where in ("Procfile worker", "compose.yaml worker", "render.yaml webapi-worker dockerCommand"):
        (words,) = [each.words for each in WORKERS if each.where == where]
        assert queues_of(words) == queues, f"{where} takes {queues_of(words)}, and nobody takes the rest"
    split = [each for each in WORKERS if each.where.startswith("compose.yaml worker-")]
    assert set().union(*(queues_of(each.words) for each in split)) == queues
    assert {name for name in PROFILES if name in queues} == queues, "each queue has a profile of its name"


def test_a_worker_has_longer_to_stop_than_it_may_need() -> None:
    workers = [each for name, each in OURS.items() if "worker" in name]
    assert len(workers) > 1
    for service in workers:
        assert float(service["environment"]["STOP_SECONDS"]) == Settings.model_fields["STOP_SECONDS"].default
        assert seconds(service["stop_grace_period"]) > TO_STOP
    (worker,) = [each for each in deployment.render()["services"] if each["type"] == "worker"]
    assert worker["maxShutdownDelaySeconds"] > TO_STOP


def test_the_longest_wait_that_may_be_chosen_outlasts_every_limit() -> None:
    kinds = create_app({"DATABASE_URL": "sqlite://"}).extensions["kinds"].values()
    (field,) = [each for each in Settings.model_fields["STOP_SECONDS"].metadata if hasattr(each, "le")]
    assert field.le >= max(kind.time_limit for kind in kinds), "docs/deploying.md promises it"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.keys().isdisjoint({"privileged", "network_mode", "pid", "devices"})
    if name in OURS:
        assert "cap_add" not in service
        assert [folder.partition(":")[0] for folder in service["tmpfs"]] == ["/tmp"]
        assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/var/lib/webapi"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_says_how_it_is(name: str) -> None:
    check = SERVICES[name].get("healthcheck")
    assert check or name == "web", f"{name} would be asked for /healthz, which only the web answers"
    if check == {"disable": True}:
        assert name in {"migrate", "relay"}


def test_only_loopback_is_open() -> None:
    open_ports = [str(port) for service in SERVICES.values() for port in service.get("ports", ())]
    assert open_ports
    assert all(port.startswith("127.0.0.1:") for port in open_ports)
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("postgres", "valkey"))


def test_every_process_waits_for_the_migration() -> None:
    for name, service in OURS.items():
        condition = service["depends_on"].get("migrate", {}).get("condition")
        assert condition == "service_completed_successfully" or name == "migrate"


def test_secrets_come_as_files_and_settings_exist() -> None:
    for name, service in OURS.items():
        for variable in service["environment"]:
            assert variable.removesuffix("_FILE") in Settings.model_fields, (
                f"{name} sets {variable}, which nobody reads"
            )
            assert variable.endswith("_FILE") or not SECRET.search(variable), (
                f"{name} shows {variable} to `docker inspect`"
            )
    keys = [each["key"] for group in deployment.render()["envVarGroups"] for each in group["envVars"]]
    keys += [
        each["key"]
        for service in deployment.render()["services"]
        for each in service.get("envVars", ())
        if "key" in each
    ]
    assert set(keys) <= Settings.model_fields.keys()


def test_the_secrets_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    def make() -> dict[str, str]:
        script = ["sh", str(ROOT / "deploy/secrets.sh"), str(tmp_path / "secrets")]
        subprocess.run(script, check=True, cwd=tmp_path, timeout=10)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    made = make()
    assert {f"./secrets/{name}" for name in made} == {each["file"] for each in COMPOSE["secrets"].values()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len(made["secret_key"].strip()) == 64
    assert made["postgres_password"].strip() in made["database_url"]
    assert make() == made
    (tmp_path / "secrets/secret_key").unlink()
    assert make()["secret_key"] != made["secret_key"]


def test_valkey_forgets_nothing_by_itself() -> None:
    words = " ".join(SERVICES["valkey"]["command"])
    for option in ("--appendonly yes", "--maxmemory-policy noeviction", "--aclfile /run/secrets/valkey_acl"):
        assert option in words


def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    known = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    if not known:
        pytest.skip("docker compose is not installed here")
    options = [word for profile in PROFILES for word in ("--profile", profile)]
    command = [str(docker), "compose", "--file", str(ROOT / "compose.yaml"), *options, "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
