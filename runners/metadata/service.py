"""ML Metadata's gRPC service, as Kubeflow Pipelines installs it and `scalable-tf metadata serve` runs it."""

from __future__ import annotations

from pathlib import Path

from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2

from configs.store_url import StoreUrl
from runners.metadata.backend import CHECK_SECONDS, Backend, Failure
from runners.metadata.discreet_store import DiscreetStore
from schemas.errors import RunError, SettingsError

CALL_SECONDS = 60
"""How long a call may take before its connection counts as lost."""
_FILES = {"ssl_ca": "custom_ca", "ssl_cert": "server_cert", "ssl_key": "client_key"}
# The last is what gRPC says of certificates and keys that it cannot use.
_HANDSHAKE = ("handshake", "CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "empty address list")


class ServiceBackend(Backend):
    """The service at an address.

    Args:
        url: where it is.

    Raises:
        SettingsError: a file of the TLS options cannot be read, or is not PEM.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._url = url
        self.place = str(url)
        self._tls = {_FILES[name]: _pem(name, file) for name, file in url.parameters.items()}

    def config(self) -> metadata_store_pb2.MetadataStoreClientConfig:
        """With a limit on the time of a call, and none on the size of an answer."""
        return self._config(CALL_SECONDS)

    def check(self) -> None:
        """Makes the cheapest call."""
        try:
            DiscreetStore(self._config(CHECK_SECONDS)).get_context_type("pipeline")
        except errors.NotFoundError:
            return
        except errors.StatusError as error:
            raise self._error(error) from error

    def failure(self, error: errors.StatusError) -> Failure | None:
        """The service rolls back what it aborts; the rest is about the connection."""
        if isinstance(error, errors.AbortedError):
            return Failure.BUSY
        gone = (errors.UnavailableError, errors.DeadlineExceededError, errors.CancelledError)
        return Failure.LOST if isinstance(error, gone) else None

    def _config(self, seconds: float) -> metadata_store_pb2.MetadataStoreClientConfig:
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        config = metadata_store_pb2.MetadataStoreClientConfig(
            host=host, port=self._url.port, client_timeout_sec=seconds
        )
        config.channel_arguments.max_receive_message_length = -1
        if self._url.scheme == "grpcs":
            config.ssl_config.SetInParent()
            for name, content in self._tls.items():
                setattr(config.ssl_config, name, content)
        return config

    def _error(self, error: errors.StatusError) -> RunError:
        if any(text in str(error) for text in _HANDSHAKE):
            return RunError(
                "TLS to the metadata store failed.",
                where=self.place,
                received=error,
                fix="Check grpc:// or grpcs://, and the ssl_ parameters of metadata.url.",
            )
        if isinstance(error, (errors.UnauthenticatedError, errors.PermissionDeniedError)):
            return RunError(
                "The metadata store refuses this client.",
                where=self.place,
                received=error,
                fix="Let this machine in, or give ssl_cert and ssl_key in metadata.url.",
            )
        if isinstance(error, (errors.UnimplementedError, errors.UnknownError)):
            return RunError(
                "This is not ML Metadata's service.",
                where=self.place,
                received=error,
                fix="Mend the host and the port in metadata.url.",
            )
        return self.unreachable(error)


def _pem(name: str, file: str) -> str:
    try:
        text = Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(name, f"{file}: {error}") from error
    if "-----BEGIN " not in text:  # gRPC would end the process at one that is empty
        raise _unusable(name, f"{file}: it is not PEM")
    return text


def _unusable(name: str, received: str) -> SettingsError:
    return SettingsError(
        "A file for TLS to the metadata store cannot be read.",
        where=f"metadata.url, parameter {name}",
        received=received,
        fix="Name a PEM file that this user may read.",
    )
