"""How a person says that a file is to be read, where it is told wrongly."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapi.errors import Fault, Invalid
from webapi.services.queries.sources import Options

Type = Literal["text", "integer", "number", "boolean", "date", "datetime"]
Encoding = Literal[
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "latin-1", "iso-8859-15", "iso-8859-2",
    "windows-1250", "windows-1251", "windows-1253", "windows-1254", "cp437", "cp850", "mac-roman", "koi8-r",
    "shift_jis", "euc-jp", "euc-kr", "gb18030", "big5",
]  # fmt: skip
SHAPED = {"header", "skip", "date_format", "timestamp_format", "types"}
TEXTS = SHAPED | {"delimiter", "quote", "encoding", "decimal"}
# What can be said of each format; Parquet says everything itself.
SAID = {
    "csv": TEXTS,
    "tsv": TEXTS,
    "json": {"encoding", "types"},
    "ndjson": {"encoding", "types"},
    "xlsx": SHAPED,
    "parquet": set[str](),
}


class Ways(BaseModel):
    """How to read a file. What is left out is told from the file."""

    model_config = ConfigDict(extra="forbid")

    delimiter: str | None = Field(None, min_length=1, max_length=1, description="One character, such as ; or a tab.")
    quote: Literal['"', "'", "none"] | None = None
    encoding: Encoding | None = None
    header: bool | None = Field(None, description="Whether the first row names the columns.")
    skip: int | None = Field(None, ge=0, le=10_000, description="Lines before the table.")
    decimal: Literal[".", ","] | None = Field(None, description="What stands before decimals.")
    date_format: str | None = Field(None, min_length=1, max_length=50, examples=["%d.%m.%Y"])
    timestamp_format: str | None = Field(None, min_length=1, max_length=50, examples=["%d.%m.%Y %H:%M"])
    types: dict[str, Type] = Field(
        default_factory=dict, max_length=2_000, description="Types of columns that look otherwise, by their names."
    )

    def given(self) -> dict[str, Any]:
        """What was said, as JSON."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value not in (None, {})}

    def check(self, format: str) -> None:  # noqa: A002 - its name
        """Raises Invalid for what nobody can say of a file in that format."""
        senseless = sorted(self.given().keys() - SAID[format])
        faults = tuple(Fault(f"/options/{each}", f"A file in {format.upper()} has no {each}.") for each in senseless)
        if faults:
            raise Invalid(faults=faults)

    def options(self) -> Options:
        """For the reader of text tables."""
        said = self.model_dump(exclude={"types"})
        return Options(**said | {"quote": "" if self.quote == "none" else self.quote})


def found(options: Options, format: str) -> dict[str, Any]:  # noqa: A002 - its name
    """How a file was read, as JSON for people; columns are told elsewhere."""
    said = SAID[format] - ({"skip"} if format == "xlsx" else set())  # what stands above the table was left out before
    shown = {name: value for name, value in asdict(options).items() if value is not None and name in said}
    return shown | ({"quote": shown["quote"] or "none"} if "quote" in shown else {})
