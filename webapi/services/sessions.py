"""Sessions: one row for each browser in which a person is signed in.

The cookie holds `<user id>:<token>`, and the row the token's SHA-256. A cookie that was copied is dead when its row
is: after signing out, after a change of the password, after somebody ended it from their list.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import SignIn, User
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.services import trail

SEEN = 300.0  # seconds; "last seen" is not worth a write for each request
IDLE = 30 * 86400.0  # seconds without a request after which a session is over
CONFIRMED = 900.0  # seconds for which a password counts as just given
LONGEST_AGENT = 200  # characters

SYSTEMS = (
    ("iPhone|iPad|iOS", "iOS"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X|Macintosh", "macOS"), ("Linux|X11", "Linux"),
)  # fmt: skip
# In this order: each names those after it, too.
BROWSERS = (
    ("Edg(e|A|iOS)?/", "Edge"), ("OPR/|Opera", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/|FxiOS/", "Firefox"), ("Chrom(e|ium)/|CriOS/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
)  # fmt: skip
# Every request of a person asks this; to build it anew each time took longer than the database.
_FIND = (
    select(User, SignIn, SignIn.last_seen_at < after(-SEEN))
    .join(SignIn, SignIn.user_id == User.id)
    .where(User.id == bindparam("user"), SignIn.id == bindparam("session"), SignIn.epoch == User.session_epoch)
    .where(SignIn.last_seen_at > after(-IDLE))
)


def begin(user: User, user_agent: str) -> str:
    """A new session for somebody who has just given their password. Returns what its cookie holds."""
    # As they were when the password was checked: to begin a transaction reads them anew.
    token, user_id, epoch = secrets.token_urlsafe(32), user.id, user.session_epoch
    with writing() as session:
        idle = delete(SignIn).where(SignIn.user_id == user_id, SignIn.last_seen_at < after(-IDLE))
        session.execute(idle.execution_options(synchronize_session=False))
        session.add(
            SignIn(
                id=_hash(token), public_id=uuid7(), user_id=user_id, epoch=epoch, user_agent=user_agent[:LONGEST_AGENT]
            )
        )  # fmt: skip
    return f"{user_id}:{token}"


def find(cookie: str) -> tuple[User, SignIn] | None:
    """The person and the session of a cookie; None when it was ended, or never was."""
    user_id, _, token = cookie.partition(":")
    try:
        found = db.session.execute(_FIND, {"user": UUID(user_id), "session": _hash(token)}).first()
    except ValueError:
        return None
    if found is None:
        return None
    user, row, long_ago = found
    if long_ago:
        with writing() as session:
            seen = update(SignIn).where(SignIn.id == _hash(token)).values(last_seen_at=now())
            session.execute(seen.execution_options(synchronize_session=False))
    return user, row


def of(user: User) -> Sequence[SignIn]:
    """This person's sessions, the one that was used last first."""
    query = select(SignIn).where(SignIn.user_id == user.id, SignIn.epoch == user.session_epoch)
    return db.session.scalars(query.order_by(SignIn.last_seen_at.desc(), SignIn.public_id.desc())).all()


def sign_out(cookie: str) -> None:
    """End the session of a cookie, and of each copy of it."""
    with writing() as session:
        session.execute(delete(SignIn).where(SignIn.id == _hash(cookie.partition(":")[2])))


def end(user: User, public_id: UUID) -> None:
    """End one of this person's sessions. Raises NotFound for one that is not theirs."""
    with writing() as session:
        row = session.scalar(select(SignIn).where(SignIn.public_id == public_id, SignIn.user_id == user.id))
        if row is None:
            raise NotFound("There is no such session. It may have ended already.")
        session.delete(row)
        trail.note("session.ended", user_id=user.id, browser=described(row.user_agent))


def end_others(user: User, cookie: str) -> None:
    """End all of this person's sessions but that of the cookie."""
    kept = _hash(cookie.partition(":")[2])
    with writing() as session:
        session.execute(delete(SignIn).where(SignIn.user_id == user.id, SignIn.id != kept))
        trail.note("sessions.ended", user_id=user.id)


def end_all(session: Session, user_id: UUID) -> None:
    """Make every cookie of this person worthless, in the transaction around this call.

    One that is just beginning with the old password ends too: it carries the epoch of before.
    """
    session.execute(update(User).where(User.id == user_id).values(session_epoch=User.session_epoch + 1))
    session.execute(delete(SignIn).where(SignIn.user_id == user_id))


def confirm(row: SignIn) -> None:
    """The person of this session has just given their password again."""
    with writing() as session:
        session.execute(update(SignIn).where(SignIn.id == row.id).values(confirmed_at=now()))


def is_confirmed(row: SignIn) -> bool:
    """Whether the password was given in this session within the last quarter of an hour."""
    fresh = select(SignIn.id).where(SignIn.id == row.id, SignIn.confirmed_at > after(-CONFIRMED))
    return db.session.scalar(fresh) is not None


def described(user_agent: str) -> str:
    """`Firefox on Linux`; what a browser says of itself where that tells nothing."""
    browser, system = (_first(known, user_agent) for known in (BROWSERS, SYSTEMS))
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:60] or "an unknown browser"


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for pattern, name in known if re.search(pattern, user_agent)), None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
