"""The small browser of the demo, on pages and answers of a server of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from webapi.local.browser import Browser

PAGE = '<form><input type="hidden" name="csrf_token" value="a&amp;b"></form><p>x</p><code id="new-key">wapi_1</code>'


class Handler(BaseHTTPRequestHandler):
    """`/form` is a page with a form; a POST to it leads to `/seen`, which echoes; all else is 404."""

    def do_GET(self) -> None:
        if self.path == "/form":
            self._answer(200, PAGE, {"Set-Cookie": "session=abc"})
        elif self.path.startswith("/seen"):
            heard = {"cookie": self.headers["Cookie"], "key": self.headers["Authorization"]}
            self._answer(200, json.dumps(heard), {})
        else:
            self._answer(404, '{"detail": "nothing"}', {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(303, "", {"Location": f"/seen?{body}"})

    def _answer(self, status: int, content: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_form_is_sent_with_its_token_and_the_cookie_of_its_page(base: str) -> None:
    answer = Browser(base).fill_in("/form", {"name": "Ada"})
    assert answer.path == "/seen?name=Ada&csrf_token=a%26b"
    assert answer.json()["cookie"] == "session=abc"


def test_the_text_of_an_element_is_found_by_its_id(base: str) -> None:
    page = Browser(base).get("/form")
    assert (page.text_of("new-key"), page.text_of("nobody")) == ("wapi_1", "")


def test_a_program_sends_its_key_and_keeps_no_cookies(base: str) -> None:
    program = Browser(base, "wapi_1")
    program.get("/form")
    assert program.get("/seen").json() == {"cookie": None, "key": "Bearer wapi_1"}


def test_an_error_is_an_answer_like_any_other(base: str) -> None:
    answer = Browser(base).get("/nowhere")
    assert (answer.status, answer.path, answer.json()) == (404, "/nowhere", {"detail": "nothing"})


def test_no_proxy_is_asked(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Browser(base).get("/form").status == 200
