"""How values are shown on pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_login import current_user
from markupsafe import Markup

from webapi.queue import cron
from webapi.services import calls
from webapi.services.job_lists import MOST_COUNTED

STEPS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def init_app(app: Flask) -> None:
    app.jinja_env.filters |= {
        "ago": ago,
        "bounded": bounded,
        "exact": exact,
        "iso": iso,
        "local": local,
        "moment": moment,
        "phrase": calls.named,
        "pretty": pretty,
        "size": size,
        "seconds": seconds,
        "spent": spent,
        "wall": wall,
    }
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def ago(at: datetime, now: datetime | None = None) -> str:
    """`3 minutes ago`, `in 2 hours`, `just now`."""
    left = (at - (now or datetime.now(UTC))).total_seconds()
    for length, name in STEPS:
        if abs(left) >= length:
            count = int(abs(left) // length)
            words = f"{count} {name}{'s' if count > 1 else ''}"
            return f"in {words}" if left > 0 else f"{words} ago"
    return "just now"


def moment(at: datetime, words: str | None = None) -> Markup:
    """How long ago it was, with the exact time on hover; `words` stand there instead when they are given."""
    live = "" if words else Markup(' class="ago"')
    form = Markup('<time{} datetime="{}" title="{}">{}</time>')
    return form.format(live, iso(at), exact(at), words or ago(at))


def local(at: datetime) -> datetime:
    """The moment in the time zone of whoever looks."""
    return at.astimezone(cron.zone(getattr(current_user, "time_zone", "UTC")))


def exact(at: datetime) -> str:
    """`Mon 23 Nov 2026, 09:00:12 +01:00 (Europe/Zurich)`, in the time zone of whoever looks."""
    there = local(at)
    name, offset = str(there.tzinfo), there.strftime("%z")
    zone = "UTC" if name == "UTC" else f"{offset[:3]}:{offset[3:5]} ({name})"
    return f"{there.strftime('%a %d %b %Y, %H:%M:%S')} {zone}"


def bounded(count: int) -> str:
    """A number that was counted up to `MOST_COUNTED`: `812`, and `1,000+` beyond."""
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def iso(at: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall(at: datetime) -> str:
    """`Mon 23 Nov 2026, 09:00 +01:00`, in the time zone that the moment is in."""
    offset = at.strftime("%z")
    return f"{at.strftime('%a %d %b %Y, %H:%M')} {offset[:3]}:{offset[3:5]}"


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def size(count: int) -> str:
    """`812 B`, `3.4 kB`, `1.2 GB`."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count} B"


def seconds(begin: datetime, end: datetime) -> str:
    """How long something took: `0.42 s`, `3 min 5 s`."""
    return spent((end - begin).total_seconds())


def spent(seconds: float) -> str:
    """`0.42 s`, `3 min 5 s`, `2 h 7 min`."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{max(0.0, seconds):.2f} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"
