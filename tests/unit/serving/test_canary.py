"""The canary's rules, on numbers that were computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from serving.canary import (
    LATENCY_BOUNDS,
    Limits,
    Predictions,
    Traffic,
    decide,
    fisher,
    latency_quantile,
    stability_index,
)

LIMITS = Limits(minimum_requests=100)


def latencies(**counts: int) -> tuple[int, ...]:
    """Counts by bucket: `b10=5` is five in the bucket with the number 10."""
    found = [0] * (len(LATENCY_BOUNDS) + 1)
    for name, count in counts.items():
        found[int(name[1:])] = count
    return tuple(found)


def score(*bins: int, answers: int = 100) -> dict[str, Predictions]:
    return {"score": Predictions(answers, bins)}


STABLE = Traffic(1000, 0, latencies(b70=1000), score(500, 500, answers=1000))
CANARY = Traffic(100, 0, latencies(b70=100), score(50, 50))


def test_a_canary_like_stable_is_promoted_with_what_was_compared() -> None:
    verdict = decide(STABLE, CANARY, LIMITS)
    assert verdict.decision == "promote"
    assert [reason.split(" ")[0] for reason in verdict.reasons] == ["error", "p99", "stability"]


@pytest.mark.parametrize(("stable", "canary"), [(99, 1000), (1000, 99), (0, 0)])
def test_too_few_answers_of_either_are_no_verdict(stable: int, canary: int) -> None:
    verdict = decide(Traffic(stable, 0), Traffic(canary, 0), LIMITS)
    assert verdict.decision == "keep watching"
    assert verdict.reasons == (f"stable gave {stable} answers, canary {canary}; 100 of each are needed",)


def test_many_errors_of_the_canary_roll_it_back_before_there_are_enough_answers() -> None:
    verdict = decide(Traffic(90, 0), Traffic(10, 10), LIMITS)
    assert verdict.decision == "roll back"
    assert verdict.reasons[0].startswith("10 of 10 requests failed, of stable's 0 of 90: by chance")


def test_a_single_error_is_chance() -> None:
    assert decide(replace(STABLE, requests=1000), replace(CANARY, requests=101, errors=1), LIMITS).decision == "promote"


def test_errors_that_both_have_are_not_the_canarys() -> None:
    stable, canary = replace(STABLE, requests=1100, errors=100), replace(CANARY, requests=110, errors=10)
    assert decide(stable, canary, LIMITS).decision == "promote"


def test_where_nothing_is_answered_there_is_no_verdict() -> None:
    assert decide(Traffic(1000, 1000), Traffic(100, 100), LIMITS).decision == "keep watching"


def test_a_difference_that_is_significant_and_small_is_allowed() -> None:
    stable = replace(STABLE, requests=10**6, errors=0)
    canary = replace(CANARY, requests=10**5, errors=50)
    assert decide(stable, canary, LIMITS).decision == "promote"
    assert decide(stable, canary, replace(LIMITS, error_increase=0.0001)).decision == "roll back"


def test_a_slow_canary_is_rolled_back() -> None:
    slow = replace(CANARY, latencies=latencies(b70=98, b80=2))
    verdict = decide(STABLE, slow, LIMITS)
    assert verdict.decision == "roll back"
    assert verdict.reasons == ("p99 of latency 20.5 ms, stable 7.9 ms, limit 12.9 ms",)


def test_latency_is_compared_by_ratio_and_by_seconds() -> None:
    slow = replace(CANARY, latencies=latencies(b80=100))
    assert decide(STABLE, slow, replace(LIMITS, latency_ratio=3.0)).decision == "promote"
    assert decide(STABLE, slow, replace(LIMITS, latency_increase=0.02)).decision == "promote"


def test_other_predictions_roll_back() -> None:
    verdict = decide(STABLE, replace(CANARY, predictions=score(90, 10)), LIMITS)
    assert verdict.decision == "roll back"
    assert verdict.reasons[0].startswith("stability index of score 0.8")


def test_what_chance_gives_with_few_values_is_allowed() -> None:
    # The index of (25, 25) and (33, 17) is 0.102; of two bins with 50 values each chance gives 1/50 + 1/50 = 0.04.
    stable = replace(STABLE, predictions=score(25, 25))
    canary = replace(CANARY, predictions=score(33, 17))
    assert decide(stable, canary, replace(LIMITS, psi=0.07)).decision == "promote"
    assert decide(stable, canary, replace(LIMITS, psi=0.06)).decision == "roll back"


def test_an_output_that_only_one_has_rolls_back() -> None:
    verdict = decide(STABLE, replace(CANARY, predictions={}), LIMITS)
    assert verdict.decision == "roll back"
    assert verdict.reasons[0].startswith("only stable has the output score, in 1000 of 1000 answers: by chance")
    verdict = decide(replace(STABLE, predictions={}), CANARY, LIMITS)
    assert verdict.reasons[0].startswith("only canary has the output score, in 100 of 100 answers: by chance")


def test_an_output_that_clients_rarely_ask_for_rolls_nothing_back() -> None:
    # One of 1,100 answers had it, by chance not one of the canary's 100: 1000 / 1100.
    rare = replace(STABLE, predictions=score(1, 0, answers=1))
    verdict = decide(rare, replace(CANARY, predictions={}), LIMITS)
    assert verdict.decision == "promote"
    assert verdict.reasons[-1].endswith("in 1 of 1000 answers: by chance with a probability of 0.91")
    # Some values of a single answer are no distribution, however many they are.
    verdict = decide(STABLE, replace(CANARY, predictions=score(1000, 0, answers=99)), LIMITS)
    assert verdict.decision == "promote"
    assert verdict.reasons[-1] == "score is not compared: 99 answers have it, 100 are needed"


def test_every_rule_that_is_broken_is_told() -> None:
    bad = Traffic(100, 0, latencies(b90=100), score(90, 10))
    assert len(decide(STABLE, bad, LIMITS).reasons) == 2


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 3, 2, 2), 1 / 10),  # both errors among the canary's 2 of 5 requests
        ((1, 3, 1, 2), 7 / 10),  # at least one of two: 1 - 3/10
        ((0, 9, 1, 1), 1 / 10),
        ((0, 5, 0, 5), 1.0),
        ((5, 5, 5, 5), 1.0),
    ],
)
def test_fisher(numbers: tuple[int, int, int, int], expected: float) -> None:
    assert fisher(*numbers) == pytest.approx(expected)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_fisher_is_the_sum_of_the_exact_fractions(a: int, m: int, b: int, n: int) -> None:
    a, b = min(a, m), min(b, n)
    ways = sum(math.comb(n, k) * math.comb(m, a + b - k) for k in range(b, min(a + b, n) + 1))
    assert fisher(a, m, b, n) == pytest.approx(ways / math.comb(m + n, a + b))


def test_stability_index() -> None:
    # Halves become p = 50.5/101 and q = 90.5/101, 10.5/101: (q - p) ln(q / p) for both bins.
    p, q, r = 0.5, 90.5 / 101, 10.5 / 101
    assert stability_index((50, 50), (90, 10)) == pytest.approx((q - p) * math.log(q / p) + (r - p) * math.log(r / p))
    assert stability_index((500, 500), (50, 50)) == pytest.approx(0.0)


def test_the_quantile_of_a_latency_is_its_buckets_bound() -> None:
    counts = latencies(b10=90, b20=9, b30=1)
    assert latency_quantile(counts, 0.5) == LATENCY_BOUNDS[10]
    assert latency_quantile(counts, 0.99) == LATENCY_BOUNDS[20]
    assert latency_quantile(counts, 1.0) == LATENCY_BOUNDS[30]
    assert latency_quantile([0] * len(LATENCY_BOUNDS) + [1], 0.5) == math.inf
