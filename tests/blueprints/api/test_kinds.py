"""What can be submitted, and nothing of what cannot."""

from __future__ import annotations

import pytest

from tests.blueprints.site import Browser, Site


def test_the_open_kinds_are_listed_with_their_doors(site: Site) -> None:
    kinds = (site.program.get("/api/v1/kinds", headers=site.ada.headers).json or {})["kinds"]
    assert [kind["name"] for kind in kinds] == [
        "data.process",
        "email.bulk",
        "email.digest",
        "email.send",
        "http.call",
        "image.resize",
        "report.build",
    ]
    assert kinds[3]["links"] == {"submit": "/api/v1/jobs/email.send", "form": "/new/email.send"}


def test_a_kind_is_shown_with_its_sentence_its_limits_and_its_payload(site: Site) -> None:
    kind = site.program.get("/api/v1/kinds/email.send", headers=site.ada.headers).json or {}
    assert (kind["summary"], kind["queue"], kind["attempts"]) == ("Send a mail to one or more people.", "email", 6)
    assert kind["payload"]["required"] == ["to"]


@pytest.mark.parametrize("name", ["email.welcome", "test.note", "no.such"])
def test_a_closed_kind_is_not_there(site: Site, name: str) -> None:
    assert site.program.get(f"/api/v1/kinds/{name}", headers=site.ada.headers).status_code == 404


def test_a_person_may_ask_like_a_program(browser: Browser, visitor: Browser) -> None:
    assert (browser.get("/api/v1/kinds").status_code, visitor.get("/api/v1/kinds").status_code) == (200, 401)
