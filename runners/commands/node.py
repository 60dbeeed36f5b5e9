"""`scalable-tf node`: one node of an existing run again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_debug

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("node", help="run one node of an existing run again, for debugging and orchestrators")
    parser.add_argument(
        "--run", dest="folder", type=Path, required=True, metavar="FOLDER", help="<output_dir>/logs/<run id>"
    )
    parser.add_argument("--node", required=True, metavar="ID", help="which one, e.g. Trainer")
    add_debug(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.local import run_one_node

    outcome = run_one_node(arguments.folder, arguments.node)
    print(f"{outcome.node_id} {outcome.state}")
    for key, outputs in outcome.outputs.items():
        for output in outputs:
            print(f"  {key}: {output.uri}")
    return EXIT_OK
