"""Names of models in metrics."""

from __future__ import annotations

from serving.asked_models import asked_models
from tests.unit.serving.page_server import page_server

PAGE = b"""# TYPE :tensorflow:serving:request_count counter
:tensorflow:serving:request_count{model_name="tip",status="OK"} 3
:tensorflow:serving:request_count{model_name="taxi",status="NOT_FOUND"} 1
:tensorflow:serving:request_count{model_name="",status="INVALID_ARGUMENT"} 1
"""


def test_names_of_all_servers_that_tell() -> None:
    with (
        page_server(PAGE) as url,
        page_server(b"") as without,
        page_server(b"no { metrics") as other,
        page_server(b"# HELP") as more,
    ):
        assert asked_models([other, more, without, f"{url}/", "http://127.0.0.1:1"]) == ("taxi", "tip")
