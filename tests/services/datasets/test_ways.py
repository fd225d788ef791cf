"""How people say that a file is to be read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from webapi.errors import Invalid
from webapi.services.datasets.formats import FORMATS
from webapi.services.datasets.ways import SAID, Ways, found
from webapi.services.queries.sources import Options


def test_what_is_left_out_is_told_from_the_file() -> None:
    assert Ways().options() == Options()
    assert Ways().given() == {}
    said = Ways(delimiter=";", quote="none", header=False, skip=0, types={"a": "text"})
    assert said.options() == Options(delimiter=";", quote="", header=False, skip=0)
    assert said.given() == {"delimiter": ";", "quote": "none", "header": False, "skip": 0, "types": {"a": "text"}}


@pytest.mark.parametrize(
    "values",
    [
        {"delimiter": ";;"},
        {"delimiter": ""},
        {"quote": "x"},
        {"encoding": "klingon"},
        {"skip": -1},
        {"skip": 10_001},
        {"decimal": ";"},
        {"types": {"a": "VARCHAR"}},
        {"columns": [["a", "x"]]},
    ],
)
def test_what_nobody_can_mean_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Ways(**values)


@pytest.mark.parametrize("told", FORMATS)
def test_a_format_takes_what_it_has_and_refuses_the_rest(told: str) -> None:
    everything = {"delimiter": ";", "quote": "'", "encoding": "latin-1", "header": True, "skip": 1, "decimal": ","}
    everything |= {"date_format": "%d", "timestamp_format": "%H", "types": {"a": "text"}}
    Ways.model_validate({name: value for name, value in everything.items() if name in SAID[told]}).check(told)
    for name in everything.keys() - SAID[told]:
        with pytest.raises(Invalid) as caught:
            Ways.model_validate({name: everything[name]}).check(told)
        assert [fault.pointer for fault in caught.value.faults] == [f"/options/{name}"]


def test_how_a_file_was_read_is_shown_in_the_words_in_which_it_can_be_said() -> None:
    read = Options(delimiter=";", quote="", encoding="utf-8", header=True, skip=0, columns=(("a", "BIGINT"),))
    assert found(read, "csv") == {"delimiter": ";", "quote": "none", "encoding": "utf-8", "header": True, "skip": 0}
    assert found(read, "xlsx") == {"header": True}
    assert found(read, "parquet") == {}
