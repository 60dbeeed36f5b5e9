"""Watching servers: what they count is added up, over restarts, until the rules decide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.errors import ReleaseError
from serving.canaries_seen import CanariesSeen, CanarySeen
from serving.canary import LATENCY_BOUNDS, Limits
from serving.live_traffic import LiveTraffic
from serving.seen_traffic import SeenTraffic
from serving.traffic_split import TrafficSplit
from tests.unit.serving.page_server import page_server

SPLIT = TrafficSplit(id="a", stable=1, canary=2, percent=10)
LIMITS = Limits(minimum_requests=100)


def seen(requests: int, errors: int = 0) -> SeenTraffic:
    latencies = [0] * (len(LATENCY_BOUNDS) + 1)
    latencies[50] = requests - errors
    return SeenTraffic(requests=requests, errors=errors, latencies=latencies)


def document(stable: int, canary: int, errors: int = 0, split: TrafficSplit = SPLIT, start: str = "a") -> bytes:
    taxi = CanarySeen(start=start, split=split, seen={split.stable: seen(stable), split.canary: seen(canary, errors)})
    return CanariesSeen(models={"taxi": taxi}).model_dump_json().encode()


def test_servers_are_added_up() -> None:
    said: list[str] = []
    with (
        page_server(document(450, 50)) as one,
        page_server(document(450, 50)) as other,
        LiveTraffic([one, other], "taxi") as live,
    ):
        assert live.watch(SPLIT, LIMITS, 0.0, said.append).decision == "promote"
    assert said[0].startswith("1000 live requests, 10.0 % canary: promote: error rate 0")


def test_counts_of_a_server_that_was_started_anew_are_added_up() -> None:
    said: list[str] = []
    # Also where it counts more by now than before.
    with (
        page_server(document(400, 40), document(450, 50, start="b")) as url,
        LiveTraffic([url], "taxi", 0.0) as live,
    ):
        live.watch(SPLIT, LIMITS, 0.0, said.append)
        verdict = live.watch(SPLIT, replace(LIMITS, minimum_requests=90), 0.0, said.append)
    assert verdict.decision == "promote"
    assert said[1].startswith("940 live requests")


def test_a_server_of_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with page_server(document(1, 1)) as url, LiveTraffic([url], "taxi") as live:
        live.check()


def test_errors_roll_back_before_there_are_enough_answers() -> None:
    with page_server(document(200, 20, 20)) as url, LiveTraffic([url], "taxi") as live:
        assert live.watch(SPLIT, LIMITS, 0.0).decision == "roll back"


def test_a_server_may_learn_of_the_canary_a_little_later() -> None:
    other = SPLIT.model_copy(update={"id": "b"})
    answers = (CanariesSeen(models={}).model_dump_json().encode(), document(900, 900, split=other), document(900, 100))
    with page_server(*answers) as url, LiveTraffic([url], "taxi", 0.01) as live:
        assert live.watch(SPLIT, LIMITS, 60.0).decision == "promote"


def test_a_server_that_has_another_canary_ends_it() -> None:
    other = SPLIT.model_copy(update={"canary": 3})
    with (
        page_server(document(1, 1, split=other)) as url,
        LiveTraffic([url], "taxi", 0.0, silent_seconds=0.0) as live,
        pytest.raises(ReleaseError, match="does not try this canary"),
    ):
        live.watch(SPLIT, LIMITS, 60.0)


def test_a_server_that_does_not_answer_any_more_is_not_taken_for_a_wrong_address() -> None:
    with page_server(document(1, 1), b"") as url, LiveTraffic([url], "taxi", 0.0, silent_seconds=0.0) as live:
        live.check()
        with pytest.raises(ReleaseError, match="(?s)does not answer any more.*Received: HTTP 404.*--canary"):
            live.watch(SPLIT, LIMITS, 60.0)


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (b"", "HTTP 404"),
        (b"{}", "another document: Field required"),
        (document(1, 1).replace(b'{"1":', b'{"3":'), "another document: .*seen must be of versions 1 and 2"),
    ],
    ids=["no page", "no document", "other versions"],
)
def test_what_is_not_our_server_is_told(answer: bytes, received: str) -> None:
    with (
        page_server(answer) as url,
        LiveTraffic([url], "taxi") as live,
        pytest.raises(ReleaseError, match=f"Where: {url}/monitoring/canary\n.*{received}"),
    ):
        live.check()


def test_without_requests_it_stays_undecided() -> None:
    with page_server(document(0, 0)) as url, LiveTraffic([url], "taxi", 0.01) as live:
        verdict = live.watch(SPLIT, LIMITS, 0.05)
    assert verdict.reasons == ("stable gave 0 answers, canary 0; 100 of each are needed",)
