"""The time zone in which a person reads times."""

from __future__ import annotations

import pytest

from tests.conftest import Person
from webapi.errors import Invalid
from webapi.services import zones

pytestmark = pytest.mark.usefixtures("context")


def test_who_has_chosen_none_reads_utc(ada: Person) -> None:
    assert ada.row.time_zone == "UTC"


def test_a_zone_is_kept(ada: Person, eve: Person) -> None:
    zones.choose(ada.row, "Europe/Zurich")
    assert (ada.row.time_zone, eve.row.time_zone) == ("Europe/Zurich", "UTC")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "x" * 100, "UTC\n"])
def test_what_is_no_zone_is_refused_in_a_sentence(ada: Person, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        zones.choose(ada.row, name)
    assert caught.value.faults[0].pointer == "/time_zone"
    assert ada.row.time_zone == "UTC"


def test_every_zone_that_is_offered_can_be_chosen(ada: Person) -> None:
    offered = zones.names()
    assert offered[0] == "UTC"
    for name in offered[:: len(offered) // 20]:
        zones.choose(ada.row, name)
        assert ada.row.time_zone == name
