from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from flask import g, has_request_context
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from webapi.errors import Fault, Invalid, Permanent
from webapi.queue import Retry, job
from webapi.services.formats import Format
from webapi.services.processing import filters, tables
from webapi.services.processing.columns import Wanted
from webapi.services.processing.plan import Cleaning, OnError
from webapi.services.processing.work import process
from webapi.services.storage import UploadId

MOST_COLUMNS = 1_000  # that a step may name
MOST_FILTERS = 20  # that are looked at for one request: each costs a process of its own


def _wanted(text: str) -> str:
    Wanted.parse(text)
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=MOST_COLUMNS)]
PAIRS: dict[str, Any] = {"pairs": True}


class Data(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"data": [{"city": "Bern", "sales": 12}, {"city": "Basel", "sales": 9}]}]},
    )

    file: UploadId | None = Field(None, description="CSV, TSV, JSON, NDJSON, Parquet or XLSX.")
    dataset: Name | None = Field(None, description="The name of a dataset of yours, instead of a file.")
    data: JsonValue = Field(
        None,
        description="Any JSON instead: a list of objects, a list of values, one object, one value.",
        examples=[[{"city": "Bern", "sales": 12}, {"city": "Basel", "sales": 9}]],
    )
    trim: bool = Field(False, description="Take white space off both ends of every text.")
    types: dict[Name, Annotated[str, StringConstraints(max_length=100), AfterValidator(_wanted)]] = Field(
        {},
        max_length=MOST_COLUMNS,
        description="One a line. There are text, integer, number, boolean, date and datetime,"
        " and date:%d.%m.%Y where dates are written so.",
        examples=[{"amount": "number", "day": "date:%d.%m.%Y"}],
        json_schema_extra=PAIRS,
    )
    on_error: OnError = Field(
        "null",
        title="What does not fit its type",
        description="It becomes null, or drops its row, or lets the job fail. In each case it is counted.",
    )
    filter: Annotated[str, StringConstraints(max_length=filters.LONGEST)] | None = Field(
        None, description="Keep the rows for which this SQL expression is true, as in amount > 0 and city <> ''."
    )
    keep: Names = Field([], title="Keep columns", description="Keep these columns alone, one a line.")
    drop: Names = Field([], title="Drop columns", description="Leave these columns out, one a line.")
    dedupe: bool = Field(False, title="Drop duplicates", description="Of rows that are alike the first stays.")
    dedupe_by: Names = Field(
        [], title="Alike are rows with the same", description="Columns, one a line; all of them without it."
    )
    rename: dict[Name, Name] = Field(
        {},
        max_length=MOST_COLUMNS,
        description="Old name = new name, one a line. The other steps know the old names.",
        examples=[{"amt": "amount", "city": "place"}],
        json_schema_extra=PAIRS,
    )
    convert_to: Format | None = Field(None, description="Also write the rows as a file of this format.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Data:
        if sum(each is not None for each in (self.data, self.file, self.dataset)) != 1:
            raise ValueError("give either data or a file or a dataset")
        return self


def _prepared(request: Data, owner_id: UUID) -> Data:
    """Look at the filter before the job is accepted; in a batch, at the first few that differ. Its attempt looks at it
    again.
    """
    if request.filter is not None:
        seen = g.setdefault("filters", {}) if has_request_context() else {}
        if request.filter not in seen and len(seen) < MOST_FILTERS:
            seen[request.filter] = _fault(request.filter)
        if fault := seen.get(request.filter):
            raise Invalid(faults=(fault,))
    return request


def _fault(expression: str) -> Fault | None:
    try:
        filters.check(expression, filters.BARE)  # which columns there are is known when it runs
    except Permanent as error:
        return Fault("/filter", error.message)
    return None


@job(
    "data.process",
    queue="default",
    retry=Retry(on=(OSError,)),
    public=True,
    prepare=_prepared,
    soft_time_limit=3540,
    time_limit=3600,
)
def process_data(request: Data) -> dict[str, Any]:
    """Profile data: the type, the gaps, the range and the spread of each column. Clean and convert it, too."""
    options = request.model_dump(include=set(Cleaning.__dataclass_fields__))
    options |= {name: tuple(options[name]) for name in ("keep", "drop", "dedupe_by")}

    def found(folder: Any) -> tables.Table | None:
        if request.file is not None:
            return tables.of_upload(request.file, folder)
        if request.dataset is not None:
            return tables.of_dataset(request.dataset, folder)
        return tables.of_values(request.data, folder, nearby=request.filter is None)

    return process(found, Cleaning(**options), request.convert_to)
