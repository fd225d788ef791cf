"""What a report asks, and whether that can work: its statement, its parameters, its chart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from webapi.services.addresses import Line
from webapi.services.formats import Chart
from webapi.services.queries import parameters, periods
from webapi.services.queries.parameters import Parameter

DATA = "data"  # the source of datasets, jobs and receipts; a database's name cannot be this
MOST_PARAMETERS = 20
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Drawing(BaseModel):
    """A chart of the rows: `x` and `y` are names of columns, and those of `y` are numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["bar", "line", "area", "pie"]
    x: Name
    y: tuple[Name, ...] = Field(min_length=1, max_length=8)

    def chart(self) -> Chart:
        return Chart(self.kind, self.x, self.y)


class Definition(BaseModel):
    """A statement over a source, with typed parameters that are bound and never spliced.

    In a statement over `data` a parameter is `$name`, over a database `:name`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line = Field(min_length=1, max_length=200)
    source: str = Field(DATA, max_length=60)
    sql: str = Field(min_length=1, max_length=100_000, title="SQL", json_schema_extra={"multiline": True})
    parameters: tuple[Parameter, ...] = Field((), max_length=MOST_PARAMETERS)
    chart: Drawing | None = None
    locale: str = Field("en", max_length=20, pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$")

    @field_validator("parameters")
    @classmethod
    def _once_each(cls, given: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        names = [placeholder for parameter in given for placeholder in parameter.placeholders]
        if len(set(names)) < len(names):
            raise ValueError("give each parameter a name of its own; a period called p stands for p_from and p_to")
        return given

    @model_validator(mode="after")
    def _says_something(self) -> Definition:
        if "\0" in self.sql or not self.sql.strip():
            raise ValueError("write a statement")
        return self

    def pinned(self, given: Mapping[str, str], timezone: str, now: datetime) -> dict[str, str]:
        """The values of all parameters that have one: defaults filled in, and periods as their first and last day.

        Pinned values mean the same at any later time. Invalid with a Fault for each parameter that is wrong.
        """
        parameters.bind(self.parameters, given, timezone, now)
        today = periods.today_in(timezone, now)
        filled = {each.name: given.get(each.name) or each.default for each in self.parameters}
        spanned = {each.name for each in self.parameters if each.type == "period"}
        return {
            name: periods.spelt(periods.days(value.strip(), today)) if name in spanned else value
            for name, value in filled.items()
            if value
        }

    def bound(self, pinned: Mapping[str, str], timezone: str, now: datetime) -> dict[str, Any]:
        """The values of the statement's placeholders. Invalid as `pinned`."""
        return parameters.bind(self.parameters, pinned, timezone, now)

    def labelled(self, pinned: Mapping[str, str]) -> dict[str, str]:
        """The values by the labels that people read."""
        return {each.label: pinned[each.name] for each in self.parameters if each.name in pinned}
