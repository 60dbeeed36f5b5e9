"""What a dry run says of its metadata store: which it is, and why not the one that was compiled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from configs.secret import SecretUrl
from configs.store_url import StoreUrl, parse_store_url
from schemas.errors import PlacedValueError

if TYPE_CHECKING:
    from runners.kubeflow.dry_run.database import Database


def compiled_store(settings: Any) -> StoreUrl | None:
    """The store that settings name, as JSON; None where they name none that we know: the tasks say what is wrong."""
    try:
        return parse_store_url(SecretUrl(json.loads(settings)["metadata"]["url"]))
    except (TypeError, ValueError, KeyError):
        return None


def metadata_line(database: Database | None, url: str | None, compiled: StoreUrl | None, *, chosen: bool) -> str:
    """The line, without secrets.

    Args:
        database: that was started; None: there is none.
        url: of the store that was named for this run.
        compiled: the store that was compiled.
        chosen: whether the kind of the database was asked for.
    """
    if database is None:
        store = compiled
        if url is not None:
            try:
                store = parse_store_url(SecretUrl(url))
            except PlacedValueError:
                store = None
        return f"metadata: {store or 'the store'}, as {'compiled' if url is None else 'given'}; it keeps this run"
    started = f"metadata: an empty {database.program}, started for this run and thrown away"
    if compiled is None:
        return started
    other = ""
    if not chosen and compiled.scheme in ("mysql", "postgresql") and compiled.scheme != database.kind:
        other = f", and no server for {compiled.scheme} is installed here"
    return f"{started}: {compiled}, as compiled, is for the cluster{other}. --keep-metadata takes that one"
