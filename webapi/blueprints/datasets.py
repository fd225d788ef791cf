"""Pages: datasets. A file is handed in, read to its end, looked at, and corrected where it was read wrongly."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from webapi.blueprints import bodies, correcting, reading
from webapi.blueprints.identity import me, require_person
from webapi.errors import Conflict, Fault, Invalid
from webapi.models import Dataset
from webapi.services import datasets
from webapi.services.datasets.ways import Ways
from webapi.services.queries.tables import TYPES

bp = APIBlueprint("datasets", __name__, url_prefix="/datasets", enable_openapi=False)
bp.before_request(require_person)


@bp.get("")
def index() -> ResponseReturnValue:
    return _list()


@bp.post("")
def create() -> ResponseReturnValue:
    try:
        file, name = _file(), request.form.get("name", "").strip() or None
        row = datasets.create(me(), name, file.filename or "", file.stream)
    except (Invalid, Conflict) as error:
        return _list(error.faults or (Fault("", error.message),)), 422
    return redirect(url_for("datasets.show", dataset_id=row.id), 303)


@bp.get("/<uuid:dataset_id>")
def show(dataset_id: UUID) -> ResponseReturnValue:
    return _show(datasets.find(me().id, dataset_id))


@bp.post("/<uuid:dataset_id>")
def correct(dataset_id: UUID) -> ResponseReturnValue:
    row = datasets.find(me().id, dataset_id)
    try:
        datasets.correct(me(), dataset_id, reading.values(Ways, correcting.said(row, request.form)))
    except Invalid as error:
        return _show(row, error.faults or (Fault("", error.message),)), 422
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


@bp.post("/<uuid:dataset_id>/file")
def replace(dataset_id: UUID) -> ResponseReturnValue:
    row = datasets.find(me().id, dataset_id)
    try:
        file = _file()
        datasets.replace(me(), dataset_id, file.filename or "", file.stream)
    except Invalid as error:
        return _show(row, error.faults or (Fault("", error.message),)), 422
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


@bp.post("/<uuid:dataset_id>/name")
def rename(dataset_id: UUID) -> ResponseReturnValue:
    row = datasets.find(me().id, dataset_id)
    try:
        datasets.rename(me(), dataset_id, request.form.get("name", "").strip())
    except (Invalid, Conflict) as error:
        return _show(row, error.faults or (Fault("", error.message),)), 422
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


@bp.post("/<uuid:dataset_id>/delete")
def remove(dataset_id: UUID) -> ResponseReturnValue:
    """The page shows beside the button what reads it; with `dependents` somebody has ticked that they know."""
    row = datasets.find(me().id, dataset_id)
    name = row.name
    try:
        datasets.remove(me(), dataset_id, dependents="keep" if "dependents" in request.form else "refuse")
    except Conflict as error:
        return _show(row, (Fault("", error.message),)), 409
    flash(f"The dataset {name} is deleted.")
    return redirect(url_for("datasets.index"), 303)


def _file() -> FileStorage:
    """The file of a form. Raises Invalid when there is none, and TooLarge."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(faults=(Fault("/file", "Choose a file."),))
    bodies.check_size(file.stream.seek(0, 2))
    file.stream.seek(0)
    return file


def _list(faults: tuple[Fault, ...] = ()) -> str:
    rows = datasets.of(me().id)
    given = request.form.get("name", "")
    return render_template("datasets/index.html", rows=rows, faults=faults, given=given, most=bodies.most())


def _show(row: Dataset, faults: tuple[Fault, ...] = ()) -> str:
    owner_row = datasets.find(me().id, row.id)
    return render_template(
        "datasets/show.html",
        row=owner_row,
        standing=datasets.standing(owner_row),
        preview=datasets.preview(owner_row),
        given=owner_row.options.get("given", {}),
        fields=correcting.fields(owner_row, faults),
        types=list(TYPES),
        used_by=datasets.dependents(owner_row),
        faults=[each.message for each in faults],
        most=bodies.most(),
    )
