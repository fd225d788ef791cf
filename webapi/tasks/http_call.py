from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from webapi.queue import Retry, job
from webapi.services import calls, targets

MOST_HEADERS, LARGEST_HEADERS = 30, 8192  # many servers take no more than 8 kB of headers
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
VISIBLE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")
# What frames the message, what belongs to one connection, and what is ours to say.
OURS = {
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
    "http2-settings", "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature",
}  # fmt: skip


# Given among the headers that are shown, these are kept with the secret ones all the same.
CREDENTIALS = {"authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-access-token", "x-csrf-token"}
SECRET_NAMES: dict[str, Any] = {"secretNames": sorted(CREDENTIALS)}
LARGEST_DATA = 1_000_000  # bytes of JSON


def _called(url: str) -> str:
    return targets.parse(url).url


def _sound(headers: dict[str, str]) -> dict[str, str]:
    """Headers that can be sent as they stand. Raises ValueError with a sentence that holds no value."""
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise ValueError("a header's name is made of letters, digits and hyphens")
        if name.lower() in OURS or name.lower().startswith("proxy-"):
            raise ValueError(f"leave out {name}: it is set by the connection or by this server")
        if not VISIBLE.fullmatch(value):
            raise ValueError(f"{name}: use printable ASCII, without line breaks and without spaces at the ends")
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("name each header once; upper and lower case are the same")
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > LARGEST_HEADERS:
        raise ValueError(f"the headers are longer than {LARGEST_HEADERS} characters together")
    return headers


def _small(data: JsonValue) -> JsonValue:
    if data is not None and len(_encoded(data)) > LARGEST_DATA:
        raise ValueError(f"this is longer than {LARGEST_DATA:,} bytes")
    return data


def _encoded(data: JsonValue) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode("utf-8")


Headers = Annotated[dict[str, str], AfterValidator(_sound)]


class HttpCall(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://hooks.example.com/orders", "data": {"order": 7}}]},
    )

    url: Annotated[str, AfterValidator(_called)] = Field(
        title="URL", min_length=1, max_length=2000, json_schema_extra={"format": "uri"}
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Headers = Field(
        {},
        max_length=MOST_HEADERS,
        description="A JSON object.",
        examples=[{"X-Source": "shop"}],
        json_schema_extra=SECRET_NAMES,
    )
    secret_headers: Headers = Field(
        {},
        max_length=MOST_HEADERS,
        description="A JSON object. The values are kept encrypted and never shown again.",
        examples=[{"Authorization": "Bearer …"}],
        json_schema_extra={"writeOnly": True},
        repr=False,
    )
    data: Annotated[JsonValue, AfterValidator(_small)] = Field(None, description="Any JSON, sent as application/json.")
    text: Annotated[str, StringConstraints(max_length=200_000)] = Field(
        "", description="Plain text, sent instead of data.", json_schema_extra={"multiline": True}
    )
    expected_status: int | None = Field(
        None, ge=200, le=599, description="The only status that means success. Left empty, any 2xx does."
    )

    @model_validator(mode="after")
    def _secrets_apart(self) -> Self:
        """Credentials are secret wherever they were written; both kinds of headers together are still sound."""
        moved = {name: value for name, value in self.headers.items() if name.lower() in CREDENTIALS}
        shown = {name: value for name, value in self.headers.items() if name not in moved}
        if {name.lower() for name in self.headers} & {name.lower() for name in self.secret_headers}:
            raise ValueError("name each header once: among the headers or among the secret ones")
        self.headers, self.secret_headers = shown, self.secret_headers | moved
        if len(self._sent) > MOST_HEADERS:
            raise ValueError(f"give at most {MOST_HEADERS} headers")
        _sound(self._sent)
        return self

    @property
    def _sent(self) -> dict[str, str]:
        return self.headers | self.secret_headers

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.data is not None and self.text:
            raise ValueError("give data or a text, not both")
        if self.method == "GET" and (self.data is not None or self.text):
            raise ValueError("a GET has no body: leave data and text out")
        return self

    def as_call(self) -> calls.Call:
        """The request as it goes on the wire; its body is the same bytes each time, as its signature needs."""
        body, sort = None, None
        if self.data is not None:
            body, sort = _encoded(self.data), "application/json"
        elif self.text:
            body, sort = self.text.encode("utf-8"), "text/plain; charset=utf-8"
        named = any(name.lower() == "content-type" for name in self._sent)
        headers = self._sent if sort is None or named else {**self._sent, "Content-Type": sort}
        return calls.Call(
            targets.parse(self.url),
            self.method,
            headers,
            body,
            self.expected_status,
            tuple(self.secret_headers.values()),
        )


def only_effect(request: HttpCall) -> list[str]:
    return [request.as_call().key]


@job(
    "http.call", retry=Retry(budget=8, base=5, cap=3600), effects=only_effect, effect="call",
    on_unknown="resend", public=True,
)  # fmt: skip
def make_call(request: HttpCall) -> dict[str, Any]:
    """Call another service over HTTP."""
    return calls.make(request.as_call())
