"""The status that ends a call which fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest


def code_of(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code().name, raised.value.details()


def code_of_or_none(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except grpc.RpcError as error:
        return str(error.code().name)
    return None
