"""What the commands of `scalable-tf release` have in common: whose releases, who asks, which servers are told."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.grpc_address import grpc_address
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from runners.commands.tls_options import add_tls, tls_of
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from serving.change_request import ChangeRequest
    from serving.label_change import LabelChange
    from serving.labels import Labels

VERSION = "a number, a label, or `latest`"
_BUCKET = re.compile(r"(?:^|/)(gs|s3|s3a|s3n|hdfs):/+(.*)")  # as a path, which has lost a slash
_MODEL = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # as push.model


def add_store(parser: argparse.ArgumentParser) -> None:
    """The options that say whose releases are meant."""
    add_settings(parser, required=False)
    parser.add_argument("--releases", type=Path, metavar="DIR", help="folder of all released models, instead of -c")
    parser.add_argument("--model", metavar="NAME", help="name of the model in --releases")


def add_move(parser: argparse.ArgumentParser) -> None:
    """The options of whatever moves a label."""
    add_store(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit log")
    parser.add_argument("--force", metavar="REASON", help="take a version that is not blessed, and say why")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        type=grpc_address,
        metavar="HOST:PORT",
        help="gRPC address of a model server to tell, grpcs://HOST:PORT with TLS; may be repeated",
    )
    add_tls(parser)
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="NAME=DIR|FILE",
        help="with --server: a model that the servers have besides, or the ModelServerConfig of all of them; a server "
        "unloads what it is not told. May be repeated",
    )
    parser.add_argument(
        "--unload-others", action="store_true", help="with --server: go on where a server would lose other models"
    )
    parser.add_argument(
        "--load-seconds", type=seconds, default=300.0, metavar="S", help="how long a server may load; default: 300"
    )
    parser.add_argument(
        "--settle-seconds",
        type=seconds,
        default=0.0,
        metavar="S",
        help="wait between loading and labelling, for servers that read models.config themselves: their polling "
        "interval and the time to load; default: 0",
    )
    parser.add_argument("--base-path", metavar="DIR", help="the model's folder as servers see it, if not as here")


def seconds(value: str) -> float:
    """A number of seconds, 0 or more."""
    with contextlib.suppress(ValueError):
        number = float(value)
        if 0 <= number < float("inf"):
            return number
    raise argparse.ArgumentTypeError(f"must be a number of seconds, 0 or more: {value}")


def labels_of(arguments: argparse.Namespace) -> Labels:
    """The labels of the model that is meant.

    Raises:
        SettingsError: it is not clear which.
    """
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
        folder = _absolute(arguments.releases)
        _check_model(folder, arguments.model)
        return Labels(folder, arguments.model)
    settings = load(arguments)
    with libraries():
        from pipeline.pipeline import root
    return Labels(root(settings) / "releases", settings.model_name)


def _absolute(folder: Path) -> Path:
    """With the links that servers see, but without `..`, which behind a link leads to where that points."""
    steps = list(Path.cwd().joinpath(folder).parts)
    while ".." in steps:
        place = steps.index("..")
        before = Path(*steps[:place])
        steps[: place + 1] = (before.resolve() if before.is_symlink() else before).parent.parts
    return Path(*steps)


def _check_model(root: Path, model: str) -> None:
    """Tells a folder that is not there, and a name that none of its models has; of no model nothing is wrong yet."""
    if not root.is_dir() and (address := _BUCKET.search(str(root))) is not None:
        raise SettingsError(
            "Labels are moved in a folder of this machine, not in a bucket.",
            where="--releases",
            received=f"{address[1]}://{address[2]}",
            fix="Move them in the folder that is copied to the bucket, and copy it; --base-path names the bucket to "
            "servers that are told.",
        )
    if not root.is_dir():
        raise SettingsError(
            "The folder of released models is not there.",
            where="--releases",
            received=str(root),
            fix="Give <output_dir>/releases of a pipeline, or -c FILE.",
        )
    there = sorted(path.name for path in root.iterdir() if path.is_dir() and re.fullmatch(_MODEL, path.name))
    if there and model not in there:
        near = get_close_matches(model, there, n=1)
        raise SettingsError(
            f"No model of this name is released in {root}.",
            where="--model",
            received=model,
            fix=f"{f'Did you mean {near[0]}? ' if near else ''}There are: {', '.join(there)}.",
        )


def request_of(arguments: argparse.Namespace, urls: Sequence[str] = ()) -> ChangeRequest:
    """Who asks for a move, and how it is to be done.

    Args:
        arguments: of the command.
        urls: REST addresses of servers that are asked, too.

    Raises:
        SettingsError: a model to keep, or a file for TLS, is none.
    """
    from serving.change_request import ChangeRequest
    from serving.other_models import kept_models

    if arguments.server:
        with libraries():
            import serving.remote_server  # noqa: F401: it brings TensorFlow, which is not to be heard
    kept_models(arguments.keep)  # what is wrong with them is told at once
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        who = str(os.getuid())
    return ChangeRequest(
        who=who,
        host=os.uname().nodename,
        why=arguments.reason,
        force=arguments.force,
        servers=tuple(arguments.server),
        load_seconds=arguments.load_seconds,
        settle_seconds=arguments.settle_seconds,
        base_path=arguments.base_path,
        keep=tuple(arguments.keep),
        unload_others=arguments.unload_others,
        tls=tls_of(arguments, [*arguments.server, *urls]),
    )


def tell_models(labels: Labels, request: ChangeRequest) -> None:
    """Says which models the servers will have: the protocol cannot tell which they lose.

    Raises:
        ReleaseError: models.config cannot be read.
    """
    from serving.other_models import kept_models, with_kept
    from serving.served_models import ServedModels

    served = ServedModels(labels.store.directory.parent)
    if not request.servers:
        text = f"note: no server is told: one that runs goes on until it reads {served.path} again; --server tells it"
        print(text, file=sys.stderr, flush=True)
        return
    config = with_kept(served.config(), kept_models(request.keep))
    names = sorted({labels.store.model, *(entry.name for entry in config.model_config_list.config)})
    text = (
        f"note: {', '.join(request.servers)} will serve {', '.join(names)} and no other model. What it has besides is "
        "unloaded, unless --keep names it."
    )
    print(text, file=sys.stderr, flush=True)


def say(change: LabelChange) -> None:
    """Prints what was done."""
    from runners.release_view import moved_text

    print(moved_text(change.entry), flush=True)
    for note in change.notes:
        console(stderr=True).print(f"warning: {note}", markup=False, highlight=False, soft_wrap=True)
