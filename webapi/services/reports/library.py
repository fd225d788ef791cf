"""Report definitions under their names, with every version that was ever saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Dataset, Report, ReportVersion, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services.queries.run import named
from webapi.services.remembering import remembered
from webapi.services.reports import databases
from webapi.services.reports.built_in import BUILT_IN
from webapi.services.reports.definition import DATA, Definition
from webapi.services.reports.own import TABLES

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
REFERENCE = re.compile(r"([a-z0-9][a-z0-9._-]{0,99})(?:@([1-9]\d{0,8}))?")
MOST = 500  # reports of one owner
TAKEN = {"manifest", "chart"}  # by files that stand beside a report's


def of(owner_id: UUID) -> Sequence[Report]:
    """The owner's reports by name."""
    mine = select(Report).where(Report.owner_id == owner_id, Report.deleted_at.is_(None))
    return db.session.scalars(mine.order_by(Report.name)).all()


def find(owner_id: UUID, report_id: UUID) -> Report:
    """The owner's report. Raises NotFound, also for one that is somebody else's."""
    mine = (Report.id == report_id, Report.owner_id == owner_id, Report.deleted_at.is_(None))
    row: Report | None = db.session.scalar(select(Report).where(*mine))
    if row is None:
        raise NotFound("There is no such report.")
    return row


def create(owner: User, name: str, definition: Definition) -> Report:
    """A new report. Raises Invalid for a name or a statement that cannot work, Conflict for a name that is taken."""
    if not NAME.fullmatch(name) or name in TAKEN:
        raise Invalid(
            faults=(Fault("/name", "Use lower-case letters, digits, dots, dashes and underscores; not manifest."),)
        )
    if len(of(owner.id)) >= MOST:
        raise Conflict(f"You have {MOST} reports, which is the limit. Delete one that you no longer need.")
    datasets = check(owner.id, definition)
    row = Report(id=uuid7(), owner_id=owner.id, name=name, version=1)
    try:
        if name in BUILT_IN:
            raise Conflict(f"The report {name!r} is there for everybody. Choose another name.")
        with writing() as session:
            session.add(_revived(session, owner, name) or row)
            session.flush()
            row = session.scalars(select(Report).where(Report.owner_id == owner.id, Report.name == name)).one()
            session.add(_version(row, definition, datasets))
    except IntegrityError:
        raise Conflict(f"You have a report called {name!r} already.") from None
    return row


def change(owner: User, report_id: UUID, definition: Definition, seen: int | None = None) -> Report:
    """Save a new version; the older ones stay. Raises Conflict when `seen` is no longer the newest version."""
    row = find(owner.id, report_id)
    datasets, version = check(owner.id, definition), seen or row.version
    with writing() as session:
        moved = session.execute(
            update(Report)
            .where(Report.id == report_id, Report.version == version)
            .values(version=version + 1, changed_at=now())
            .execution_options(synchronize_session=False)
        )
        if moved.rowcount == 0:  # type: ignore[attr-defined]
            raise Conflict("Somebody changed this report meanwhile. Look at it again, then repeat your change.")
        session.refresh(row)
        session.add(_version(row, definition, datasets))
    return row


def remove(owner: User, report_id: UUID) -> None:
    """Delete a report; what was accepted with it is still built. Raises NotFound."""
    find(owner.id, report_id)
    with writing() as session:
        session.execute(update(Report).where(Report.id == report_id).values(deleted_at=now()))


def version_of(report: Report, version: int | None = None) -> ReportVersion:
    """A version, by default the newest. Raises NotFound."""
    row = db.session.get(ReportVersion, (report.id, version or report.version))
    if row is None:
        raise NotFound("The report has no such version.")
    return row


def definition_of(row: ReportVersion) -> Definition:
    """What a version says."""
    values = {name: getattr(row, name) for name in Definition.model_fields}
    return Definition.model_validate(values)


def versions(report: Report) -> Sequence[ReportVersion]:
    """Newest first."""
    query = select(ReportVersion).where(ReportVersion.report_id == report.id)
    return db.session.scalars(query.order_by(ReportVersion.version.desc())).all()


@remembered
def referred(owner_id: UUID, reference: str, *, accepted: bool = False) -> ReportVersion:
    """The version that `name` or `name@version` means; for what is built in, one that is in no database.

    With `accepted` it was there when somebody's job was accepted, and may be deleted by now. Raises Invalid.
    """
    found = REFERENCE.fullmatch(reference)
    name, version = (found[1], int(found[2] or 0)) if found else ("", 0)
    if name in BUILT_IN and version in {0, 1}:
        built_in = BUILT_IN[name]
        plain = built_in.model_dump(mode="json")
        return ReportVersion(report_id=UUID(int=0), version=1, datasets=[[name, ""]], **plain)
    row = db.session.scalar(select(Report).where(Report.owner_id == owner_id, Report.name == name))
    if row is None or (row.deleted_at is not None and not accepted):
        raise Invalid(faults=(Fault("/report", f"You have no report called {reference!r}."),))
    if version > row.version:
        sentence = f"{row.name} has no version {version}; the newest is {row.version}."
        raise Invalid(faults=(Fault("/report", sentence),))
    return version_of(row, version or row.version)


def contents(version: ReportVersion) -> list[list[str]]:
    """The files that a version's datasets hold now, as pairs of a table's name and a SHA-256."""
    names = {UUID(dataset): name for name, dataset in version.datasets if dataset}
    query = select(Dataset.id, Dataset.table_sha256).where(Dataset.id.in_(names))
    return sorted([names[dataset_id], sha256 or ""] for dataset_id, sha256 in db.session.execute(query))


def check(owner_id: UUID, definition: Definition) -> list[list[str]]:
    """The datasets of a statement as pairs of a table's name and an id. Raises Invalid when it cannot work."""
    if definition.source == DATA:
        names = named(definition.sql)
        _check_parameters(definition, names.parameters, "$")
        return _datasets(owner_id, names.tables)
    if definition.source not in current_app.config["REPORT_SOURCES"]:
        known = ", ".join([DATA, *current_app.config["REPORT_SOURCES"]])
        raise Invalid(faults=(Fault("/source", f"There is no source called {definition.source!r}: {known}."),))
    _check_parameters(definition, databases.placeholders(definition.sql), ":")
    return []


def _check_parameters(definition: Definition, used: frozenset[str], mark: str) -> None:
    known = {placeholder for each in definition.parameters for placeholder in each.placeholders}
    used = frozenset(name.lower() for name in used)
    faults = [
        Fault("/sql", f"The statement uses {mark}{name}, which is no parameter.") for name in sorted(used - known)
    ]
    for position, each in enumerate(definition.parameters):
        if not used & set(each.placeholders):
            names = " or ".join(mark + placeholder for placeholder in each.placeholders)
            faults.append(Fault(f"/parameters/{position}", f"The statement does not use {names}."))
    if faults:
        raise Invalid(faults=tuple(faults))


def _datasets(owner_id: UUID, tables: frozenset[str]) -> list[list[str]]:
    mine = db.session.execute(select(Dataset.name, Dataset.id).where(Dataset.owner_id == owner_id)).all()
    known = {name: str(dataset_id) for name, dataset_id in mine}
    wanted = {table: table.lower() for table in sorted(tables)}
    missing = [table for table, name in wanted.items() if name not in known and name not in TABLES]
    if missing:
        there = ", ".join([*TABLES, *sorted(known)])
        sentence = f"There is no table called {missing[0]!r}. There are: {there}."
        raise Invalid(faults=(Fault("/sql", sentence[:1000]),))
    return [[name, known[name]] for name in dict.fromkeys(wanted.values()) if name not in TABLES] + [
        [name, ""] for name in dict.fromkeys(wanted.values()) if name in TABLES
    ]


def _revived(session: Session, owner: User, name: str) -> Report | None:
    """A deleted report of that name, with room for its next version: `name@1` never comes to mean something else."""
    gone = select(Report).where(Report.owner_id == owner.id, Report.name == name, Report.deleted_at.is_not(None))
    row: Report | None = session.scalar(gone.with_for_update())
    if row is not None:
        row.version, row.deleted_at, row.changed_at = row.version + 1, None, now()
    return row


def _version(report: Report, definition: Definition, datasets: list[list[str]]) -> ReportVersion:
    values = definition.model_dump(mode="json")
    return ReportVersion(report_id=report.id, version=report.version, datasets=datasets, **values)
