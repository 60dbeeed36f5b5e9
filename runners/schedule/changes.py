"""Whether what a run that did not end well was made of is other now."""

from __future__ import annotations

from configs.fingerprint import settings_fingerprint
from configs.settings import Settings
from runners.data_rules import data_rules
from runners.run_record import RunRecord
from runners.schedule.inventory import Inventory
from runners.schedule.ledger import Ledger
from schemas.errors import DataError


class Changes:
    """What the data and the settings are now, held against the records of runs.

    Args:
        settings: of the pipeline.
        inventory: of its data.
        ledger: keeps fingerprints of files, which are read only when they look different from last time.
    """

    def __init__(self, settings: Settings, inventory: Inventory, ledger: Ledger) -> None:
        self._settings, self._inventory, self._ledger = settings, inventory, ledger

    def since(self, run: RunRecord) -> bool:
        """Whether data or rules of a run that was refused, or failed, are others now; of a failed one also settings."""
        span = run.span
        if span is None:
            return False
        settings = with_span(self._settings, span)
        if run.rules and run.rules != data_rules(settings):
            return True
        if not run.data and run.settings and run.settings != settings_fingerprint(settings):
            return True
        if not run.data or settings.data.prepare is not None:  # then it is the fingerprint of what was prepared
            return False
        try:
            return self._print(span) != run.data
        except DataError:
            return False

    def _print(self, span: int) -> str:
        signature = self._inventory.signature(span)
        known = self._ledger.prints.get(span)
        if known is None or not signature or known[0] != signature:
            known = self._ledger.prints[span] = (signature, self._inventory.fingerprint(span))
        return known[1]


def with_span(settings: Settings, span: int) -> Settings:
    """The settings of the run of a span."""
    return settings.model_copy(update={"data": settings.data.model_copy(update={"span": span})})
