from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from runners.crew import Crew
from schemas.errors import DataError, RunError


@pytest.fixture
def crew() -> Iterator[Crew]:
    with Crew(2) as made:
        yield made


def test_each_process_does_its_piece_of_work(crew: Crew) -> None:
    crew.start([partial(divmod, 7, 2), os.getpid])
    first, pid = crew.results()
    assert first == (3, 1)
    assert pid != os.getpid()


def test_it_can_be_given_work_again(crew: Crew) -> None:
    for round_ in range(3):
        crew.start([partial(pow, 2, round_)])
        assert crew.results() == [2**round_]


def _refuse() -> None:
    raise DataError("No rows.", where="data.csv")


class OddError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def _odd() -> None:
    raise OddError(1, 2)


def test_an_error_arrives_as_raised(crew: Crew) -> None:
    crew.start([_refuse])
    with pytest.raises(DataError) as caught:
        crew.results()
    assert (caught.value.what, caught.value.where) == ("No rows.", "data.csv")


def test_an_error_that_cannot_be_pickled_arrives_as_text(crew: Crew) -> None:
    crew.start([_odd])
    with pytest.raises(RuntimeError, match="OddError: 1 and 2"):
        crew.results()


def test_a_process_that_is_killed(crew: Crew) -> None:
    crew.start([partial(os._exit, 3)])
    with pytest.raises(RunError, match="(?s)has ended.*exit code 3"):
        crew.results()


def test_none_is_left_behind() -> None:
    with Crew(2) as crew:
        crew.start([os.getpid, os.getpid])
        pids = crew.results()
        crew.start([partial(time.sleep, 60)])
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def test_an_empty_crew() -> None:
    with Crew(0) as crew:
        crew.start([])
        assert crew.results() == []
        assert len(crew) == 0
