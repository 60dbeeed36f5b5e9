"""Whether a canary may be promoted: a decision on counts, and on nothing else.

Errors: Fisher's exact test, one-sided, of two proportions (R. A. Fisher, The Design of Experiments, 1935). Predictions:
population stability index, sum((p - q) ln(p / q)) over bins; below 0.1 is commonly read as stable, above 0.2 as moved.
Between equal versions its mean is (bins - 1)(1 / n + 1 / m) for n and m values (B. Yurdakul, Statistical Properties of
Population Stability Index, 2018), which is allowed besides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.counted import counted

_STEP = 1.1
_FIRST = 1e-5
LATENCY_BOUNDS = tuple(_FIRST * _STEP**power for power in range(170))
"""Upper bounds of the buckets of latencies in seconds, 10 microseconds to 98 seconds; a last bucket has none."""

Decision = Literal["promote", "keep watching", "roll back"]


@dataclass(frozen=True)
class Limits:
    """What a canary is held to.

    Attributes:
        minimum_requests: answers that stable and canary must each have given before anything but errors counts.
        error_significance: probability, were both alike, of so many errors of the canary, below which it is worse.
        error_increase: by how much its error rate may be higher all the same.
        latency_quantile: the latency that is compared.
        latency_ratio: how many times stable's it may be.
        latency_increase: by how many seconds it may be higher all the same.
        psi: largest population stability index of an output's values, besides what chance gives with their number.
    """

    minimum_requests: int = 200
    error_significance: float = 0.001
    error_increase: float = 0.001
    latency_quantile: float = 0.99
    latency_ratio: float = 1.5
    latency_increase: float = 0.005
    psi: float = 0.2


@dataclass(frozen=True)
class Predictions:
    """What was seen of one output of one signature.

    Attributes:
        answers: how many had it.
        bins: how many of its values fell into each bin; the bins are the same for both labels.
    """

    answers: int
    bins: Sequence[int]


@dataclass(frozen=True)
class Traffic:
    """What was seen of the requests to one label.

    Attributes:
        requests: how many were sent.
        errors: how many of them failed.
        latencies: of those that were answered, by the buckets of LATENCY_BOUNDS and one more.
        predictions: by `signature/output`.
    """

    requests: int
    errors: int
    latencies: Sequence[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))
    predictions: Mapping[str, Predictions] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Requests that did not fail."""
        return self.requests - self.errors

    @property
    def error_rate(self) -> float:
        """Part of the requests that failed; 0 where there were none."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Verdict:
    """The decision, and a sentence for each rule that led to it."""

    decision: Decision
    reasons: tuple[str, ...]


def decide(stable: Traffic, canary: Traffic, limits: Limits) -> Verdict:
    """Compares the canary with stable.

    A rule that is broken rolls back; errors do so as soon as they are significant, the other rules once there are
    enough answers. When there are, and none is broken, the canary is promoted.

    Args:
        stable: traffic of the stable version.
        canary: traffic of the canary in the same time.
        limits: the rules.
    """
    if errors := _errors(stable, canary, limits):
        return Verdict("roll back", (errors,))
    fewest = min(stable.answers, canary.answers)
    if fewest < limits.minimum_requests:
        needed = f"{limits.minimum_requests} of each are needed"
        return Verdict(
            "keep watching", (f"stable gave {counted(stable.answers, 'answer')}, canary {canary.answers}; {needed}",)
        )
    broken: list[str] = []
    kept = [f"error rate {canary.error_rate:.4g}, stable {stable.error_rate:.4g}"]
    for is_broken, reason in (_latency(stable, canary, limits), *_predictions(stable, canary, limits)):
        (broken if is_broken else kept).append(reason)
    return Verdict("roll back", tuple(broken)) if broken else Verdict("promote", tuple(kept))


def rules(limits: Limits) -> tuple[str, ...]:
    """The rules in words, a line each.

    >>> rules(Limits())[-1]
    'It is promoted when none is broken and both have given 200 answers.'
    """
    quantile = f"p{limits.latency_quantile * 100:g} of its latency"
    return (
        "The canary is rolled back if",
        f"- its error rate is higher by more than {limits.error_increase:g}, and chance gives as many errors with a "
        f"probability below {limits.error_significance:g};",
        f"- {quantile} is more than {limits.latency_ratio:g} times stable's, and more than "
        f"{limits.latency_increase * 1e3:g} ms above it;",
        f"- the stability index of an output's values is above {limits.psi:g} and what chance gives.",
        f"It is promoted when none is broken and both have given {limits.minimum_requests} answers.",
    )


def fisher(stable_errors: int, stable_requests: int, canary_errors: int, canary_requests: int) -> float:
    """Probability of at least so many errors of the canary if errors fall on requests at random.

    >>> round(fisher(0, 3, 2, 2), 6)  # one of the ten ways to choose two out of five
    0.1
    """
    total, errors = stable_requests + canary_requests, stable_errors + canary_errors
    every = _log_choose(total, errors)
    return min(
        1.0,
        math.fsum(
            math.exp(_log_choose(canary_requests, count) + _log_choose(stable_requests, errors - count) - every)
            for count in range(canary_errors, min(errors, canary_requests) + 1)
            if errors - count <= stable_requests
        ),
    )


def latency_quantile(latencies: Sequence[int], quantile: float) -> float:
    """Upper bound in seconds of the bucket that a quantile falls into; infinity beyond the last bound.

    Args:
        latencies: counts by the buckets of LATENCY_BOUNDS and one more, at least one of them above 0.
        quantile: between 0 and 1.
    """
    rank, seen = math.ceil(quantile * sum(latencies)), 0
    for bound, count in zip(LATENCY_BOUNDS, latencies):  # noqa: B905: the last bucket has no bound
        seen += count
        if seen >= rank:
            return bound
    return math.inf


def stability_index(expected: Sequence[int], found: Sequence[int]) -> float:
    """Population stability index of two histograms with the same bins; half a value is added to each bin.

    >>> round(stability_index([50, 50], [50, 50]), 6)
    0.0
    """
    size = 0.5 * len(expected)
    p = [(count + 0.5) / (sum(expected) + size) for count in expected]
    q = [(count + 0.5) / (sum(found) + size) for count in found]
    return math.fsum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


def _errors(stable: Traffic, canary: Traffic, limits: Limits) -> str:
    """Why the canary's errors are too many; empty where they are not."""
    if canary.error_rate - stable.error_rate <= limits.error_increase:
        return ""
    chance = fisher(stable.errors, stable.requests, canary.errors, canary.requests)
    if chance >= limits.error_significance:
        return ""
    return (
        f"{canary.errors} of {counted(canary.requests, 'request')} failed, "
        f"of stable's {stable.errors} of {stable.requests}: "
        f"by chance with a probability of {chance:.2g}, limit {limits.error_significance:g}"
    )


def _latency(stable: Traffic, canary: Traffic, limits: Limits) -> tuple[bool, str]:
    before = latency_quantile(stable.latencies, limits.latency_quantile)
    now = latency_quantile(canary.latencies, limits.latency_quantile)
    allowed = max(before * limits.latency_ratio, before + limits.latency_increase)
    shown = f"{now * 1e3:.1f} ms, stable {before * 1e3:.1f} ms, limit {allowed * 1e3:.1f} ms"
    return now > allowed, f"p{limits.latency_quantile * 100:g} of latency {shown}"


def _predictions(stable: Traffic, canary: Traffic, limits: Limits) -> list[tuple[bool, str]]:
    """Of outputs that few answers have there is nothing to say: what clients ask for now and then is not in both."""
    found = []
    for output in sorted({*stable.predictions, *canary.predictions}):
        one, other = (of.predictions.get(output, _NO_PREDICTIONS) for of in (stable, canary))
        if not one.answers or not other.answers:
            who = "stable" if one.answers else "canary"
            without, answers = (canary.answers, stable.answers) if one.answers else (stable.answers, canary.answers)
            had = one.answers or other.answers
            chance = fisher(answers - had, answers, without, without)
            reason = f"only {who} has the output {output}, in {had} of {counted(answers, 'answer')}: by chance with a"
            found.append((chance < limits.error_significance, f"{reason} probability of {chance:.2g}"))
            continue
        if (fewest := min(one.answers, other.answers)) < limits.minimum_requests:
            needed = f"{limits.minimum_requests} are needed"
            found.append((False, f"{output} is not compared: {fewest} answers have it, {needed}"))
            continue
        before, now = one.bins, other.bins
        index = stability_index(before, now)
        allowed = limits.psi + (len(before) - 1) * (1 / max(sum(before), 1) + 1 / max(sum(now), 1))
        found.append((index > allowed, f"stability index of {output} {index:.3g}, limit {allowed:.3g}"))
    return found


_NO_PREDICTIONS = Predictions(0, ())


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
