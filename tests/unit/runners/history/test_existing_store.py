"""Those who only read a store do not make one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners.history.existing_store import existing_store
from runners.newest_statistics import newest_statistics
from schemas.errors import RunError

TAXI = Path(__file__).parents[4] / "configs" / "taxi.yaml"


@pytest.mark.parametrize(
    ("read", "what"),
    [(existing_store, "There is no metadata store"), (newest_statistics, "No run has made statistics yet")],
)
@pytest.mark.parametrize("url", ["null", "sqlite:///{folder}/named.sqlite"])
def test_a_store_that_is_not_there(read: Callable[[Settings], Any], what: str, url: str, tmp_path: Path) -> None:
    overrides = [f"output_dir={tmp_path}", f"metadata.url={url.format(folder=tmp_path)}"]
    with pytest.raises(RunError, match=what):
        read(load_settings([TAXI], overrides, {}))
    assert list(tmp_path.iterdir()) == []
