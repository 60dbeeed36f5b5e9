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
from schemas.errors import SettingsError
from serving.canary import Limits

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from serving.labels import Labels, Moved, Request

_MODEL = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # as push.model
_PERCENT = 10.0
_MOST_REQUESTS = 20_000
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
        help=f"part of the requests that goes to it, default: {_PERCENT:g}. Model servers do not split: it is for the "
        "audit log, and --watch keeps to it",
    )
    canary.add_argument("--watch", action="store_true", help="send --requests, compare the answers, and decide")
    canary.add_argument("--requests", type=Path, metavar="FILE", help="JSON lines, or a TFRecord of PredictionLog")
    canary.add_argument(
        "--most-requests",
        type=int,
        default=_MOST_REQUESTS,
        metavar="N",
        help=f"stop undecided after N; the file is sent again and again. Default: {_MOST_REQUESTS}",
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
    if not 0 < number < 100:
        raise argparse.ArgumentTypeError("must be more than 0 and less than 100")
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
    if arguments.watch and not (arguments.requests and arguments.server):
        raise SettingsError(
            "There is nothing to watch.",
            where="--watch",
            fix="Give --requests FILE and at least one --server HOST:PORT. The metrics of model servers do not tell "
            "versions apart, so the command sends the requests itself.",
        )
    labels, request = _labels(arguments), _request(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    version = find_version(labels, arguments.version)
    if not arguments.watch:
        with interruptible():
            _say(labels.canary(version, request, arguments.percent))
        return EXIT_OK
    limits = Limits(**{limit.name: getattr(arguments, limit.name) for limit in fields(Limits)})
    with libraries():
        from serving.recorded_requests import recorded_requests
        from serving.replay import Replay
    with interruptible(), Replay(request.servers, labels.store.model) as replay:
        requests = recorded_requests(arguments.requests, replay.signatures())
        moved = labels.canary(version, request, arguments.percent)
        _say(moved)
        verdict = replay.watch(
            requests,
            moved.entry.labels,
            arguments.percent,
            limits,
            arguments.most_requests,
            lambda text: print(text, flush=True),
        )
        reasons = "; ".join(verdict.reasons)
        told = replace(request, why=f"canary: {reasons}")
        if verdict.decision == "promote":
            _say(labels.promote(version, told, canary=True))
            return EXIT_OK
        if verdict.decision == "roll back":
            _say(labels.end_canary(told, version))
            return EXIT_ROLLED_BACK
    print(f"Undecided after {arguments.most_requests} requests: {reasons}. Version {version} stays canary.")
    return EXIT_UNDECIDED


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
