"""The drill's judge: a check that cannot fail proves nothing, so each fault is put in and must be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from webapi.local.drill.journal import Row
from webapi.local.drill.oracle import Evidence, Judgement, judge

A, B = "ok.0.0@drill.example.com", "ok.0.1@drill.example.com"
CALL = "POST http://127.0.0.1:1/ok.1.0"


def order(number: int = 0, effects: Sequence[str] = (A, B)) -> list[Row]:
    key = f"key-{number}"
    return [
        {"what": "order", "key": key, "tag": f"n{number}", "kind": "email.send", "effects": list(effects)},
        {"what": "answered", "key": key, "status": 202, "job": f"job-{number}"},
    ]


def job(state: str = "succeeded", number: int = 0, name: str | None = None) -> dict[str, Any]:
    return {"id": name or f"job-{number}", "tags": [f"n{number}"], "state": state}


def receipt(effect: str, name: str = "") -> Row:
    return {"what": "receipt", "effect": effect, "id": name or f"<{effect}>"}


def begun(effect: str) -> Row:
    return {"what": "begun", "effect": effect}


def effect(key: str, state: str, kind: str = "mail", resends: int = 0) -> Mapping[str, Any]:
    return {"effect_key": key, "state": state, "kind": kind, "resends": resends}


HONEST = Evidence(order(), [begun(A), receipt(A), begun(B), receipt(B)], [job()], {})


def of(state: str, sinks: Sequence[Row], *effects: Mapping[str, Any]) -> Judgement:
    """One job with two mails that ended so, where the sinks took this and the API says that of its effects."""
    return judge(replace(HONEST, sinks=sinks, jobs=[job(state)], effects={"job-0": effects}))


def test_what_is_as_promised_is_clean() -> None:
    found = judge(HONEST)
    assert found.clean
    assert found.states == {"succeeded": 1}


def test_an_accepted_job_that_nobody_knows_is_lost() -> None:
    assert judge(replace(HONEST, jobs=[])).lost == ["job-0 was accepted under key-0 and the API does not know it."]


def test_an_order_that_was_never_accepted_is_lost() -> None:
    assert judge(replace(HONEST, requests=order()[:1], jobs=[])).lost == ["key-0 was never accepted."]


def test_a_job_that_is_not_over_is_lost() -> None:
    assert of("queued", HONEST.sinks).lost == ["job-0 is queued and not over."]


def test_a_job_that_succeeded_without_one_of_its_mails_is_lost_and_its_verdict_false() -> None:
    found = of("succeeded", [receipt(A)])
    assert found.lost == found.false == [f"job-0 succeeded and {B} has no receipt."]


def test_a_mail_that_came_twice_is_found() -> None:
    found = of("succeeded", [*HONEST.sinks, receipt(B)])
    assert found.duplicated == [f"{B} was done 2 times for job-0."]
    assert not found.lost


def test_a_mail_that_came_twice_is_found_under_every_verdict() -> None:
    twice = [receipt(A), receipt(A)]
    for state in ("failed", "uncertain", "cancelled", "expired", "running"):
        assert of(state, twice, effect(A, "done"), effect(B, "pending")).duplicated == [
            f"{A} was done 2 times for job-0."
        ]


def test_two_jobs_under_one_key_are_found_when_the_client_was_told_of_both() -> None:
    requests = [*order(), {"what": "answered", "key": "key-0", "status": 202, "job": "job-other"}]
    found = judge(replace(HONEST, requests=requests, jobs=[job(), job(name="job-other")]))
    assert found.duplicated == ["key-0 made 2 jobs."]


def test_two_jobs_under_one_key_are_found_when_the_client_was_told_of_one() -> None:
    assert judge(replace(HONEST, jobs=[job(), job(name="job-other")])).duplicated == ["key-0 made 2 jobs."]


def test_a_job_and_a_mail_that_nobody_wanted_are_found() -> None:
    found = judge(replace(HONEST, jobs=[job(), job(number=9)], sinks=[*HONEST.sinks, receipt("stranger@example.com")]))
    assert found.duplicated == ["job-9 was asked for by nobody.", "stranger@example.com was done for nobody."]


def test_a_call_may_be_repeated_as_often_as_the_ledger_says_and_under_one_id() -> None:
    evidence = Evidence(order(1, [CALL]), [receipt(CALL)] * 2, [job(number=1)], {})
    told = {"job-1": [effect(CALL, "done", "call", resends=1)]}
    assert judge(replace(evidence, effects=told)).clean
    assert judge(evidence).duplicated == [f"{CALL} was done 2 times for job-1."]
    renamed = replace(evidence, sinks=[receipt(CALL, "a"), receipt(CALL, "b")], effects=told)
    assert judge(renamed).duplicated == [f"{CALL} was done under 2 ids."]


def test_a_verdict_that_denies_a_mail_that_arrived_is_false() -> None:
    for state in ("failed", "cancelled", "expired", "uncertain"):
        for said in ("pending", "refused", "inflight"):
            found = of(state, [receipt(A)], effect(A, said), effect(B, "pending"))
            assert found.false == [f"job-0 is {state}: {A} is called {said} and has a receipt."]


def test_a_mail_of_which_the_api_says_nothing_may_not_have_arrived() -> None:
    assert of("failed", [receipt(A)]).false == [f"job-0 is failed: {A} is called missing and has a receipt."]


def test_a_mail_that_is_called_done_has_arrived() -> None:
    found = of("failed", [receipt(A)], effect(A, "done"), effect(B, "done"))
    assert found.false == [f"job-0 is failed: {B} is called done and has no receipt."]


def test_unknown_is_honest_only_of_a_mail_that_was_begun() -> None:
    found = of("uncertain", [begun(A)], effect(A, "unknown"), effect(B, "pending"))
    assert found.clean
    assert (found.uncertain_arrived, found.uncertain_absent) == (0, 1)
    found = of("uncertain", [], effect(A, "unknown"), effect(B, "pending"))
    assert found.false == [f"job-0 is uncertain: {A} is called unknown and was never begun."]


def test_what_is_unknown_may_have_arrived() -> None:
    found = of("uncertain", [begun(A), receipt(A)], effect(A, "unknown"), effect(B, "refused"))
    assert found.clean
    assert (found.uncertain_arrived, found.uncertain_absent) == (1, 0)
