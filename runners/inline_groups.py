"""Values by key, grouped as Beam groups them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from apache_beam import coders
from apache_beam.options.pipeline_options import TypeOptions
from apache_beam.pvalue import PCollection
from apache_beam.typehints.typehints import coerce_to_kv_type
from apache_beam.utils.windowed_value import WindowedValue

# Of these types, values that are equal have the same encoding. Not so in general: 1 == 1.0 == True.
_PLAIN = frozenset((str, bytes, int, type(None)))
_NEW = object()


class Groups:
    """An accumulator for each key.

    Two keys are the same key when Beam encodes them to the same bytes, whatever Python says of their equality, so that
    1, 1.0 and True are three keys, and lists and NumPy scalars can be keys.

    Args:
        coder: Beam's, of the keys; see `key_coder`.
        create: makes an accumulator.
        add: returns an accumulator with a value added.
        merge: makes one accumulator of several.
    """

    def __init__(
        self,
        coder: coders.Coder,
        create: Callable[[], Any],
        add: Callable[[Any, Any], Any],
        merge: Callable[[list[Any]], Any],
    ) -> None:
        implementation = coder.get_impl()
        self._encode, self._decode = implementation.encode, implementation.decode
        self._create, self._add, self._merge = create, add, merge
        self._plain: dict[Any, Any] = {}
        self._encoded: dict[bytes, Any] = {}

    def add(self, element: WindowedValue) -> None:
        """Adds the value of a key-value pair to the accumulator of its key."""
        key, value = element.value
        table, place = self._place(key)
        accumulator = table.get(place, _NEW)
        if accumulator is _NEW:
            accumulator = self._create()
        table[place] = self._add(accumulator, value)

    def join(self, key: Any, accumulator: Any) -> None:
        """Adds what an accumulator of a key has seen elsewhere."""
        table, place = self._place(key)
        table[place] = self._merge([table[place], accumulator]) if place in table else accumulator

    def drain(self) -> Iterator[tuple[Any, Any]]:
        """Hands out every key with its accumulator, and forgets it."""
        for key in list(self._plain):
            code = self._encode(key)
            accumulator = self._plain.pop(key)
            if code in self._encoded:
                accumulator = self._merge([self._encoded[code], accumulator])
            self._encoded[code] = accumulator
        for code in list(self._encoded):
            yield self._decode(code), self._encoded.pop(code)

    def _place(self, key: Any) -> tuple[dict[Any, Any], Any]:
        return (self._plain, key) if type(key) in _PLAIN else (self._encoded, self._encode(key))


def key_coder(collection: PCollection, label: str) -> coders.Coder:
    """How Beam encodes the keys of a collection.

    Args:
        collection: of key-value pairs, whose type decides.
        label: name of the grouping, for messages.

    Raises:
        ValueError, TypeError: (Beam's) the type of the keys has no deterministic encoding.
    """
    coder = coders.registry.get_coder(coerce_to_kv_type(collection.element_type, label)).key_coder()
    if not collection.pipeline.options.view_as(TypeOptions).allow_non_deterministic_key_coders:
        coder = coder.as_deterministic_coder(label)
    return coder
