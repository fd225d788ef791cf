"""Datasets for programs: tables handed in as files, under the names by which statements call them."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request, url_for

from webapi.blueprints import reading
from webapi.blueprints.api.dataset_shapes import (
    ColumnOut,
    DatasetChange,
    DatasetLine,
    DatasetList,
    DatasetOut,
    DatasetQuery,
    DependentOut,
    FileQuery,
    PreviewOut,
    RemovalQuery,
)
from webapi.blueprints.api.openapi import refuse_query, takes_body, takes_query
from webapi.blueprints.api.shapes import Progress
from webapi.blueprints.identity import me, require_anyone
from webapi.errors import Malformed
from webapi.models import Dataset
from webapi.services import datasets
from webapi.services.datasets import changing
from webapi.services.datasets.finding import Standing

bp = APIBlueprint("api_datasets", __name__, tag="Datasets")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

BODY = {"x-body": "The bytes of the file, as they are: CSV, TSV, JSON, NDJSON, Parquet or XLSX."}


@bp.get("/datasets")
@bp.output(DatasetList)
def index() -> DatasetList:
    """List your datasets by name"""
    return DatasetList(datasets=[DatasetLine(**_line(row, found)) for row, found in datasets.of(me().id)])


@bp.post("/datasets")
@takes_query(DatasetQuery)
@bp.output(DatasetOut, status_code=202, description="The file is kept, and will be read to its end by a job.")
@bp.doc(extensions=BODY)
def create() -> tuple[DatasetOut, int, dict[str, str]]:
    """Hand in a table: the body is the bytes of its file, `file_name` its name"""
    query = reading.query(DatasetQuery)
    changing.free(me().id, query.name)
    shaped = _shape(datasets.create(me(), query.name, query.file_name, _stream()))
    return shaped, 202, {"Location": shaped.links["self"]}


@bp.get("/datasets/<uuid:dataset_id>")
@bp.output(DatasetOut)
def show(dataset_id: UUID) -> DatasetOut:
    """Show a dataset: its columns, its rows, how its file was read, and what uses it"""
    return _shape(datasets.find(me().id, dataset_id))


@bp.get("/datasets/<uuid:dataset_id>/preview")
@bp.output(PreviewOut)
def preview(dataset_id: UUID) -> PreviewOut:
    """Show the first rows of a dataset that is ready"""
    found = datasets.preview(datasets.find(me().id, dataset_id))
    return PreviewOut(columns=_columns(found.columns), rows=found.rows)


@bp.patch("/datasets/<uuid:dataset_id>")
@takes_body(DatasetChange)
@bp.output(DatasetOut)
def change(dataset_id: UUID) -> DatasetOut:
    """Rename a dataset, or say how its file is to be read: then it is inspected again"""
    row = datasets.find(me().id, dataset_id)
    wanted = reading.body(DatasetChange)
    if wanted.options is not None:
        wanted.options.check(row.format)
    if wanted.name is not None and wanted.name != row.name:
        datasets.rename(me(), dataset_id, wanted.name)
    if wanted.options is not None:
        datasets.correct(me(), dataset_id, wanted.options)
    return _shape(datasets.find(me().id, dataset_id))


@bp.put("/datasets/<uuid:dataset_id>/file")
@takes_query(FileQuery)
@bp.output(DatasetOut, status_code=202, description="The file is kept, and will be read to its end by a job.")
@bp.doc(extensions=BODY)
def replace(dataset_id: UUID) -> tuple[DatasetOut, int]:
    """Put another file in the place of a dataset's; it is read as was said of the old one"""
    datasets.find(me().id, dataset_id)
    query = reading.query(FileQuery)
    return _shape(datasets.replace(me(), dataset_id, query.file_name, _stream())), 202


@bp.delete("/datasets/<uuid:dataset_id>")
@takes_query(RemovalQuery)
@bp.output({}, status_code=204)
def remove(dataset_id: UUID) -> tuple[str, int]:
    """Delete a dataset. One that reports read is kept, and they are named, unless `dependents` is `keep`"""
    datasets.remove(me(), dataset_id, dependents=reading.query(RemovalQuery).dependents)
    return "", 204


def _stream() -> Any:
    if request.mimetype == "multipart/form-data":
        raise Malformed("Send the bytes of the file as the body, without a form around them.")
    return request.stream or BytesIO()


def _shape(row: Dataset) -> DatasetOut:
    return DatasetOut(
        **_line(row, datasets.standing(row)),
        columns=_columns(row.columns),
        options=row.options.get("given", {}),
        read_as=row.options.get("found", {}),
        notes=row.options.get("notes", []),
        used_by=[DependentOut(report=report.id, name=report.name) for report in datasets.dependents(row)],
    )


def _line(row: Dataset, found: Standing) -> dict[str, Any]:
    names = ("id", "name", "file_name", "format", "size", "sha256", "rows", "created_at", "changed_at")
    return {name: getattr(row, name) for name in names} | {
        "state": found.state,
        "problem": found.problem,
        "progress": Progress(percent=found.percent, note=found.note),
        "links": {
            "self": url_for("api_datasets.show", dataset_id=row.id),
            "preview": url_for("api_datasets.preview", dataset_id=row.id),
            "file": url_for("api_datasets.replace", dataset_id=row.id),
            "page": f"/datasets/{row.id}",
        },
    }


def _columns(pairs: list[list[str]]) -> list[ColumnOut]:
    return [ColumnOut(name=name, type=kind) for name, kind in pairs]
