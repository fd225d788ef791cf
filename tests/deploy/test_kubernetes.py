"""The manifests fit the program: its settings, its commands, its limits, its addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.contracts.source import ROOT
from tests.deploy.manifests import COMBINATIONS, KUBERNETES, Rendered, named, needs_kubectl, of_kind, ours, templates
from webapi import create_app
from webapi.config import Settings
from webapi.queue.acts import ANSWER_LIMIT
from webapi.queue.worker import STOP_TIMEOUT

pytestmark = needs_kubectl
every = pytest.mark.parametrize("combination", COMBINATIONS)
SETTLED = 1.0  # seconds more that drain() looks


def settings_of(rendered: Rendered, combination: str) -> dict[str, str]:
    values: dict[str, str] = named(rendered[combination], "ConfigMap", "settings")["data"]
    return values


def program(name: str) -> list[str]:
    """The command of a verb of the Makefile, from its recipe: without the environment and the shell around it."""
    recipe = re.search(rf"^{name}:[^\n]*\n((?:\t[^\n]*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    text = recipe[1].replace("$(FLASK)", "$(BIN)/flask --app wsgi").partition("$(BIN)/")[2]
    return re.sub(r"\$\S+( \+ \S+)*", "VALUE", text).split()


@every
def test_each_name_in_the_environment_is_a_setting(rendered: Rendered, combination: str) -> None:
    names = set(settings_of(rendered, combination))
    for _, _, container in ours(rendered[combination]):
        names |= {each["name"] for each in container.get("env", [])}
    unknown = {name for name in names if name.removesuffix("_FILE") not in Settings.model_fields}
    assert not unknown


@every
def test_each_file_of_a_setting_is_mounted_from_the_secret(rendered: Rendered, combination: str) -> None:
    files = {Path(value) for name, value in settings_of(rendered, combination).items() if name.endswith("_FILE")}
    assert {path.parent for path in files} == {Path("/run/secrets/webapi")}
    for name, pod, container in ours(rendered[combination]):
        (volume,) = [each["name"] for each in pod["volumes"] if "secret" in each]
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert mounted[volume] == "/run/secrets/webapi", name
    if combination == "production":
        made = set(re.findall(r"--from-literal=([A-Z_]+)=", (KUBERNETES / "README.md").read_text()))
        assert made == {path.name for path in files}


def test_what_the_script_makes_up_lets_production_start(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = rendered.root / "overlays/trial/secrets/webapi.env"
    for line in secret.read_text().splitlines():
        name, _, value = line.partition("=")
        (tmp_path / name).write_text(value)
    for name, value in settings_of(rendered, "trial").items():
        monkeypatch.setenv(name, value.replace("/run/secrets/webapi", str(tmp_path)))
    app = create_app()
    assert app.config["WEBAPI_ENV"] == "production"
    assert app.config["SECRET_KEY"] == (tmp_path / "SECRET_KEY").read_text()


@pytest.mark.parametrize(("verb", "manifest"), [("web", "web"), ("worker", "worker-default"), ("upgrade", "migrate")])
def test_the_commands_are_those_of_the_makefile(rendered: Rendered, verb: str, manifest: str) -> None:
    (command,) = [each["command"] for name, _, each in ours(rendered["base"]) if name == manifest]
    expected = program(verb) + (["--host", "0.0.0.0"] if verb == "web" else [])
    assert len(command) == len(expected)
    assert [(a, b) for a, b in zip(command, expected, strict=True) if b not in (a, "VALUE")] == []


@every
def test_web_listens_where_its_service_sends(rendered: Rendered, combination: str) -> None:
    (container,) = [each for name, _, each in ours(rendered[combination]) if name == "web"]
    ports = {str(port["containerPort"]) for port in container["ports"]}
    assert ports == {settings_of(rendered, combination)["PORT"]}


@every
def test_each_queue_has_its_workers_and_no_other_queue_has(
    rendered: Rendered, product: Flask, combination: str
) -> None:
    taken = {}
    for name, _, container in ours(rendered[combination]):
        command = container["command"]
        if "-Q" in command:
            taken[name] = command[command.index("-Q") + 1]
    assert taken == {f"worker-{queue}": queue for queue in product.extensions["queues"]}


@every
def test_the_probes_ask_addresses_and_ports_that_there_are(
    rendered: Rendered, product: Flask, combination: str
) -> None:
    rules = {rule.rule for rule in product.url_map.iter_rules() if "GET" in (rule.methods or set())}
    asked = set()
    for name, _, container in ours(rendered[combination]):
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in (container.get(f"{which}Probe", {}) for which in ("startup", "liveness", "readiness")):
            if "httpGet" in probe:
                assert probe["httpGet"]["port"] in ports
                asked.add(probe["httpGet"]["path"])
            elif "exec" in probe:
                assert f"find {settings_of(rendered, combination)['ALIVE_PATH']} " in probe["exec"]["command"][-1]
            else:
                assert name == "migrate"
    assert asked == {"/healthz", "/readyz"}
    assert asked <= rules


@every
def test_a_worker_that_is_asked_to_stop_has_the_time_that_it_may_take(rendered: Rendered, combination: str) -> None:
    for name, pod, container in ours(rendered[combination]):
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        if "STOP_SECONDS" in own:
            needed = float(own["STOP_SECONDS"]) + ANSWER_LIMIT + SETTLED + STOP_TIMEOUT
            assert pod["terminationGracePeriodSeconds"] > needed, name


def test_a_rollout_throws_no_long_work_away(rendered: Rendered, product: Flask) -> None:
    kinds = product.extensions["kinds"].values()
    for queue in ("reports", "default"):
        (container,) = [each for name, _, each in ours(rendered["production"]) if name == f"worker-{queue}"]
        longest = max(kind.time_limit for kind in kinds if kind.queue == queue)
        assert [each for each in container["env"] if each["name"] == "STOP_SECONDS"] == [
            {"name": "STOP_SECONDS", "value": f"{longest:g}"}
        ]


@every
def test_no_container_may_more_than_it_needs(rendered: Rendered, combination: str) -> None:
    for name, template in templates(rendered[combination]):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"] is True, name
            assert allowed["allowPrivilegeEscalation"] is False, name
            assert allowed["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert "latest" not in container["image"], name


@every
def test_whoever_may_be_evicted_has_a_budget(rendered: Rendered, combination: str) -> None:
    budgets = [
        each["spec"]["selector"]["matchLabels"] for each in of_kind(rendered[combination], "PodDisruptionBudget")
    ]
    for each in of_kind(rendered[combination], "Deployment"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()
        if labels["app.kubernetes.io/name"] == "webapi":
            assert sum(budget.items() <= labels.items() for budget in budgets) == 1, each["metadata"]["name"]


@every
def test_what_a_pod_mounts_is_there(rendered: Rendered, combination: str) -> None:
    claims = {each["metadata"]["name"] for each in of_kind(rendered[combination], "PersistentVolumeClaim")}
    maps = {each["metadata"]["name"] for each in of_kind(rendered[combination], "ConfigMap")}
    for name, template in templates(rendered[combination]):
        for volume in template["spec"]["volumes"]:
            assert volume.get("persistentVolumeClaim", {}).get("claimName") in {None, *claims}, name
            assert volume.get("configMap", {}).get("name") in {None, *maps}, name


@every
def test_the_first_commands_of_a_rollout_apply_what_the_migration_needs(rendered: Rendered, combination: str) -> None:
    first = [
        each
        for each in rendered[combination]
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/component") in {"settings", "migration"}
    ]
    assert {each["kind"] for each in first} == {"ConfigMap", "CronJob", "NetworkPolicy"}
    (job,) = of_kind(first, "CronJob")
    assert job["spec"]["suspend"] is True
    text = json.dumps(job)
    assert named(first, "ConfigMap", "settings")["metadata"]["name"] in text


def test_the_page_names_files_that_are_there() -> None:
    page = (KUBERNETES / "README.md").read_text()
    names = set(re.findall(r"(?:deploy/kubernetes/|(?:components|overlays)/)[\w./-]*\w", page))
    places = {name: [ROOT / name, KUBERNETES / name] for name in names}
    assert len(places) > 5
    assert [name for name, paths in places.items() if not any(path.exists() for path in paths)] == []
