"""`scalable-tf release list | show | promote | canary | rollback | verify`: released versions, and which are served."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_DIFFERENT, EXIT_OK, EXIT_ROLLED_BACK, EXIT_UNDECIDED
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from schemas.errors import ReleaseError, SettingsError
from serving.canary import Limits

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from serving.canary import Verdict
    from serving.labels import Labels, Moved, Request

_MODEL = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # as push.model
_PERCENT = 10.0
_MOST_REQUESTS = 20_000
_WATCH_SECONDS = 3600.0
_VERSION = "a number, a label, or `latest`"
_LIMITS = {
    "minimum_requests": "answers that both must have given before anything but errors counts",
    "error_significance": "an error rate is higher if chance gives as much with a probability below P",
    "error_increase": "by how much the canary's error rate may be higher",
    "latency_quantile": "the latency that is compared",
    "latency_ratio": "how many times stable's latency the canary's may be",
    "latency_increase": "by how many seconds it may be higher all the same",
    "psi": "largest population stability index of an output's values, besides chance",
}


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser(
        "release", help="list released versions, and choose which one is stable and which canary"
    )
    actions = parser.add_subparsers(required=True, metavar="list|show|promote|canary|rollback|verify")

    every = actions.add_parser("list", help="the versions, newest first, with labels, metrics and blessing")
    _add_store(every)
    every.add_argument("--json", action="store_true", help="as JSON, for programs")
    every.set_defaults(run=_list)

    show = actions.add_parser("show", help="one version: its record, and the history of its labels")
    show.add_argument("version", metavar="VERSION", help=_VERSION)
    _add_store(show)
    show.add_argument("--json", action="store_true", help="as JSON, for programs")
    show.set_defaults(run=_show)

    promote = actions.add_parser("promote", help="make a version `stable`")
    promote.add_argument("version", metavar="VERSION", help=_VERSION)
    _add_move(promote)
    promote.set_defaults(run=_promote)

    canary = actions.add_parser("canary", help="make a version `canary`; with --watch, promote it or roll it back")
    canary.add_argument("version", metavar="VERSION", help=_VERSION)
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
        type=_seconds,
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
    _add_move(canary)
    canary.set_defaults(run=_canary)

    rollback = actions.add_parser("rollback", help="give `stable` back to the version that had it before")
    which = rollback.add_mutually_exclusive_group()
    which.add_argument("--to", metavar="VERSION", help=f"or to another one: {_VERSION}")
    which.add_argument(
        "--canary", action="store_true", help="end the canary instead; its label goes to the stable version"
    )
    _add_move(rollback)
    rollback.set_defaults(run=_rollback)

    verify = actions.add_parser("verify", help="compare the files of versions with release.json")
    verify.add_argument("version", nargs="*", metavar="VERSION", help=f"{_VERSION}; default: all")
    _add_store(verify)
    verify.add_argument("--json", action="store_true", help="as JSON, for programs")
    verify.set_defaults(run=_verify)


def _add_store(parser: argparse.ArgumentParser) -> None:
    add_settings(parser, required=False)
    parser.add_argument("--releases", type=Path, metavar="DIR", help="folder of all released models, instead of -c")
    parser.add_argument("--model", metavar="NAME", help="name of the model in --releases")


def _add_move(parser: argparse.ArgumentParser) -> None:
    _add_store(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit log")
    parser.add_argument("--force", metavar="REASON", help="take a version that is not blessed, and say why")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        type=_address,
        metavar="HOST:PORT",
        help="gRPC address of a model server to tell; may be repeated",
    )
    parser.add_argument(
        "--load-seconds", type=_seconds, default=300.0, metavar="S", help="how long a server may load; default: 300"
    )
    parser.add_argument(
        "--settle-seconds",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="wait between loading and labelling, for servers that read models.config themselves: their polling "
        "interval and the time to load; default: 0",
    )
    parser.add_argument("--base-path", metavar="DIR", help="the model's folder as servers see it, if not as here")


def _percent(value: str) -> float:
    number = float(value)
    if not 0 <= number < 100:
        raise argparse.ArgumentTypeError("must be 0 or more, and less than 100")
    return number


def _seconds(value: str) -> float:
    number = float(value)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("must be a number of seconds, 0 or more")
    return number


def _address(value: str) -> str:
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s]+):[0-9]+", value):
        raise argparse.ArgumentTypeError(f"must be HOST:PORT of the gRPC port: {value}")
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+/?", value):
        raise argparse.ArgumentTypeError(f"must be http://HOST:PORT of the REST port: {value}")
    return value


def _labels(arguments: argparse.Namespace) -> Labels:
    if bool(arguments.config) == bool(arguments.releases) or bool(arguments.releases) != bool(arguments.model):
        raise SettingsError("Whose releases is not clear.", fix="Give -c FILE, or --releases DIR and --model NAME.")
    from serving.labels import Labels

    if arguments.releases:
        if not re.fullmatch(_MODEL, arguments.model):
            raise SettingsError(
                "This names no model.",
                where="--model",
                received=arguments.model,
                fix=f"Models are released under {arguments.releases}/NAME; give the name alone.",
            )
        return Labels(arguments.releases.absolute(), arguments.model)
    settings = load(arguments)
    with libraries():
        from pipeline.pipeline import root
    return Labels(root(settings) / "releases", settings.model_name)


def _request(arguments: argparse.Namespace) -> Request:
    from serving.labels import Request

    if arguments.server:
        with libraries():
            import serving.remote_server  # noqa: F401: it brings TensorFlow, which is not to be heard
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        who = str(os.getuid())
    return Request(
        who=who,
        host=os.uname().nodename,
        why=arguments.reason,
        force=arguments.force,
        servers=tuple(arguments.server),
        load_seconds=arguments.load_seconds,
        settle_seconds=arguments.settle_seconds,
        base_path=arguments.base_path,
    )


def _list(arguments: argparse.Namespace) -> int:
    labels = _labels(arguments)
    from runners.release_view import listed, print_list

    found = listed(labels)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print_list(found, console())
    return EXIT_OK


def _show(arguments: argparse.Namespace) -> int:
    labels = _labels(arguments)
    from runners.release_view import detailed, print_detail

    found = detailed(labels, arguments.version)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print_detail(found, console())
    return EXIT_OK


def _promote(arguments: argparse.Namespace) -> int:
    labels, request = _labels(arguments), _request(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    with interruptible():
        _say(labels.promote(find_version(labels, arguments.version), request))
    return EXIT_OK


def _rollback(arguments: argparse.Namespace) -> int:
    labels, request = _labels(arguments), _request(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    with interruptible():
        if arguments.canary:
            _say(labels.end_canary(request))
        else:
            _say(labels.rollback(request, find_version(labels, arguments.to) if arguments.to else None))
    return EXIT_OK


def _canary(arguments: argparse.Namespace) -> int:
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
    labels, request = _labels(arguments), _request(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    version = find_version(labels, arguments.version)
    if not arguments.watch:
        with interruptible():
            _say(labels.canary(version, request, arguments.percent))
        return EXIT_OK
    limits = Limits(**{limit.name: getattr(arguments, limit.name) for limit in fields(Limits)})
    watch = _watch_live if arguments.live else _watch_replay
    with interruptible():
        verdict = watch(arguments, labels, version, request, limits)
        reasons = "; ".join(verdict.reasons)
        told = replace(request, why=f"canary: {reasons}")
        if verdict.decision == "promote":
            _say(labels.promote(version, told, canary=True))
            return EXIT_OK
        if verdict.decision == "roll back":
            _say(labels.end_canary(told, version))
            return EXIT_ROLLED_BACK
    print(f"Undecided: {reasons}. Version {version} stays canary.")
    return EXIT_UNDECIDED


def _watch_live(
    arguments: argparse.Namespace, labels: Labels, version: int, request: Request, limits: Limits
) -> Verdict:
    """Has servers split what their clients ask, or leaves that to what is in front, and compares what they see."""
    with libraries():
        from serving.live_traffic import LiveTraffic
        from serving.scraped_traffic import ScrapedTraffic
    if arguments.canary_live:
        with ScrapedTraffic(arguments.live, arguments.canary_live, labels.store.model) as traffic:
            traffic.start()
            _say(labels.canary(version, request))
            traffic.start()
            return traffic.watch(limits, arguments.watch_seconds, _print)
    with LiveTraffic(arguments.live, labels.store.model) as live:
        live.check()
        moved = labels.canary(version, request, arguments.percent)
        _say(moved)
        if moved.split is None:
            raise ReleaseError(
                "The version is stable already: there is nothing to compare it with.",
                received=version,
                fix="Take another version: scalable-tf release list.",
            )
        return live.watch(moved.split, limits, arguments.watch_seconds, _print)


def _watch_replay(
    arguments: argparse.Namespace, labels: Labels, version: int, request: Request, limits: Limits
) -> Verdict:
    """Sends requests, and compares the answers."""
    with libraries():
        from serving.recorded_requests import recorded_requests
        from serving.replay import Replay
    with Replay(request.servers, labels.store.model) as replay:
        requests = recorded_requests(arguments.requests, replay.signatures())
        moved = labels.canary(version, request)
        _say(moved)
        return replay.watch(requests, moved.entry.labels, arguments.percent, limits, arguments.most_requests, _print)


def _print(text: str) -> None:
    print(text, flush=True)


def _say(moved: Moved) -> None:
    from runners.release_view import moved_text

    print(moved_text(moved.entry), flush=True)
    for note in moved.notes:
        console(stderr=True).print(f"warning: {note}", markup=False, highlight=False, soft_wrap=True)


def _verify(arguments: argparse.Namespace) -> int:
    labels = _labels(arguments)
    from runners.release_view import find_version
    from serving.verification import verify

    versions = labels.store.versions()
    chosen = [find_version(labels, name) for name in arguments.version] or list(versions)
    faults = {version: verify(versions[version], version) for version in chosen}
    if arguments.json:
        print(json.dumps({version: [asdict(fault) for fault in found] for version, found in faults.items()}, indent=2))
    else:
        for version, found in faults.items():
            print(f"Version {version}: {'as it was released' if not found else 'altered'}")
            for fault in found:
                print(f"  {fault.message}")
        if not faults:
            print(f"No version of {labels.store.model} is released in {labels.store.directory}.")
    return EXIT_DIFFERENT if any(faults.values()) else EXIT_OK
