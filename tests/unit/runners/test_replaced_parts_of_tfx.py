"""TFX's private parts that ours replace, or are called from: as they were in both stacks when ours were written.

Both stacks run this test. Where it fails, read what has changed there, see that our module still does what it says, and
only then write the new digest down.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from tfx.orchestration.portable import cache_utils, launcher, outputs_utils
from tfx.orchestration.portable.input_resolution import channel_resolver
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.orchestration.portable.resolver_node_handler import ResolverNodeHandler

PARTS: dict[str, tuple[Callable[..., Any], str]] = {
    part.__qualname__: (part, digest)
    for part, digest in (
        # runners/launcher.py: `_run_executor`, and between it and the publication `_clean_up_stateful_execution_info`.
        (launcher.Launcher.__init__, "99756e1d30698646"),
        (launcher.Launcher.launch, "73e3fc81475e1307"),
        (launcher.Launcher._prepare_execution, "a058d283cd055636"),
        (launcher.Launcher._register_or_reuse_execution, "3e878b9e586f826a"),
        (launcher.Launcher._run_executor, "c94ba7db3d16cf6a"),
        (launcher.Launcher._clean_up_stateful_execution_info, "c0b951b7ad432853"),
        # The same: the name of the working folder is read from the execution.
        (outputs_utils.get_stateful_working_dir_index, "a7efeb96dc4e88ad"),
        (outputs_utils.remove_output_dirs, "53c190f615213eee"),
        # runners/resolver_handler.py
        (ResolverNodeHandler.run, "16963628e5a5f613"),
        (ResolverNodeHandler._build_error_output, "fb7a966966be9b41"),
        # runners/checked_cache.py, runners/bounded_lookup.py
        (cache_utils.get_cached_outputs, "7de56d641aae225b"),
        (channel_resolver._get_executions_by_all_contexts, "ea057e857a7d1f54"),
    )
}


def digest_of(part: Callable[..., Any]) -> str:
    """Of the source, without what is around it; the same whatever Python reads it."""
    text = textwrap.dedent(inspect.getsource(part))
    code = ast.get_source_segment(text, ast.parse(text).body[0])
    return hashlib.sha256((code or "").encode()).hexdigest()[:16]


def test_a_changed_word_changes_the_digest() -> None:
    assert digest_of(one) == hashlib.sha256(b"def one() -> int:\n    return 1").hexdigest()[:16]
    assert digest_of(one) != digest_of(another)


@pytest.mark.parametrize("name", PARTS)
def test_it_is_as_it_was(name: str) -> None:
    part, digest = PARTS[name]
    assert digest_of(part) == digest, f"{name} of this TFX is another one"


def test_the_executions_of_a_run_are_asked_for_as_ever() -> None:
    # What it does inside differs between the stacks.
    names = list(inspect.signature(execution_lib.get_executions_associated_with_all_contexts).parameters)
    assert names == ["metadata_handle", "contexts"]


def one() -> int:
    return 1


def another() -> int:
    return 2
