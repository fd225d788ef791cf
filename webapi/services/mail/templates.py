"""Templates: a mail's text under a name, with every version that was ever saved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Template, TemplateVersion, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services.addresses import Line
from webapi.services.mail import letters
from webapi.services.mail.letters import Letter, Prepared, Said
from webapi.services.mail.placeholders import Text
from webapi.services.remembering import remembered

NAME = r"^[a-z0-9][a-z0-9._-]{0,99}$"
REFERENCE = re.compile(r"([a-z0-9][a-z0-9._-]{0,99})(?:@([1-9]\d{0,8}))?")
Body = Annotated[str, StringConstraints(max_length=200_000)]


class Wording(BaseModel):
    """What a template says; `{{first_name}}` stands for a value."""

    model_config = ConfigDict(extra="forbid")

    subject: Line = Field(min_length=1, max_length=300)
    html: Body = Field("", title="HTML", json_schema_extra={"multiline": True})
    text: Body = Field("", description="Left empty, it is made from the HTML.", json_schema_extra={"multiline": True})
    layout: bool = Field(True, description="Put the HTML into the frame with the logo and the footer.")

    def letter(self, *, bulk: bool = False) -> Letter:
        return Letter(self.subject, self.text, self.html, self.layout, bulk)

    def prepared(self, *, bulk: bool = False) -> Prepared:
        """Raises Invalid with the field's fault for braces that are no placeholder, and when it says nothing."""
        if not self.html.strip() and not self.text.strip():
            raise Invalid(faults=(Fault("/html", "Give HTML, or a text, or both."),))
        for name in ("subject", "html", "text"):
            try:
                Text(getattr(self, name))
            except ValueError as error:
                raise Invalid(faults=(Fault(f"/{name}", f"{str(error)[:1].upper()}{str(error)[1:]}."),)) from None
        return letters.prepare(self.letter(bulk=bulk))


def of(owner_id: UUID) -> Sequence[Template]:
    """The owner's templates by name."""
    mine = select(Template).where(Template.owner_id == owner_id, Template.deleted_at.is_(None))
    return db.session.scalars(mine.order_by(Template.name)).all()


def find(owner_id: UUID, template_id: UUID) -> Template:
    """The owner's template. Raises NotFound, also for one that is somebody else's."""
    row: Template | None = db.session.scalar(
        select(Template).where(Template.id == template_id, Template.owner_id == owner_id, Template.deleted_at.is_(None))
    )
    if row is None:
        raise NotFound("There is no such template.")
    return row


def create(owner: User, name: str, wording: Wording) -> Template:
    """A new template. Raises Invalid for what cannot be rendered and for a name, Conflict for a name that is taken."""
    if not re.fullmatch(NAME, name):
        raise Invalid(faults=(Fault("/name", "Use lower-case letters, digits, dots, dashes and underscores."),))
    wording.prepared()
    row = Template(id=uuid7(), owner_id=owner.id, name=name, version=1)
    try:
        with writing() as session:
            session.add(_revived(session, owner, name) or row)
            session.flush()
            row = session.scalars(select(Template).where(Template.owner_id == owner.id, Template.name == name)).one()
            session.add(TemplateVersion(template_id=row.id, version=row.version, **wording.model_dump()))
    except IntegrityError:
        raise Conflict(f"You have a template called {name!r} already.") from None
    return row


def _revived(session: Session, owner: User, name: str) -> Template | None:
    """A deleted template of that name, with room for its next version: `name@1` never comes to mean something else."""
    gone = select(Template).where(
        Template.owner_id == owner.id, Template.name == name, Template.deleted_at.is_not(None)
    )
    row: Template | None = session.scalar(gone.with_for_update())
    if row is not None:
        row.version, row.deleted_at, row.changed_at = row.version + 1, None, now()
    return row


def change(owner: User, template_id: UUID, wording: Wording, seen: int | None = None) -> Template:
    """Save a new version; the older ones stay. Raises Conflict when `seen` is no longer the newest version."""
    row = find(owner.id, template_id)
    wording.prepared()
    version = seen or row.version
    with writing() as session:
        moved = session.execute(
            update(Template)
            .where(Template.id == template_id, Template.version == version)
            .values(version=version + 1, changed_at=now())
            .execution_options(synchronize_session=False)
        )
        if moved.rowcount == 0:  # type: ignore[attr-defined]
            raise Conflict("Somebody changed this template meanwhile. Look at it again, then repeat your change.")
        session.add(TemplateVersion(template_id=template_id, version=version + 1, **wording.model_dump()))
    db.session.refresh(row)
    return row


def remove(owner: User, template_id: UUID) -> None:
    """Delete a template; what was accepted with it is still sent. Raises NotFound."""
    find(owner.id, template_id)
    with writing() as session:
        session.execute(update(Template).where(Template.id == template_id).values(deleted_at=now()))


def versions(template: Template) -> Sequence[TemplateVersion]:
    """Newest first."""
    query = select(TemplateVersion).where(TemplateVersion.template_id == template.id)
    return db.session.scalars(query.order_by(TemplateVersion.version.desc())).all()


@remembered
def wording(template_id: UUID, version: int) -> Wording:
    """What a version says. Raises NotFound."""
    row = db.session.get(TemplateVersion, (template_id, version))
    if row is None:
        raise NotFound("The template has no such version.")
    return Wording.model_construct(subject=row.subject, html=row.html, text=row.text, layout=row.layout)


@remembered
def named(owner_id: UUID, reference: str, *, accepted: bool = False) -> tuple[Template, int]:
    """The template that `name` or `name@version` means. Raises Invalid.

    With `accepted` it was there when somebody's work was accepted, and may be deleted by now; what was accepted names
    a version. A schedule names none, and ends with its template.
    """
    found = REFERENCE.fullmatch(reference)
    row = found and db.session.scalar(select(Template).where(Template.owner_id == owner_id, Template.name == found[1]))
    if not row or not found or (row.deleted_at is not None and not (accepted and found[2])):
        raise Invalid(faults=(Fault("/template", f"You have no template called {reference!r}."),))
    version = int(found[2] or row.version)
    if version > row.version:
        sentence = f"{row.name} has no version {version}; the newest is {row.version}."
        raise Invalid(faults=(Fault("/template", sentence),))
    return row, version


def sample(prepared: Prepared, given: Mapping[str, str]) -> Said:
    """What a recipient would read; a value that is not given shows as its own name. Raises Invalid."""
    links = dict.fromkeys(prepared.links, "https://example.com/")
    shown = {name: f"[{name}]" for name in prepared.names} | links | {k: v for k, v in given.items() if v}
    try:
        return prepared.fill({**shown, letters.UNSUBSCRIBE: "https://example.com/unsubscribe"})
    except ValueError as error:
        raise Invalid(f"The values do not fit: {error}.") from None
