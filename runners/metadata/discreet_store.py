"""ML Metadata's store, which keeps to itself how it is reached."""

from __future__ import annotations

import logging
from typing import Any

from absl import logging as absl_logging
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2

_CONFIGURATIONS = (metadata_store_pb2.ConnectionConfig, metadata_store_pb2.MetadataStoreClientConfig)


class DiscreetStore(MetadataStore):
    """A store of the library; every one that is opened here is one of these.

    The library logs its configuration at DEBUG, and with it the password or the private key. The level that absl lets
    through is not ours alone to set, so the record is dropped instead.

    Args:
        config: ML Metadata's ConnectionConfig or MetadataStoreClientConfig.
    """

    def __init__(self, config: Any) -> None:
        absl_logging.get_absl_logger().addFilter(_without_configuration)  # the same one a second time is no second one
        super().__init__(config)


def _without_configuration(record: logging.LogRecord) -> bool:
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(isinstance(argument, _CONFIGURATIONS) for argument in arguments)
