"""What `deploy/kubernetes` says: as it is written, and as kubectl renders it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.source import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
Manifest = dict[str, Any]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it was built so: ten times as fast
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which renders, is not installed")

# An overlay, and the components that a person adds to it.
COMBINATIONS = {
    "base": [],
    "trial": [],
    "production": [],
    "trial+keda": ["keda"],
    "trial+sentinel": ["sentinel"],
    "production+keda": ["keda"],
    "production+sentinel": ["sentinel"],
    "trial+monitoring": ["monitoring"],
    "trial+s3": ["s3"],
    "production+keda+sentinel+monitoring+s3": ["keda", "sentinel", "monitoring", "s3"],
}


def written(path: str) -> list[Manifest]:
    """The documents of one file, with no kustomization applied."""
    return list(yaml.load_all((KUBERNETES / path).read_text("utf-8"), LOADER))


class Rendered:
    """A copy of the manifests in which each combination is rendered once."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "kubernetes"
        shutil.copytree(KUBERNETES, self.root, ignore=shutil.ignore_patterns("secrets"))
        subprocess.run(["sh", self.root / "overlays/trial/secrets.sh"], check=True)
        self._known: dict[str, list[Manifest]] = {}

    def __getitem__(self, combination: str) -> list[Manifest]:
        if combination not in self._known:
            self._known[combination] = self._render(combination)
        return self._known[combination]

    def _render(self, combination: str) -> list[Manifest]:
        overlay = combination.partition("+")[0]
        under = f"../../overlays/{overlay}" if overlay != "base" else "../../base"
        folder = self.root / "combinations" / combination
        folder.mkdir(parents=True)
        components = [f"../../components/{name}" for name in COMBINATIONS[combination]]
        asked = {"kind": "Kustomization", "resources": [under], "components": components}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(asked))
        command = ["kubectl", "kustomize", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return list(yaml.load_all(done.stdout, LOADER))


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The one of that kind and name; generated names end in a hash, which is left out of `name`."""
    found = [
        each
        for each in manifests
        if each["kind"] == kind and (each["metadata"]["name"] == name or each["metadata"]["name"][:-11] == name)
    ]
    (one,) = found
    return one


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def templates(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The name of whatever makes pods, and the pods that it makes."""
    for each in of_kind(manifests, "Deployment", "StatefulSet"):
        yield each["metadata"]["name"], each["spec"]["template"]
    for each in of_kind(manifests, "CronJob"):
        yield each["metadata"]["name"], each["spec"]["jobTemplate"]["spec"]["template"]


def ours(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """The pods that run our image: whose they are, what they are, and their container."""
    for name, template in templates(manifests):
        for container in template["spec"]["containers"]:
            if container["image"].rpartition(":")[0].endswith("webapi") or container["image"] == "webapi":
                yield name, template["spec"], container
