"""What administrators do to the system. Each act and its entry in the trail are one transaction."""

from __future__ import annotations

from webapi.models import User
from webapi.models.transaction import writing
from webapi.queue import Kind, gates
from webapi.services import jobs, trail
from webapi.services.system import audits


def pause(administrator: User, kind: Kind) -> None:
    """Let no attempt of the kind begin until `resume`."""
    with writing():
        gates.pause(kind.name, jobs.actor(administrator))
        trail.note("kind.paused", actor=trail.by(administrator.id), on_what=kind.name)


def resume(administrator: User, kind: Kind) -> None:
    """End a pause."""
    with writing():
        gates.resume(kind.name)
        trail.note("kind.resumed", actor=trail.by(administrator.id), on_what=kind.name)


def audit(administrator: User, *, files: bool) -> bool:
    """Have a worker check every invariant. False when one does already."""
    with writing():
        asked = audits.ask(administrator, files=files)
        if asked:
            trail.note("audit.asked", actor=trail.by(administrator.id), on_what="with files" if files else None)
    return asked
