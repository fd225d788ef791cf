"""Who is asking."""

from __future__ import annotations

from tests.blueprints.site import Browser, Site


def test_a_key_and_a_session_are_the_same_person(site: Site, browser: Browser) -> None:
    by_key = site.program.get("/api/v1/me", headers=site.ada.headers).json
    assert by_key == browser.get("/api/v1/me").json
    assert by_key == {"id": str(site.ada.id), "email": "ada@example.com", "name": "Ada", "verified": True}


def test_a_visitor_is_nobody(visitor: Browser) -> None:
    assert visitor.get("/api/v1/me").status_code == 401


def test_nothing_secret_is_told(site: Site) -> None:
    text = site.program.get("/api/v1/me", headers=site.ada.headers).text
    assert not [word for word in ("password", "hash", "epoch", "admin") if word in text]
