"""The protocol as a small machine: every state that it can reach is right, and every mistake is caught."""

from __future__ import annotations

import pytest

from tests.model.mistakes import MISTAKES
from tests.model.search import Found, search
from tests.model.state import Left

# What goes wrong together. All at once is some millions of states, which is for the soak.
UNIVERSES = {
    "deaths": Left(kills=2, losses=1, silences=1),
    "freezes": Left(overruns=2, silences=1, kills=1),
    "cancels": Left(cancels=1, kills=1, overruns=1, silences=1),
    "refusals": Left(refusals=2, silences=1, overruns=1, kills=1),
    "replays": Left(replays=1, kills=1, overruns=1, refusals=1, silences=1),
    "resolves": Left(resolves=1, silences=2, kills=1, overruns=1),
}
EVERYTHING = Left(1, 1, 1, 1, 1, 1, 1, 1)


def check(policy: str, left: Left, least: int) -> None:
    found = search(policy, left)
    print(f"\n{policy}: {found.states:,} states")
    assert found == Found(found.states), f"{found.violation}: {', '.join(found.trace)}"
    assert found.states >= least, "the search has become too small to mean anything"


@pytest.mark.parametrize("policy", ["hold", "resend"])
@pytest.mark.parametrize("universe", UNIVERSES)
def test_no_state_that_can_be_reached_breaks_a_promise(policy: str, universe: str) -> None:
    check(policy, UNIVERSES[universe], least=9_000)


@pytest.mark.soak
@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_nor_does_any_when_everything_may_go_wrong_once(policy: str) -> None:
    check(policy, EVERYTHING, least=4_000_000)


@pytest.mark.parametrize(("mistake", "policy", "promise"), MISTAKES, ids=[each[0] for each in MISTAKES])
def test_every_mistake_is_caught(mistake: str, policy: str, promise: str) -> None:
    searches = (search(policy, left, {mistake}) for left in UNIVERSES.values())
    found = next((each for each in searches if each.violation), None)
    assert found is not None, f"nothing breaks: {mistake}"
    assert found.violation.startswith(f"{promise} "), f"{found.violation}: {', '.join(found.trace)}"
