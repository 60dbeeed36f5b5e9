"""Driver and executor of InferenceExampleGen: as ExampleGen's, but errors name the settings of the inference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.example_gen import driver, executor
from schemas.errors import DataError

_SETTING = re.compile(r"\bdata\.(path|query|span|source|prepare|delimiter)\b")


class Driver(driver.Driver):
    """Finds the files to predict for."""

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], pipeline_info: object, component_info: object
    ) -> dict[str, Any]:
        """As of ExampleGen's driver."""
        with _of_inference():
            return super().resolve_exec_properties(exec_properties, pipeline_info, component_info)


class Executor(executor.Executor):
    """Ingests them."""

    def Do(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """As of ExampleGen's executor."""
        with _of_inference():
            super().Do(input_dict, output_dict, exec_properties)


@contextmanager
def _of_inference() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        where, fix = (_SETTING.sub(r"inference.\1", text) for text in (error.where, error.fix))
        raise DataError(error.what, where=where, received=error.received, fix=fix) from error
