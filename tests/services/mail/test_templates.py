"""Templates: each owner's own, with every version that was ever saved."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.queue.rows import OWNER, add_owner
from tests.services.mail.mailing import person, template
from webapi.errors import Conflict, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Template
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording

pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")


def words(html: str = "<p>Dear {{name}}</p>", **more: str) -> Wording:
    return Wording.model_validate({"subject": "Hi {{name}}", "html": html, **more})


def test_each_version_stays_as_it_was_saved() -> None:
    template_id = template()
    templates.change(person(), template_id, words("<p>second</p>"))
    templates.change(person(), template_id, words("<p>third</p>"), seen=2)
    row = templates.find(OWNER, template_id)
    assert [each.version for each in templates.versions(row)] == [3, 2, 1]
    assert [templates.wording(template_id, version).html for version in (1, 2, 3)] == [
        "<p>Dear {{name}}</p>", "<p>second</p>", "<p>third</p>",
    ]  # fmt: skip
    with pytest.raises(NotFound):
        templates.wording(template_id, 4)


@pytest.mark.parametrize(("reference", "version"), [("invoice", 2), ("invoice@1", 1), ("invoice@2", 2)])
def test_a_name_means_the_newest_and_a_version_means_itself(reference: str, version: int) -> None:
    templates.change(person(), template(), words())
    row, found = templates.named(OWNER, reference)
    assert (row.name, found) == ("invoice", version)


@pytest.mark.parametrize(
    "reference",
    ["", "other", "invoice@", "invoice@0", "invoice@01", "invoice@-1", "invoice@3", "invoice@1\n", "INVOICE",
     " invoice", "invoice@1@1", "invoice@999999999", "invoice@9999999999", "../invoice", "invoice%", "invoic_", "a\0"],
)  # fmt: skip
def test_what_is_no_template_of_theirs_is_refused(reference: str) -> None:
    templates.change(person(), template(), words())
    with pytest.raises(Invalid) as refused:
        templates.named(OWNER, reference)
    assert refused.value.faults[0].pointer == "/template"


def test_who_saw_an_older_version_does_not_write_over_a_newer_one() -> None:
    template_id = template()
    templates.change(person(), template_id, words(), seen=1)
    with pytest.raises(Conflict):
        templates.change(person(), template_id, words("<p>lost</p>"), seen=1)
    assert templates.find(OWNER, template_id).version == 2


def test_a_template_of_somebody_else_is_not_there() -> None:
    template_id, other = template(), add_owner(OTHER, "eve@example.com")
    with pytest.raises(NotFound):
        templates.find(OTHER, template_id)
    with pytest.raises(NotFound):
        templates.change(other, template_id, words())
    with pytest.raises(NotFound):
        templates.remove(other, template_id)
    with pytest.raises(Invalid):
        templates.named(OTHER, "invoice@1")
    assert (list(templates.of(OTHER)), templates.find(OWNER, template_id).version) == ([], 1)
    templates.create(other, "invoice", words())


@pytest.mark.parametrize("name", ["", "A", "ä", "a b", "-a", ".a", "a/b", "a@1", "a" * 101, "a\n", "a\0", "{{a}}"])
def test_a_strange_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        templates.create(person(), name, words())
    assert list(templates.of(OWNER)) == []


def test_a_name_is_taken_once() -> None:
    template("a")
    with pytest.raises(Conflict):
        template("a")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"html": " ", "text": "\n"}, "/html"),
        ({"subject": "{{a b}}"}, "/subject"),
        ({"html": "{{"}, "/html"),
        ({"text": "}}"}, "/text"),
    ],
)
def test_what_cannot_be_rendered_is_not_saved(changes: dict[str, str], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        templates.create(person(), "a", Wording.model_validate({"subject": "Hi", "html": "<p>", **changes}))
    assert refused.value.faults[0].pointer == pointer
    template_id = template()
    with pytest.raises(Invalid):
        templates.change(person(), template_id, Wording.model_validate({"subject": "Hi", "html": "<p>", **changes}))


@pytest.mark.parametrize("html", ["<div>" * 39_000, "<ul>" * 9000, "<blockquote>x" * 9000])
def test_html_that_no_library_should_read_is_not_saved(html: str) -> None:
    with pytest.raises(Invalid, match="The letter cannot be used"):
        templates.create(person(), "a", words(html))


def test_a_template_that_is_deleted_is_gone_and_what_was_accepted_with_it_stays() -> None:
    template_id = template()
    owner = person()
    templates.remove(owner, template_id)
    assert templates.of(owner.id) == []
    for ask in (lambda: templates.find(owner.id, template_id), lambda: templates.remove(owner, template_id)):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(Invalid):
        templates.named(owner.id, "invoice@1")
    assert templates.named(owner.id, "invoice@1", accepted=True)[0].id == template_id


def test_a_name_that_comes_back_goes_on_where_its_versions_ended() -> None:
    """`invoice@1` is a promise to whoever was accepted with it: it never comes to mean other words."""
    first = template()
    newest = db.session.get_one(Template, first).version
    templates.remove(person(), first)
    again = templates.create(person(), "invoice", words("<p>Quite another one</p>"))
    assert (again.id, again.version) == (first, newest + 1)
    assert "Quite another" not in templates.wording(first, 1).html
    with pytest.raises(Conflict):
        templates.create(person(), "invoice", words("<p>A third</p>"))


def test_a_sample_shows_what_is_given_and_the_names_of_the_rest() -> None:
    prepared = words('<a href="{{link}}">{{name}} {{sum}}</a>').prepared(bulk=True)
    said = templates.sample(prepared, {"name": "<Ada>", "sum": ""})
    assert "&lt;Ada&gt; [sum]" in said.html
    assert "https://example.com/" in said.html
    with pytest.raises(Invalid, match="do not fit"):
        templates.sample(prepared, {"link": "javascript:alert(1)"})
