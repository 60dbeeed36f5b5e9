"""Strategies by name.

A module of this package gives one strategy: it defines `make(training, own) -> tf.distribute.Strategy`, which raises
TrainingError where this machine cannot do it, and is listed in `_MODULES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from difflib import get_close_matches

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership
from schemas.errors import TrainingError

Make = Callable[[Training, Membership | None], tf.distribute.Strategy]

CLUSTERED = ("multi_worker_mirrored", "parameter_server", "horovod")
"""Strategies of several processes, which a launcher starts."""

_MODULES = ("default", "one_device", "mirrored", "central_storage", "tpu", *CLUSTERED)


class Registry:
    """Functions by name; a name can be taken once.

    Example:
        >>> registry = Registry()
        >>> registry.add("default", lambda training, own: tf.distribute.get_strategy())
        >>> registry.names
        ('default',)
    """

    def __init__(self, entries: Mapping[str, Make] | None = None) -> None:
        self._entries: dict[str, Make] = dict(entries or {})

    @property
    def names(self) -> tuple[str, ...]:
        """Known names, sorted."""
        return tuple(sorted(self._entries))

    def add(self, name: str, make: Make) -> None:
        """Adds a strategy.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"strategy {name!r} is registered already")
        self._entries[name] = make

    def make(self, training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
        """The strategy of `training.strategy`.

        Args:
            training: the settings, with a strategy by name.
            own: the task that this process is, for strategies of several.

        Raises:
            TrainingError: it is unknown, or not possible on this machine.
        """
        name: str = training.strategy
        if name not in self._entries:
            near = get_close_matches(name, self.names, n=1)
            raise TrainingError(
                "No such strategy." + (f" Did you mean {near[0]!r}?" if near else ""),
                where="training.strategy",
                received=name,
                fix=f"Known strategies: auto, {', '.join(self.names)}.",
            )
        return self._entries[name](training, own)


def make_strategy(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """The strategy of the settings, see `Registry.make`."""
    registry = Registry()
    for name in _MODULES:
        registry.add(name, _maker(name))
    return registry.make(training, own)


def _maker(name: str) -> Make:
    def make(training: Training, own: Membership | None) -> tf.distribute.Strategy:
        # Imported when it is made: a strategy may need a library that others do without.
        return importlib.import_module(f"distribution.strategies.{name}").make(training, own)

    return make
