"""Mailings for programs: a file is handed in, checked, confirmed, and comes back with a verdict on each row."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site
from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue.relay import wake_due
from webapi.services import keys

pytestmark = pytest.mark.usefixtures("template")


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


@pytest.fixture(scope="module")
def template(site: Site) -> str:
    wording = {"name": "invoice", "subject": "For {{name}}", "html": "<p>Hello {{name}}.</p>"}
    return str(body(asking(site)("POST", "/templates", json=wording), 201)["name"])


def people(*local_parts: str, more: str = "") -> str:
    """A file of addresses whose mails are played, unlike any file before."""
    rows = "".join(f"{each}+{uuid4().hex}@simulator.webapi,{each.title()}\n" for each in local_parts)
    return f"email,name\n{rows}{more}"


def handed_in(ask: Ask, content: str, **options: Any) -> dict[str, Any]:
    """The payload of a mailing of this file."""
    upload = body(ask("POST", "/uploads?name=people.csv", data=content.encode()), 201)
    return {"template": "invoice", "recipients": upload["id"], **options}


def mail(ask: Ask, content: str, **options: Any) -> str:
    """The path of a new mailing."""
    answer = ask("POST", "/mailings", json=handed_in(ask, content, **options))
    assert answer.status_code == 202, answer.text
    return (answer.location or "").removeprefix("/api/v1")


def checked(site: Site, ask: Ask, content: str, **options: Any) -> str:
    path = mail(ask, content, **options)
    while body(ask("GET", path))["phase"] == "checking":
        site.work("email.bulk")
    return path


def run(site: Site) -> None:
    """Do what is due of all mailings."""
    with site.app.app_context():
        with writing() as session:
            session.query(Job).filter(Job.state.in_(["retrying", "scheduled"])).update({"run_at": after(0)})
        wake_due()
    for kind in ("email.spread", "email.part"):
        while queued(site, kind):
            site.work(kind)


def queued(site: Site, kind: str) -> int:
    with site.app.app_context():
        return db.session.query(Job).filter_by(kind=kind, state="queued").count()


def test_before_its_file_is_looked_at_a_mailing_is_there_and_checking(ask: Ask) -> None:
    path = mail(ask, people("delivered"))
    found = body(ask("GET", path))
    assert (found["phase"], found["template"], found["findings"]) == ("checking", "invoice@1", None)
    assert found["id"] in [each["id"] for each in body(ask("GET", "/mailings"))["mailings"]]
    assert ask("POST", f"{path}/confirm", json={}).status_code == 409
    assert body(ask("POST", f"{path}/cancel"))["phase"] == "cancelled"
    assert ask("POST", f"{path}/cancel").status_code == 409


def test_from_a_file_to_a_verdict_on_each_row(site: Site, ask: Ask) -> None:
    path = checked(site, ask, people("delivered", "refused", "uncertain", more="nobody,N\n"))
    found = body(ask("GET", path))
    assert (found["phase"], found["counts"]["total"], found["findings"]["bad"]) == ("checked", 3, 1)
    assert "leave them out" in body(ask("POST", f"{path}/confirm", json={}), 409)["detail"]
    assert body(ask("POST", f"{path}/confirm", json={"leave_out_bad": True}))["phase"] == "sending"
    run(site)
    run(site)
    found = body(ask("GET", path))
    assert (found["phase"], found["percent"]) == ("done", 100)
    assert found["counts"] == {
        "total": 3, "delivered": 1, "refused": 1, "uncertain": 1, "held": 0, "bounced": 0, "waiting": 0,
    }  # fmt: skip
    table = ask("GET", f"{path}/recipients.csv")
    assert (table.mimetype, table.headers["Cache-Control"]) == ("text/csv", "no-store")
    assert table.headers["Content-Disposition"] == "attachment; filename=recipients.csv"
    verdicts = [line.split(",")[2] for line in table.text.splitlines()]
    assert verdicts == ["webapi_state", "delivered", "refused", "uncertain", "not sent"]


def test_the_mails_are_listed_by_state_page_by_page(site: Site, ask: Ask) -> None:
    path = checked(site, ask, people(*["delivered"] * 5, *["refused"] * 2), confirm="now")
    run(site)
    pages, cursor = [], ""
    while cursor is not None:
        page = body(ask("GET", f"{path}/mails", query_string={"state": "done", "limit": 2, "cursor": cursor}))
        pages.append([each["address"] for each in page["mails"]])
        cursor = page["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({address for page in pages for address in page}) == 5
    refused = body(ask("GET", f"{path}/mails?state=refused&state=held"))["mails"]
    assert [(each["state"], each["code"]) for each in refused] == [("refused", 550)] * 2
    assert len(body(ask("GET", f"{path}/mails"))["mails"]) == 7
    assert ask("GET", f"{path}/mails?state=lost").status_code == 400


def test_held_mails_of_several_parts_are_released_together_or_not_at_all(site: Site, ask: Ask) -> None:
    content = people("delivered", "delivered", "delivered")
    for line in content.splitlines()[1:]:
        ask("POST", "/suppressions", json={"address": line.partition(",")[0]})
    path = checked(site, ask, content, confirm="now", rate=6)  # a part for each
    for _ in range(3):
        run(site)
    assert (body(ask("GET", path))["phase"], body(ask("GET", path))["counts"]["held"]) == ("done", 3)
    held = [each["id"] for each in body(ask("GET", f"{path}/mails?state=held"))["mails"]]
    assert ask("POST", f"{path}/release", json={"effects": [*held, str(uuid4())]}).status_code == 404
    assert body(ask("GET", path))["counts"]["held"] == 3
    assert body(ask("POST", f"{path}/release", json={"effects": held[:2]}))["phase"] == "sending"
    run(site)
    counts = body(ask("GET", path))["counts"]
    assert (counts["delivered"], counts["held"]) == (2, 1)
    assert ask("POST", f"{path}/release", json={"effects": held[1:]}).status_code == 422  # one of them went
    assert body(ask("GET", path))["phase"] == "done"


def test_it_is_paused_resumed_cancelled_and_sent_to_the_rest(site: Site, ask: Ask) -> None:
    path = checked(site, ask, people(*["delivered"] * 3), confirm="now", rate=6)
    assert body(ask("POST", f"{path}/pause"))["phase"] == "paused"
    run(site)
    assert body(ask("GET", path))["counts"]["delivered"] == 0
    assert body(ask("POST", f"{path}/resume"))["phase"] == "sending"
    assert body(ask("POST", f"{path}/cancel"))["phase"] == "cancelled"
    assert ask("POST", f"{path}/pause").status_code == 409
    assert body(ask("POST", f"{path}/again"))["phase"] == "sending"
    for _ in range(3):
        run(site)
    assert (body(ask("GET", path))["phase"], body(ask("GET", path))["counts"]["delivered"]) == ("done", 3)


def test_a_file_that_went_out_before_is_refused_with_the_first_mailing(site: Site, ask: Ask) -> None:
    content = people("delivered")
    first = checked(site, ask, content, confirm="now")
    refused = body(ask("POST", "/mailings", json=handed_in(ask, content)), 422)
    assert refused["first"] == f"http://127.0.0.1:5000{first}"
    assert [fault["pointer"] for fault in refused["errors"]] == ["/recipients"]
    assert ask("POST", "/mailings", json=handed_in(ask, content, again=True)).status_code == 202


def test_a_request_that_is_repeated_is_one_mailing_at_either_door(ask: Ask) -> None:
    payload, once = handed_in(ask, people("delivered")), {"Idempotency-Key": uuid4().hex}
    first = ask("POST", "/mailings", json=payload, headers=once)
    second = ask("POST", "/mailings", json=payload, headers=once)
    other = ask("POST", "/jobs/email.bulk", json=payload, headers=once)
    assert (first.location, second.headers["Idempotency-Replayed"]) == (second.location, "true")
    assert {body(each, 202)["id"] for each in (first, second, other)} == {body(first, 202)["id"]}
    reused = ask("POST", "/mailings", json={**payload, "rate": 5}, headers=once)
    assert body(reused, 422)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"template": "no-such"}, "/template"),
        ({"template": "invoice@9"}, "/template"),
        ({"recipients": str(uuid4())}, "/recipients"),
        ({"sender": "eve@example.com"}, "/sender"),
        ({"rate": 0}, "/rate"),
        ({"confirm": "later"}, "/confirm"),
        ({"subject": "x"}, "/subject"),
    ],
)
def test_what_is_wrong_is_named(ask: Ask, change: dict[str, Any], pointer: str) -> None:
    answer = body(ask("POST", "/mailings", json={**handed_in(ask, people("delivered")), **change}), 422)
    assert [fault["pointer"] for fault in answer["errors"]] == [pointer]


def test_a_file_that_cannot_be_mailed_says_why(site: Site, ask: Ask) -> None:
    path = checked(site, ask, f"nobody,name\nx,{uuid4().hex}\n")
    found = body(ask("GET", path))
    assert (found["phase"], found["problem"][:31]) == ("faulty", "The file has no column 'email'.")
    assert ask("POST", f"{path}/confirm", json={"leave_out_bad": True}).status_code == 409


def test_a_walk_over_the_list_meets_each_newest_first(ask: Ask) -> None:
    made = [mail(ask, people("delivered")).rpartition("/")[2] for _ in range(3)][::-1]
    first = body(ask("GET", "/mailings?limit=2"))
    second = body(ask("GET", "/mailings", query_string={"limit": 1, "cursor": first["next_cursor"]}))
    assert [each["id"] for each in first["mailings"] + second["mailings"]] == made


def test_a_job_of_another_kind_is_no_mailing(site: Site, ask: Ask) -> None:
    job = site.submit("data.process", {"data": 1})
    assert body(ask("GET", f"/mailings/{job['id']}"), 404)["detail"] == "There is no such mailing."
    assert ask("POST", f"/mailings/{job['id']}/cancel").status_code == 404


def test_every_link_of_a_mailing_leads_to_a_door(site: Site, ask: Ask) -> None:
    links = body(ask("GET", checked(site, ask, people("delivered"))))["links"]
    for door in ("self", "job", "mails", "recipients"):
        assert ask("GET", links[door].removeprefix("/api/v1")).status_code == 200, door
    for door in ("pause", "resume", "release", "cancel", "again"):
        status = ask("POST", links[door].removeprefix("/api/v1"), json={"effects": [str(uuid4())]}).status_code
        assert status in {200, 404, 409}, door


def test_a_mailing_of_a_test_key_is_played_and_stays_so(site: Site, ask: Ask) -> None:
    with site.app.app_context():
        token = keys.create(site.ada.row, "trial", test=True)
    trial = asking(site, {"Authorization": f"Bearer {token}"})
    content = f"email,name\n{uuid4().hex}@example.com,Bob\n"
    played = checked(site, trial, content)
    assert body(trial("POST", f"{played}/confirm", json={}))["sandbox"] is True
    run(site)
    assert body(ask("GET", played))["counts"]["delivered"] == 1
    meant = checked(site, ask, content)
    for door, given in (("confirm", {}), ("resume", None), ("again", None), ("release", {"effects": []})):
        assert trial("POST", f"{meant}/{door}", json=given).status_code == 403, door
