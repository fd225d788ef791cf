"""One act on many jobs, for programs and from the command line."""

from __future__ import annotations

from typing import Any

from tests.blueprints.site import Site


def ask(site: Site, act: str, query: str) -> tuple[int, dict[str, Any]]:
    answer = site.program.post(f"/api/v1/jobs/{act}?{query}", headers=site.ada.headers)
    return answer.status_code, answer.json or {}


def test_a_filter_is_cancelled_and_run_again_after_a_dry_run(site: Site) -> None:
    for _ in range(3):
        site.submit("data.process", {"data": [1]}, tag="bulk")
    status, body = ask(site, "cancel", "tag=bulk&dry_run=true")
    assert (status, body["dry_run"], body["changed"], body["jobs"]) == (200, True, 3, {"queued": 3})
    assert ask(site, "cancel", "tag=bulk")[1]["changed"] == 3
    assert ask(site, "cancel", "tag=bulk")[1] == {
        "dry_run": False, "changed": 0, "jobs": {}, "effects": {}, "remaining": 0, "partly": 0,
        "left_out": {"over already": 3}, "further": None,
    }  # fmt: skip
    status, body = ask(site, "replay", "tag=bulk&state=cancelled")
    assert (status, body["changed"]) == (200, 3)


def test_without_a_filter_it_is_refused(site: Site) -> None:
    status, body = ask(site, "cancel", "dry_run=true")
    assert (status, "at least one filter" in body["detail"]) == (400, True)


def test_the_commands_act_only_when_told_to(site: Site) -> None:
    site.submit("data.process", {"data": [1]}, tag="command")
    run = site.app.test_cli_runner().invoke
    args = ["--owner", site.ada.email, "--tag", "command"]
    assert "Would be done to 1: 1 queued." in run(args=["jobs", "cancel-all", *args]).output
    assert "Done to 1: 1 queued." in run(args=["jobs", "cancel-all", *args, "--yes"]).output
    assert "Would be done to 1: 1 cancelled." in run(args=["jobs", "replay-all", *args]).output
    assert run(args=["jobs", "replay-all", "--owner", site.ada.email]).exit_code == 1


def test_a_query_says_which_jobs_are_meant(site: Site) -> None:
    site.submit("data.process", {"data": [1]}, tag="queried")
    status, body = ask(site, "cancel", "q=tag:queried+-state:failed&dry_run=true")
    assert (status, body["changed"]) == (200, 1)
    status, body = ask(site, "cancel", "q=state:done")
    assert (status, body["detail"].startswith("There is no state 'done'. States:")) == (400, True)
    run = site.app.test_cli_runner().invoke
    owner = ["--owner", site.ada.email]
    assert "data.process" in run(args=["jobs", "list", *owner, "--query", "tag:queried"]).output
    assert run(args=["jobs", "list", *owner, "--query", "tag:nobody"]).output == ""
    assert "1 queued" in run(args=["jobs", "cancel-all", *owner, "--query", "tag:queried"]).output
    refused = run(args=["jobs", "cancel-all", *owner, "--query", "stat:x"])
    assert (refused.exit_code, "Did you mean state?" in refused.output) == (1, True)
