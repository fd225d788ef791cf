"""Every manifest is one that the API server would take, as far as its schemas tell."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from tests.contracts.source import ROOT
from tests.deploy.manifests import COMBINATIONS, Manifest, Rendered, named, needs_kubectl

HERE = ROOT / "tests" / "deploy"
KUBERNETES = json.loads((HERE / "kubernetes.json").read_text("utf-8"))
CUSTOM = yaml.safe_load((HERE / "custom_resources.yaml").read_text("utf-8"))
every = pytest.mark.parametrize("combination", COMBINATIONS)


def faults(manifest: Manifest) -> list[str]:
    """What is wrong with a manifest, each with its place."""
    kind = manifest["kind"]
    schema = KUBERNETES | {"$ref": f"#/$defs/{kind}"}
    if kind in CUSTOM:
        metadata = {"$ref": "#/$defs/ObjectMeta"}
        fields = {"kind": {}, "apiVersion": {"const": CUSTOM[kind]["apiVersion"]}, "spec": CUSTOM[kind]["spec"]}
        schema = KUBERNETES | {"properties": fields | {"metadata": metadata}, "additionalProperties": False}
    validator = jsonschema.Draft202012Validator(schema)
    return [
        f"{kind} {manifest['metadata']['name']} {each.json_path}: {each.message}"
        for each in validator.iter_errors(manifest)
    ]


@needs_kubectl
@every
def test_every_manifest_is_valid(rendered: Rendered, combination: str) -> None:
    assert [fault for manifest in rendered[combination] for fault in faults(manifest)] == []


@needs_kubectl
def test_the_schemas_know_a_fault_from_a_field(rendered: Rendered) -> None:
    web = named(rendered["trial+keda"], "Deployment", "web")
    pod = web["spec"]["template"]["spec"]
    wrong = web | {"spec": web["spec"] | {"template": {"spec": pod | {"gracePeriod": 1}}}}
    assert any("gracePeriod" in fault for fault in faults(wrong))
    assert any("'two'" in fault for fault in faults(web | {"spec": web["spec"] | {"replicas": "two"}}))
    scaler = named(rendered["trial+keda"], "ScaledObject", "worker-email")
    assert any("cron" in fault for fault in faults(scaler | {"spec": scaler["spec"] | {"cron": 1}}))
