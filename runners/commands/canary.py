"""`scalable-tf release canary`: a version is tried, and with --watch promoted or rolled back by what is seen of it."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK, EXIT_ROLLED_BACK, EXIT_UNDECIDED
from runners.commands.libraries import libraries
from runners.commands.release_options import VERSION, add_move, labels_of, request_of, say, seconds, tell_models
from schemas.errors import ReleaseError, SettingsError
from serving.audit_log import CANARY, STABLE
from serving.canary import Limits, rules

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from serving.canary import Verdict
    from serving.change_request import ChangeRequest
    from serving.labels import Labels

_PERCENT = 10.0
_MOST_REQUESTS = 20_000
_WATCH_SECONDS = 3600.0
_LIMITS = {
    "minimum_requests": "answers that both must have given before anything but errors counts",
    "error_significance": "an error rate is higher if chance gives as much with a probability below P",
    "error_increase": "by how much the canary's error rate may be higher",
    "latency_quantile": "the latency that is compared",
    "latency_ratio": "how many times stable's latency the canary's may be",
    "latency_increase": "by how many seconds it may be higher all the same",
    "psi": "largest population stability index of an output's values, besides chance",
}


def add(actions: Commands) -> None:
    """Makes the parser."""
    canary = actions.add_parser("canary", help="make a version `canary`; with --watch, promote it or roll it back")
    canary.add_argument("version", metavar="VERSION", help=VERSION)
    canary.add_argument(
        "--percent",
        type=_percent,
        default=_PERCENT,
        metavar="P",
        help="part of the live requests for `stable` that our model servers give to it, and of --requests; 0: only "
        f"what asks for `canary`; default: {_PERCENT:g}",
    )
    canary.add_argument(
        "--watch", action="store_true", help="compare it with stable, by --live or --requests, and decide"
    )
    sources = canary.add_mutually_exclusive_group()
    sources.add_argument(
        "--live",
        action="append",
        default=[],
        type=_url,
        metavar="URL",
        help="watch what this server (`scalable-tf serve`) sees of its clients' requests: its REST address, "
        "http://HOST:PORT; may be repeated",
    )
    sources.add_argument(
        "--requests",
        type=Path,
        metavar="FILE",
        help="send these to --server: JSON lines, or a TFRecord of PredictionLog",
    )
    canary.add_argument(
        "--canary-live",
        action="append",
        default=[],
        type=_url,
        metavar="URL",
        help="servers that only the canary's part of the requests goes to, by what is in front, while those of --live "
        "get the rest: compares the metrics of both, as TensorFlow Serving has them; may be repeated",
    )
    canary.add_argument(
        "--watch-seconds",
        type=seconds,
        default=_WATCH_SECONDS,
        metavar="S",
        help=f"--live: stop undecided after S; default: {_WATCH_SECONDS:g}",
    )
    canary.add_argument(
        "--most-requests",
        type=int,
        default=_MOST_REQUESTS,
        metavar="N",
        help=f"--requests: stop undecided after N; the file is sent again and again. Default: {_MOST_REQUESTS}",
    )
    for limit in fields(Limits):
        canary.add_argument(
            f"--{limit.name.replace('_', '-')}",
            type=type(limit.default),
            default=limit.default,
            metavar="N" if isinstance(limit.default, int) else "P" if "significance" in limit.name else "X",
            help=f"{_LIMITS[limit.name]}; default: {limit.default}",
        )
    add_move(canary)
    canary.set_defaults(run=_run)


def _percent(value: str) -> float:
    with contextlib.suppress(ValueError):
        number = float(value)
        if 0 <= number < 100:
            return number
    raise argparse.ArgumentTypeError(f"must be a number, 0 or more, and less than 100: {value}")


def _url(value: str) -> str:
    if "@" in value:  # messages name the address, and so would name the password
        raise argparse.ArgumentTypeError("must be http://HOST:PORT of the REST port, without a user and a password")
    if not re.fullmatch(r"https?://[^/\s]+/?", value):
        raise argparse.ArgumentTypeError(f"must be http://HOST:PORT of the REST port: {value}")
    return value


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.watch and (arguments.live or arguments.requests):
        raise SettingsError(
            "Nothing is watched: --live and --requests say what --watch looks at.",
            where="--live" if arguments.live else "--requests",
            fix="Add --watch, or leave it out: the canary then stays until it is promoted or rolled back.",
        )
    if arguments.watch and not (arguments.live or (arguments.requests and arguments.server)):
        raise SettingsError(
            "There is nothing to watch.",
            where="--watch",
            fix="Give --live http://HOST:PORT of each `scalable-tf serve` that clients ask. Or, where they do not tell "
            "versions apart, --requests FILE and at least one --server HOST:PORT: the command then asks itself.",
        )
    if arguments.canary_live and not arguments.live:
        raise SettingsError(
            "The servers that stable's requests go to are not named.",
            where="--canary-live",
            received=", ".join(arguments.canary_live),
            fix="Name them, too: --live http://HOST:PORT.",
        )
    if arguments.requests and not arguments.percent:
        raise SettingsError("The canary would get no request.", where="--percent", received=0, fix="Give more than 0.")
    labels = labels_of(arguments)
    request = request_of(arguments, [*arguments.live, *arguments.canary_live])
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    version = find_version(labels, arguments.version)
    tell_models(labels, request)
    if not arguments.watch:
        with interruptible():
            say(labels.canary(version, request, arguments.percent))
        return EXIT_OK
    limits = Limits(**{limit.name: getattr(arguments, limit.name) for limit in fields(Limits)})
    _print("\n".join(rules(limits)))
    watch = _watch_live if arguments.live else _watch_replay
    with interruptible(), _left_told(labels, version):
        verdict = watch(arguments, labels, version, request, limits)
        reasons = "; ".join(verdict.reasons)
        told = replace(request, why=f"canary: {reasons}")
        if verdict.decision == "promote":
            say(labels.promote(version, told, canary=True))
            return EXIT_OK
        if verdict.decision == "roll back":
            say(labels.end_canary(told, version))
            if "stability index" in reasons:
                _progress("note: if the predictions were meant to change so much, allow it with --psi.")
            return EXIT_ROLLED_BACK
    print(f"Undecided: {reasons}. {_left(labels, version)}")
    return EXIT_UNDECIDED


@contextlib.contextmanager
def _left_told(labels: Labels, version: int) -> Iterator[None]:
    """Says of a command that ends without a verdict that its canary stays, where it does: clients are asking it."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ReleaseError):
            if labels.current().get(CANARY) == version != labels.current().get(STABLE):
                print(f"note: {_left(labels, version)}", file=sys.stderr, flush=True)
        raise


def _left(labels: Labels, version: int) -> str:
    from serving.traffic_split import read_split

    split = read_split(labels.store.directory)
    live = split is not None and split.canary == version and split.percent
    part = f", and gets {split.percent:g} % of the live requests" if split is not None and live else ""
    return (
        f"Version {version} stays canary{part}. Give the command again to go on; scalable-tf release rollback "
        "--canary ends it."
    )


def _watch_live(
    arguments: argparse.Namespace, labels: Labels, version: int, request: ChangeRequest, limits: Limits
) -> Verdict:
    """Has servers split what their clients ask, or leaves that to what is in front, and compares what they see."""
    with libraries():
        from serving.asked_models import asked_models
        from serving.live_traffic import LiveTraffic
        from serving.scraped_traffic import ScrapedTraffic
    if request.servers:
        request = replace(request, others=asked_models([*arguments.live, *arguments.canary_live], request.tls))
    if arguments.canary_live:
        with ScrapedTraffic(arguments.live, arguments.canary_live, labels.store.model, tls=request.tls) as traffic:
            traffic.start()
            say(labels.canary(version, request))
            traffic.start()
            return traffic.watch(limits, arguments.watch_seconds, _progress)
    with LiveTraffic(arguments.live, labels.store.model, tls=request.tls) as live:
        live.check()
        change = labels.canary(version, request, arguments.percent)
        say(change)
        return live.watch(change.split, limits, arguments.watch_seconds, _progress)


def _watch_replay(
    arguments: argparse.Namespace, labels: Labels, version: int, request: ChangeRequest, limits: Limits
) -> Verdict:
    """Sends requests, and compares the answers."""
    with libraries():
        from serving.recorded_requests import recorded_requests
        from serving.replay import Replay
    with Replay(request.servers, labels.store.model, request.tls) as replay:
        requests = recorded_requests(arguments.requests, replay.signatures())
        change = labels.canary(version, request)
        say(change)
        return replay.watch(
            requests, change.entry.labels, arguments.percent, limits, arguments.most_requests, _progress
        )


def _print(text: str) -> None:
    print(text, flush=True)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
