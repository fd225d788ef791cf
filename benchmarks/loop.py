"""Mails by Flask-Mail in a loop, as its documentation shows it, each filled for its reader."""

from __future__ import annotations

import time

import flask_mail
from flask import Flask

THANKS = "Thank you. " * 60
HTML = f"<h1>Dear {{{{first_name}}}},</h1><p>please find your invoice of {{{{amount}}}} here.</p><p>{THANKS}</p>"


def peer(port: int, count: int, *, kept: bool) -> float:
    """Mails a second of Flask-Mail: `mail.send()` with a connection for each, or one connection for all."""
    app = Flask("peer")
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_DEFAULT_SENDER="peer@example.com")
    mail = flask_mail.Mail(app)
    with app.app_context():
        began = time.monotonic()
        if kept:
            with mail.connect() as connection:
                for number in range(count):
                    connection.send(_message(number))
        else:
            for number in range(count):
                mail.send(_message(number))
        return count / (time.monotonic() - began)


def _message(number: int) -> flask_mail.Message:
    name, amount = f"Person {number}", f"{number}.00 EUR"
    html = HTML.replace("{{first_name}}", name).replace("{{amount}}", amount)
    text = f"Dear {name}, please find your invoice of {amount} here. {THANKS}"
    return flask_mail.Message(f"Invoice, {name}", [f"p{number}@example.com"], text, html)
