"""A mail server that is none: nothing leaves, and every outcome can be seen."""

from __future__ import annotations

import pytest

from tests.queue.rows import OWNER, job
from tests.services.mail.mailing import BOB, EVE, again, outcomes, send, template, upload
from tests.smtp_server import Act, SmtpServer
from webapi.services.mail import suppressions
from webapi.services.mail.simulator import is_simulated

pytestmark = pytest.mark.usefixtures("owner")


@pytest.mark.parametrize(
    ("name", "effect", "state", "later"),
    [
        ("delivered", ("done", 250), "succeeded", "succeeded"),
        ("refused", ("refused", 550), "failed", "failed"),
        ("deferred", ("pending", 451), "retrying", "retrying"),
        ("uncertain", ("unknown", None), "retrying", "uncertain"),
        ("anybody", ("done", 250), "succeeded", "succeeded"),
        ("REFUSED+tag", ("refused", 550), "failed", "failed"),
    ],
)
def test_each_address_ends_as_it_says_and_no_server_hears_of_it(
    mail_server: SmtpServer, name: str, effect: tuple[str, int | None], state: str, later: str
) -> None:
    address = f"{name}@simulator.webapi"
    job_id = send(address)
    assert (outcomes(job_id), job(job_id).state) == ({address: effect}, state)
    if state == "retrying":
        again(job_id)
    assert (job(job_id).state, mail_server.connections) == (later, 0)


def test_the_sandbox_ends_well_and_no_server_hears_of_it(mail_server: SmtpServer) -> None:
    template()
    mail_server.plan(BOB, Act.REFUSE_AT_RCPT)
    job_id = send(BOB, EVE, sandbox=True, template="invoice", values={"name": "Ada"}, attachments=[upload(b"x")])
    assert (job(job_id).state, job(job_id).result) == ("succeeded", {"accepted": 2, "refused": 0, "held": 0})
    assert outcomes(job_id) == {BOB: ("done", 250), EVE: ("done", 250)}
    assert (mail_server.connections, mail_server.stored) == (0, [])


def test_the_outcomes_are_played_in_the_sandbox_too(mail_server: SmtpServer) -> None:
    job_id = send("refused@simulator.webapi", BOB, sandbox=True)
    assert sorted(outcomes(job_id).values()) == [("done", 250), ("refused", 550)]
    assert mail_server.connections == 0


def test_the_sandbox_needs_no_server_and_keeps_the_rules() -> None:
    suppressions.add(OWNER, BOB, "manual")
    job_id = send(BOB, EVE, sandbox=True)
    assert outcomes(job_id) == {BOB: ("held", None), EVE: ("done", 250)}


def test_real_and_played_mails_go_side_by_side(mail_server: SmtpServer) -> None:
    job_id = send("delivered@simulator.webapi", BOB, "refused@simulator.webapi", EVE)
    assert sorted(outcomes(job_id).values()) == [("done", 250), ("done", 250), ("done", 250), ("refused", 550)]
    assert [mail.recipients for mail in mail_server.stored] == [(BOB,), (EVE,)]


@pytest.mark.parametrize(
    ("address", "simulated"),
    [("a@simulator.webapi", True), ("a@SIMULATOR.webapi", True), ("a@x.simulator.webapi", False), ("a@webapi", False),
     ("simulator.webapi@x.example", False), ("a@simulator.webapi.example", False)],
)  # fmt: skip
def test_only_its_own_domain_is_played(address: str, simulated: bool) -> None:
    assert is_simulated(address) is simulated
