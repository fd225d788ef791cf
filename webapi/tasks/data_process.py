from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from webapi.queue import Retry, job
from webapi.services import profiles
from webapi.services.storage import UploadId


class Data(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data: JsonValue = Field(
        None,
        description="Any JSON: a list of objects, a list of values, one object, one value.",
        examples=[[{"city": "Bern", "sales": 12}, {"city": "Basel", "sales": 9}]],
    )
    file: UploadId | None = Field(None, description="CSV, TSV, JSON, NDJSON or Parquet, instead of data.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Data:
        if (self.data is None) == (self.file is None):
            raise ValueError("give either data or a file")
        return self


@job("data.process", queue="default", retry=Retry(on=(OSError,)), public=True)
def process_data(request: Data) -> dict[str, Any]:
    """Profile data: the type, the gaps, the range and the spread of each column."""
    if request.file is not None:
        return profiles.profile_upload(request.file)
    return profiles.profile_values(request.data)
