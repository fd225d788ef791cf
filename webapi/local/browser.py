"""A browser and a program in small: cookies, forms, JSON. It asks no proxy and raises nothing for a 4xx."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

TIMEOUT = 30.0  # seconds for one answer
CSRF_FIELD = "csrf_token"


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects; `path` is where they led."""

    status: int
    path: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def hidden(self, name: str) -> str:
        """The value of a hidden field; empty when the page has none."""
        return self._page().hidden.get(name, "")

    def text_of(self, element_id: str) -> str:
        """The text of the element with this id; empty when the page has none."""
        return self._page().texts.get(element_id, "")

    def _page(self) -> Page:
        page = Page()
        page.feed(self.body.decode("utf-8", "replace"))
        return page


class Page(HTMLParser):
    """The hidden fields of a page, and what directly follows each element that has an id."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self._id = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "input" and values.get("type") == "hidden":
            self.hidden[values.get("name", "")] = values.get("value", "")
        self._id = values.get("id", "")

    def handle_endtag(self, tag: str) -> None:
        self._id = ""

    def handle_data(self, data: str) -> None:
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data.strip()


class Browser:
    """Somebody at `base`, an address without a slash at its end. With a `key` it is a program and keeps no cookies."""

    def __init__(self, base: str, key: str | None = None) -> None:
        self._base = base
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        keep = [] if key else [HTTPCookieProcessor(CookieJar())]
        self._opener = build_opener(ProxyHandler({}), *keep)

    def get(self, path: str) -> Answer:
        return self._ask(path, None, {})

    def fill_in(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Open the page of a form and submit it, with the token that the page holds."""
        token = self.get(path).hidden(CSRF_FIELD)
        content = urlencode({**fields, CSRF_FIELD: token}).encode()
        return self._ask(path, content, {"Content-Type": "application/x-www-form-urlencoded"})

    def post(self, path: str, value: Any) -> Answer:
        return self._ask(path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _ask(self, path: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        url = path if path.startswith(self._base) else self._base + path
        request = Request(url, content, {**self._headers, **headers})  # noqa: S310 - `base` is http on loopback
        try:
            answer = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.url.removeprefix(self._base), answer.read())
