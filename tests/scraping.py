"""Reading a page of metrics as Prometheus does."""

from __future__ import annotations

import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(page: bytes | str) -> Samples:
    """Every figure, by its name and its labels in order. Fails on a page that Prometheus would not read."""
    text = page.decode() if isinstance(page, bytes) else page
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def figure(page: bytes | str | Samples, name: str, **labels: str) -> float:
    """The sum of what has that name and, among others, these labels; 0 for nothing."""
    found = page if isinstance(page, dict) else samples(page)
    wanted = set(labels.items())
    return sum(value for (each, given), value in found.items() if each == name and wanted <= set(given))


def scrape(port: int, token: str | None = None) -> tuple[int, bytes]:
    """The status and the body of /metrics on a port of this machine."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
