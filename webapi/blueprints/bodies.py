"""Bodies: how large they may be, and where the files in them lie until somebody wants them."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Flask, Request, current_app, request
from flask_login import current_user
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wsgi import get_content_length

from webapi.errors import TooLarge
from webapi.queue import room as storage
from webapi.queue.files import store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Doors through which confirmed people may send as much as a dataset may have.
LARGE = {"datasets.create", "datasets.replace", "api_datasets.create", "api_datasets.replace"}
# Doors whose body is a file, whatever media type its sender names: curl calls everything a form.
RAW = {"api_uploads.create", "api_datasets.create", "api_datasets.replace"}
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
NOTHING: ImmutableMultiDict[str, Any] = ImmutableMultiDict()
FORM = 1 << 20  # bytes of a form beside its file
HELD = 1 << 16  # bytes of a file that are held in memory


class Body(Request):
    """A request whose files go to the disk that keeps files, for a folder of temporary ones may be memory."""

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        """A body that was declared and breaks off is refused: a server that ends it by itself would call it whole."""
        if get_content_length(environ) is not None:
            environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, populate_request, shallow)

    @property
    def want_form_data_parsed(self) -> bool:
        return self.mimetype in FORMS and self.endpoint not in RAW

    def _load_form_data(self) -> None:
        """What is no form has no fields. To look for some in each body of JSON made a parser for nothing."""
        if self.want_form_data_parsed:
            super()._load_form_data()
        else:
            self.__dict__ |= {"stream": self.stream, "form": NOTHING, "files": NOTHING}

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        folder = str(store().incoming())
        return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=HELD, mode="w+b", dir=folder))


def init_app(app: Flask) -> None:
    """Before anything looks into a form."""
    app.request_class = Body
    app.before_request(_admit)


def most() -> int:
    """How many bytes a dataset may have."""
    return int(current_app.config["DATASET_BYTES"])


def check_size(size: int) -> None:
    """Raises TooLarge."""
    if size > most():
        raise TooLarge(f"The file is larger than the {most() / 1e6:,.0f} MB that a dataset may have.")


def _admit() -> None:
    if request.endpoint in LARGE and current_user.is_authenticated and current_user.verified_at is not None:
        room = 0 if request.endpoint in RAW else FORM
        check_size((request.content_length or 0) - room)
        request.max_content_length = most() + room
    if request.endpoint in LARGE | RAW and current_user.is_authenticated:
        storage.check(current_user.id, (request.content_length or 0) - (0 if request.endpoint in RAW else FORM))
