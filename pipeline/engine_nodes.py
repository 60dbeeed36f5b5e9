"""The nodes that the settings give an engine of their own."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from configs.settings import Settings
from schemas.errors import SettingsError


def check_engine_nodes(settings: Settings, nodes: Sequence[str], others: Sequence[str]) -> None:
    """Checks that engine.nodes names nodes.

    Args:
        settings: of the pipeline.
        nodes: of the pipeline.
        others: of the pipelines that the same settings describe for other purposes.

    Raises:
        SettingsError: one is in neither.
    """
    for name in settings.engine.nodes:
        if name not in (*nodes, *others):
            near = get_close_matches(name, nodes, n=1)
            raise SettingsError(
                "engine.nodes names a node that the pipeline does not have.",
                where=f"engine.nodes.{name}",
                received=name,
                fix=f"{f'Is it {near[0]}? ' if near else ''}Nodes: {', '.join(nodes)}.",
            )
