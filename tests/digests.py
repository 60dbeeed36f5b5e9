"""What of a run's artifacts must not depend on where, or among how many processes, the work was done."""

from __future__ import annotations

import hashlib
from pathlib import Path

_SAME = ("FeatureStats.pb", "company", "payment_type", "metrics.json", ".arrow", ".gz")


def digests(artifacts: Path) -> dict[str, str]:
    """Of the files whose bytes the data decide, by node, output and path below the artifact's own folder."""
    found = {}
    for path in sorted(artifacts.rglob("*")):
        # tfx_bsl serializes transformed examples with their features in any order.
        if path.is_file() and path.name.endswith(_SAME) and not path.match("transformed_examples-*.gz"):
            node, output, _, *below = path.relative_to(artifacts).parts
            found["/".join((node, output, *below))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
