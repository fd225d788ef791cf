"""The sections of the site: what is in the menu of whoever looks, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_login import current_user


@dataclass(frozen=True)
class Section:
    """A link of the menu. `here` is what aria-current says: `page`, `true` for a page within, or nothing."""

    label: str
    url: str
    here: str


# The page of each section, its label, and what else belongs to it.
WORK = (
    ("jobs.kinds", "New", ()),
    ("jobs.index", "Jobs", ()),
    ("schedules.index", "Schedules", ()),
    ("reports.index", "Reports", ()),
    ("datasets.index", "Datasets", ()),
    ("mailings.index", "Mail", ("/templates", "/senders", "/suppressions")),
    ("keys.index", "Keys", ()),
)
INBOX = (("inbox.index", "Inbox", ()),)
SYSTEM = (("system.index", "System", ()),)
ACCOUNT = (("account.index", "Account", ()),)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["sections"] = sections


def sections() -> list[Section]:
    """What the person who asks may go to. A section whose pages are not there is left out."""
    person = current_user.is_authenticated
    wanted = [*(WORK if person else ()), *INBOX]
    wanted += [*(SYSTEM if person and current_user.is_admin else ()), *(ACCOUNT if person else ())]
    return [
        Section(label, url_for(endpoint), _here(url_for(endpoint), more))
        for endpoint, label, more in wanted
        if endpoint in current_app.view_functions
    ]


def _here(url: str, more: tuple[str, ...]) -> str:
    path = request.script_root + request.path
    if path == url:
        return "page"
    within = (url, *(request.script_root + each for each in more))
    return "true" if any(path == each or path.startswith(each + "/") for each in within) else ""
