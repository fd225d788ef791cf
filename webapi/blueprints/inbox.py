"""Page: the mails sent, in development. Without INBOX_PATH there is no such page."""

from __future__ import annotations

from pathlib import Path

from apiflask import APIBlueprint, APIFlask
from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from webapi.blueprints.answers import mail_document
from webapi.services import inbox

bp = APIBlueprint("inbox", __name__, url_prefix="/inbox", enable_openapi=False)


def init_app(app: APIFlask) -> None:
    if app.config["INBOX_PATH"]:
        app.register_blueprint(bp)


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("inbox/index.html", messages=inbox.messages(_folder()))


@bp.get("/<mail_id>")
def show(mail_id: str) -> ResponseReturnValue:
    return render_template("inbox/show.html", message=inbox.message(_folder(), mail_id))


@bp.get("/<mail_id>/html")
def html(mail_id: str) -> ResponseReturnValue:
    """The HTML part as the sender wrote it, in a frame that can run nothing and reach nothing."""
    return mail_document(inbox.message(_folder(), mail_id).html or "")


def _folder() -> Path:
    return Path(current_app.config["INBOX_PATH"])
