"""The pages of a forgotten password."""

from __future__ import annotations

from tests.blueprints.site import TOKEN, Browser, Site
from webapi.extensions import db
from webapi.models import User
from webapi.services import accounts, links, recovery


def test_the_answer_says_nothing_about_who_has_an_account(visitor: Browser) -> None:
    known, unknown = (visitor.post("/reset", {"email": f"{name}@example.com"}) for name in ("ada", "xyz"))
    assert known.status_code == unknown.status_code == 200
    pages = {TOKEN.sub("", answer.text).replace("xyz@", "ada@") for answer in (known, unknown)}
    assert len(pages) == 1


def test_a_link_sets_a_password_that_is_good_enough(site: Site, visitor: Browser) -> None:
    with site.app.app_context():
        accounts.create("grace@example.com", "Grace", "a long enough one", verified=False)
        user = db.session.scalars(db.select(User).where(User.email == "grace@example.com")).one()
        path = f"/reset/{links.sign(recovery.PURPOSE, [str(user.id), recovery._state_of(user)])}"
    page = visitor.get(path)
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    refused = visitor.post(path, {"password": "short"})
    assert (refused.status_code, "at least 10 characters" in refused.text) == (422, True)
    assert visitor.post(path, {"password": "quite another one"}).status_code == 303
    assert visitor.post(path, {"password": "and a third one"}).status_code == 404
    with site.app.app_context():
        found = accounts.authenticate("grace@example.com", "quite another one")
        assert found is not None
        assert found.verified_at is not None, "whoever opened the link reads the address"


def test_a_forged_link_is_not_found(visitor: Browser) -> None:
    assert visitor.get("/reset/forged").status_code == 404
    assert visitor.post("/reset/forged", {"password": "a long enough one"}).status_code == 404
