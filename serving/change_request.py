"""What a person or a schedule asks for when a label is to move: who, why, and how careful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.client.client_tls import ClientTls


@dataclass(frozen=True)
class ChangeRequest:
    """Who asks for a change of labels, why, and how it is to be done.

    Attributes:
        who: user.
        host: of the command.
        why: the reason.
        force: why a version that is not blessed is to be taken all the same; None: it is not.
        servers: gRPC addresses of model servers to tell, `host:port`; `grpcs://` before them for TLS.
        load_seconds: how long a server may take to load a version.
        settle_seconds: how long to wait between loading and labelling, for servers that read models.config themselves.
        base_path: the model's folder as servers see it; default: as models.config has it, else as it is here.
        keep: models that servers keep beside those of models.config, as `kept_models` takes them: they are read
            when the locks are held, as others move their labels, too.
        others: names of further models that they may have; whether they do is asked before they are told.
        unload_others: whether they may lose those.
        tls: for `grpcs://`; default: that of the authorities that gRPC brings.
    """

    who: str
    host: str
    why: str = ""
    force: str | None = None
    servers: tuple[str, ...] = ()
    load_seconds: float = 300.0
    settle_seconds: float = 0.0
    base_path: str | None = None
    keep: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unload_others: bool = False
    tls: ClientTls | None = None
