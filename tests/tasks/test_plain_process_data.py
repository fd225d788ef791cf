"""The plain task beside `data.process`."""

from __future__ import annotations

from webapi.tasks.data_process import Data
from webapi.tasks.data_process import process_data as as_a_job
from webapi.tasks.plain_process_data import process_data


def test_it_answers_like_the_job() -> None:
    assert process_data([1, 2, 3]) == as_a_job(Data(data=[1, 2, 3]))
