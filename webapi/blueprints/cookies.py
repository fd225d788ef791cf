"""Cookies are for browsers: a request of a program, which has none, opens no session."""

from __future__ import annotations

from apiflask import APIFlask
from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class Cookies(SecureCookieSessionInterface):
    """Flask's own, which makes a signer for each request, before it looks whether there is anything signed."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.modified or session.accessed:
            super().save_session(app, session, response)


def init_app(app: APIFlask) -> None:
    app.session_interface = Cookies()
