"""Who may talk to whom in the cluster."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from flask import Flask

from tests.deploy.manifests import COMBINATIONS, Manifest, Rendered, needs_kubectl, of_kind, templates

pytestmark = needs_kubectl
every = pytest.mark.parametrize("combination", COMBINATIONS)
OUTSIDE = "198.51.100.7"


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """As the API reference of LabelSelector says."""
    holds = {"In": lambda value, given: value in given, "NotIn": lambda value, given: value not in given}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        holds[each["operator"]](labels.get(each["key"]), each["values"])
        for each in selector.get("matchExpressions", [])
    )


def ways(manifests: list[Manifest], labels: dict[str, str], direction: str) -> list[dict[str, Any]]:
    """The rules that open something to pods with these labels."""
    policies = [each["spec"] for each in of_kind(manifests, "NetworkPolicy")]
    return [
        rule
        for policy in policies
        if selects(policy["podSelector"], labels)
        for rule in policy.get(direction.lower(), [])
    ]


def pods(manifests: list[Manifest]) -> dict[str, dict[str, str]]:
    return {name: template["metadata"]["labels"] for name, template in templates(manifests)}


def goes_out(manifests: list[Manifest], labels: dict[str, str], port: int, address: str = OUTSIDE) -> bool:
    for rule in ways(manifests, labels, "Egress"):
        ends = rule.get("to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}])
        blocks = [end["ipBlock"] for end in ends if "ipBlock" in end]
        reached = any(
            ip_address(address) in ip_network(block["cidr"])
            and not any(ip_address(address) in ip_network(each) for each in block.get("except", []))
            for block in blocks
        )
        if reached and any(each["port"] == port for each in rule["ports"]):
            return True
    return False


@every
def test_nothing_is_open_that_no_rule_opens(rendered: Rendered, combination: str) -> None:
    all_pods = [
        each["spec"] for each in of_kind(rendered[combination], "NetworkPolicy") if not each["spec"]["podSelector"]
    ]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in all_pods


@every
def test_only_the_queue_that_calls_others_reaches_them(rendered: Rendered, product: Flask, combination: str) -> None:
    kinds = product.extensions["kinds"].values()
    calling = {f"worker-{kind.queue}" for kind in kinds if kind.effect == "call"}
    for port in (80, 443):
        found = {
            name
            for name, labels in pods(rendered[combination]).items()
            if goes_out(rendered[combination], labels, port)
        }
        storing = {"web", *(name for name in found if name.startswith("worker-"))} if "s3" in combination else set()
        assert found == calling | (storing if port == 443 else set())
    labels = pods(rendered[combination])["worker-default"]
    for private in ("10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.0.0.1"):
        assert not goes_out(rendered[combination], labels, 80, private)


@every
def test_mails_leave_from_their_queue_and_web_only_asks(rendered: Rendered, combination: str) -> None:
    found = {
        name for name, labels in pods(rendered[combination]).items() if goes_out(rendered[combination], labels, 587)
    }
    assert found == {"web", "worker-email"}


@every
def test_every_process_of_ours_reaches_the_database(rendered: Rendered, combination: str) -> None:
    for name, labels in pods(rendered[combination]).items():
        if labels["app.kubernetes.io/name"] == "webapi":
            assert goes_out(rendered[combination], labels, 5432), name


@every
def test_redis_takes_web_and_workers_and_each_other_and_nobody_else(rendered: Rendered, combination: str) -> None:
    labels = pods(rendered[combination])
    let_in = {
        name
        for rule in ways(rendered[combination], labels["valkey"], "Ingress")
        for end in rule["from"]
        for name, those in labels.items()
        if selects(end["podSelector"], those)
    }
    expected = {"web", "worker-email", "worker-reports", "worker-default"}
    assert let_in == expected | ({"valkey"} if "sentinel" in combination else set())


@every
def test_people_come_in_through_the_ingress_and_prometheus_to_the_metrics(rendered: Rendered, combination: str) -> None:
    watching = ["monitoring"] if "monitoring" in combination else []
    controller = "traefik" if "production" in combination else "ingress"
    for name, labels in pods(rendered[combination]).items():
        if labels["app.kubernetes.io/name"] == "webapi":
            rules = ways(rendered[combination], labels, "Ingress")
            let_in = [
                end["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                for rule in rules
                for end in rule["from"]
            ]
            expected = {"web": [controller, *watching], "migrate": []}.get(name, watching)
            assert sorted(let_in) == sorted(expected), name
