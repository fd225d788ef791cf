"""Who is asking."""

from __future__ import annotations

from tests.blueprints.site import Browser, Site


def test_a_key_and_a_session_are_the_same_person(site: Site, browser: Browser) -> None:
    by_key = site.program.get("/api/v1/me", headers=site.ada.headers).json
    assert by_key == browser.get("/api/v1/me").json
    assert by_key is not None
    limits = by_key.pop("limits")
    assert by_key == {
        "id": str(site.ada.id), "email": "ada@example.com", "name": "Ada", "verified": True, "sandbox": False,
    }  # fmt: skip
    assert limits["jobs_in_a_batch"] == {"most": 10_000, "used": None}


def test_what_is_used_is_counted(site: Site) -> None:
    before = (site.program.get("/api/v1/me", headers=site.ada.headers).json or {})["limits"]
    site.submit("data.process", {"data": [1]})
    after = (site.program.get("/api/v1/me", headers=site.ada.headers).json or {})["limits"]
    assert after["open_jobs"]["used"] == before["open_jobs"]["used"] + 1
    assert after["open_jobs"]["most"] == site.app.config["MAX_OPEN_JOBS"]


def test_a_visitor_is_nobody(visitor: Browser) -> None:
    assert visitor.get("/api/v1/me").status_code == 401


def test_nothing_secret_is_told(site: Site) -> None:
    text = site.program.get("/api/v1/me", headers=site.ada.headers).text
    assert not [word for word in ("password", "hash", "epoch", "admin") if word in text]
