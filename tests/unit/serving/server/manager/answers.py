"""What a manager serves, tells and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving.server.manager import ModelManager
from serving.server.request_error import RequestError


def served(manager: ModelManager, *arguments: Any) -> int:
    with manager.lease(*(arguments or ("half",))) as servable:
        assert servable.run("serving_default", {"x": np.array([[2.0]], np.float32)})["y"].tolist() == [[3.0]]
        return servable.version


def states(manager: ModelManager, name: str = "half") -> dict[int, str]:
    return {state.version: state.state for state in manager.states(name)}


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(RequestError) as raised:
        call()
    return raised.value.code.name, raised.value.message
