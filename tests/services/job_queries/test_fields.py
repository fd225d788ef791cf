"""Every name of the language says what it is, by an example that can be read."""

from __future__ import annotations

import pytest

from webapi.errors import Malformed
from webapi.services.job_queries import read
from webapi.services.job_queries.fields import FIELDS, no_such

pytestmark = pytest.mark.usefixtures("declared")


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_of_a_field_can_be_read(name: str) -> None:
    (term,) = read(FIELDS[name].example)
    assert term.name == name


def test_what_is_far_from_everything_is_compared_with_nothing() -> None:
    error = no_such("state", "zzz", ["failed"])
    assert isinstance(error, Malformed)
    assert error.message == "There is no state 'zzz'. States: failed."
