"""What mailings were made of stays."""

from __future__ import annotations

import pytest

from tests.services.mailings.ground import mailing, people, submit, template
from webapi.errors import Conflict, NotFound
from webapi.models import User
from webapi.services.mail import templates


def test_a_template_of_a_mailing_is_not_deleted_and_neither_is_the_mailing(owner: User) -> None:
    template()
    row = mailing(submit(people(2)))
    with pytest.raises(Conflict, match="so it stays"):
        templates.remove(owner, row.template_id)
    assert mailing(row.id).state == "checked"
    assert templates.find(owner.id, row.template_id).version == 1


def test_any_other_is_gone_with_its_versions(owner: User) -> None:
    template()
    (row,) = templates.of(owner.id)
    template_id = row.id
    templates.remove(owner, template_id)
    assert templates.of(owner.id) == []
    with pytest.raises(NotFound):
        templates.wording(template_id, 1)
