"""A whole site and a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import BASE, Person
from tests.processes import ROOT, RealWorker, settings_of
from tests.servers import Broker, free_port
from tests.waiting import until
from webapi import create_app
from webapi.config import environment
from webapi.local import smtp_sink

expect.set_options(timeout=15_000)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


class Site:
    """A web server, a worker and an inbox on free ports, and somebody who can sign in."""

    def __init__(self, url: str, ada: Person) -> None:
        self.url = url
        self.ada = ada


@pytest.fixture(scope="module")
def site(sqlite_template: Path, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, folder / "webapi.db")
    shared_broker.client().flushall()
    port, mail_port = free_port(), free_port()
    app = create_app(
        {
            **BASE,
            "DATABASE_URL": f"sqlite:///{folder / 'webapi.db'}",
            "REDIS_URL": shared_broker.url,
            "STORAGE_URL": str(folder / "files"),
            "MAIL_PORT": mail_port,
            "INBOX_PATH": str(folder / "inbox"),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PORT": port,
            "LIVE_WATCHERS": 20,
        }
    )
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "tests.wsgi:app", "--port", str(port)]
    web += ["--blocking-threads", "36"]  # 20 watchers and 16 requests
    web += ["--workers-kill-timeout", "5"]
    mail = [sys.executable, smtp_sink.__file__, "--folder", str(folder / "inbox"), "--port", str(mail_port)]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment(settings_of(app)), start_new_session=True)
        for command in (web, mail)
    ]
    worker = RealWorker(app, folder / "worker.log")
    try:
        worker.start()
        until(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), seconds=60, what="the site to answer")
        yield Site(f"http://127.0.0.1:{port}", Person(app, "ada@example.com"))
    finally:
        worker.kill()
        for process in started:
            process.terminate()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a browser: install chromium.")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """A page of a visitor. Whatever the browser complains of, such as a blocked script, fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    assert complaints == []


@pytest.fixture(scope="module")
def signed_in() -> dict[str, Any]:
    """The cookies of the last test: people do not sign in every few seconds, and are slowed down when they do."""
    return {}


@pytest.fixture
def ada(page: Page, site: Site, signed_in: dict[str, Any]) -> Page:
    """A page on which Ada is signed in."""
    page.context.add_cookies(signed_in.get("cookies", []))
    page.goto(f"{site.url}/login?next=/")
    if page.url != f"{site.url}/":
        page.fill("#email", site.ada.email)
        page.fill("#password", site.ada.password)
        page.click("main button")
        page.wait_for_url(f"{site.url}/")
        signed_in["cookies"] = page.context.cookies()
    return page
