"""Something of everything, so that no list is empty."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import Site
from tests.waiting import until

PEOPLE = b"email,first_name\nada@example.com,Ada\nnobody,Nobody\n"


def fill(site: Site) -> None:
    """One of each thing for Ada, made by the API; returns when her jobs are over."""
    client = site.ada.app.test_client()

    def post(path: str, body: Any) -> dict[str, Any]:
        given = {"data": body} if isinstance(body, bytes) else {"json": body}
        answer = client.post(f"/api/v1{path}", headers=site.ada.headers, **given)
        assert answer.status_code in {200, 201, 202}, answer.text
        return dict(answer.json or {})

    mail = {"to": ["you@example.com", "uncertain@simulator.webapi"], "subject": "Hello", "text": "It works."}
    jobs = [
        post("/jobs/data.process?tag=monthly", {"data": [3, 1, 2]}),
        post("/jobs/email.send", mail),
        post("/jobs/http.call", {"url": "http://127.0.0.1:9/"}),
        post("/jobs/report.build", {"report": "jobs", "format": "csv"}),
    ]
    post("/datasets?file_name=sales.csv&name=sales", b"city,amount\nBern,12.5\nBasel,9\n")
    post("/reports", {"name": "sales-by-city", "title": "Sales by city", "sql": "SELECT city, amount FROM sales"})
    plan = {"name": "Mondays", "kind": "report.build", "payload": {"report": "jobs"}, "cron": "0 9 * * 1"}
    post("/schedules", {**plan, "timezone": "Europe/Zurich"})
    post("/templates", {"name": "hello", "subject": "Hello {{first_name}}", "html": "<p>Hello {{first_name}}</p>"})
    upload = post("/uploads?name=people.csv", PEOPLE)
    post("/mailings", {"template": "hello", "recipients": upload["id"]})
    post("/suppressions", {"address": "no-more@example.com", "detail": "asked by telephone"})
    post("/senders", {"address": "invoices@example.com", "name": "Example Ltd"})

    def over() -> bool:
        paths = (f"/api/v1/jobs/{job['id']}" for job in jobs)
        states = [(client.get(path, headers=site.ada.headers).json or {})["state"] for path in paths]
        return set(states) <= {"succeeded", "failed", "uncertain"}

    until(over, what="the jobs to be over")
