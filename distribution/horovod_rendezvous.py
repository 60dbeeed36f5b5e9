"""The cluster that the processes of a horovodrun are, put together at its own rendezvous."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping

from distribution.cluster import Cluster, Task
from distribution.free_ports import free_ports
from schemas.errors import TrainingError

RANK, SIZE = "HOROVOD_RANK", "HOROVOD_SIZE"
ADDRESS, PORT = "HOROVOD_GLOO_RENDEZVOUS_ADDR", "HOROVOD_GLOO_RENDEZVOUS_PORT"
_SCOPE = "scalable-tensorflow"
_CALL_SECONDS = 10.0
_POLL_SECONDS = 0.2


def meet(environment: Mapping[str, str], seconds: float) -> tuple[Cluster, Task]:
    """Tells the others a free port of this process, and learns theirs.

    horovodrun tells each process its rank and the address of an HTTP server that keeps what is PUT there; Horovod's
    processes find each other by it, too.

    Args:
        environment: as horovodrun sets it.
        seconds: how long the others are waited for.

    Returns:
        The cluster of all processes as workers, in the order of their ranks, and which this one is.

    Raises:
        TrainingError: the others are not there in time.
    """
    rank, size = int(environment[RANK]), int(environment[SIZE])
    server = (environment[ADDRESS], int(environment[PORT]))
    host = environment.get("HOROVOD_HOSTNAME") or socket.gethostname()
    _call(server, "PUT", rank, f"{host}:{free_ports(1, '')[0]}".encode())
    deadline = time.monotonic() + seconds
    addresses: dict[int, str] = {}
    while len(addresses) < size:
        for other in range(size):
            found = None if other in addresses else _call(server, "GET", other)
            if found:
                addresses[other] = found.decode()
        if len(addresses) < size and time.monotonic() >= deadline:
            raise TrainingError(
                f"{size - len(addresses)} of the {size} processes of the horovodrun have not come.",
                where=f"Trainer, worker-{rank}",
                received=f"nothing of rank {', '.join(str(one) for one in range(size) if one not in addresses)} "
                f"within {seconds:.0f} s",
                fix="Let every process run `python -m distribution.task FOLDER` or, one of them, the pipeline.",
            )
        time.sleep(_POLL_SECONDS)
    return Cluster({"worker": tuple(addresses[one] for one in range(size))}), Task("worker", rank)


def _call(server: tuple[str, int], method: str, rank: int, body: bytes | None = None) -> bytes | None:
    call = http.client.HTTPConnection(*server, timeout=_CALL_SECONDS)
    try:
        call.request(method, f"/{_SCOPE}/{rank}", body)
        answer = call.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException) as error:
        raise TrainingError(
            "horovodrun's rendezvous does not answer.",
            where=f"{ADDRESS}, {PORT}",
            received=f"{server[0]}:{server[1]}: {error}",
            fix="Start the processes by horovodrun, or set TF_CONFIG for each of them.",
        ) from error
    finally:
        call.close()
