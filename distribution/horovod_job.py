"""The Horovod job that the workers of a cluster are, set up as horovodrun does it."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from typing import Any

import tensorflow as tf

from distribution.cluster import ROLES, Cluster, Task
from distribution.horovod_rendezvous import ADDRESS, PORT, RANK, SIZE
from distribution.membership import Membership

_INTERFACE = "HOROVOD_GLOO_IFACE"
_POLL_SECONDS = 0.1
_CALL_SECONDS = 5.0


def join_job(hvd: Any, own: Membership, seconds: float) -> None:
    """Initializes Horovod; where no launcher of Horovod's has started this process, for the workers of the cluster.

    Horovod's processes find each other at a small HTTP server, which horovodrun has and which the chief stands in for,
    at the address that the cluster knows it by. So Horovod runs wherever a cluster does.

    Args:
        hvd: the module horovod.tensorflow.
        own: this task.
        seconds: how long the chief is waited for.

    Raises:
        tf.errors.UnavailableError: the others do not come, or one is lost meanwhile.
    """
    # Tasks with a TF_CONFIG have been started by one of ours, though perhaps somewhere under a horovodrun.
    if RANK not in os.environ or os.environ.get("TF_CONFIG"):
        os.environ.update(job_environment(own.cluster, own.task))
        interface = _interface_of(os.environ["HOROVOD_HOSTNAME"])
        if interface:
            os.environ.setdefault(_INTERFACE, interface)
        if own.is_chief:
            _serve(int(os.environ[PORT]))
        _await_server(os.environ[ADDRESS], int(os.environ[PORT]), seconds)
    try:
        hvd.init()
    except (RuntimeError, ValueError) as error:
        raise tf.errors.UnavailableError(None, None, f"Horovod's processes do not find each other: {error}") from error


def job_environment(cluster: Cluster, task: Task) -> dict[str, str]:
    """What horovodrun would tell a task: its rank among all, on its host, and among hosts.

    Ranks follow the cluster: the chief, if there is one, then the workers; servers and evaluators have none.
    """
    trainers = [one for one in cluster.tasks if one.role in ROLES[:2]]
    hosts = [cluster.address(one).rpartition(":")[0] for one in trainers]
    rank = trainers.index(task)
    slot = hosts[:rank].count(hosts[rank])
    across = [host for host in dict.fromkeys(hosts) if hosts.count(host) > slot]
    leader, _, port = cluster.address(cluster.chief).rpartition(":")
    return {
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_HOSTNAME": hosts[rank],
        RANK: str(rank),
        SIZE: str(len(trainers)),
        "HOROVOD_LOCAL_RANK": str(slot),
        "HOROVOD_LOCAL_SIZE": str(hosts.count(hosts[rank])),
        "HOROVOD_CROSS_RANK": str(across.index(hosts[rank])),
        "HOROVOD_CROSS_SIZE": str(len(across)),
        ADDRESS: leader,
        PORT: port,
    }


def _interface_of(host: str) -> str | None:
    """The network interface with the address of a host of this machine; Horovod would take the one of its name."""
    import psutil  # which Horovod brings

    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host.strip("[]"), None)}
    except OSError:
        return None
    known = psutil.net_if_addrs().items()
    return next((name for name, own in known if addresses & {one.address for one in own}), None)


def _serve(port: int) -> None:
    from horovod.runner.http.http_server import RendezvousHandler, RendezvousHTTPServer

    server = RendezvousHTTPServer(("", port), RendezvousHandler, 0)
    threading.Thread(target=server.serve_forever, name="Horovod's rendezvous", daemon=True).start()


def _await_server(host: str, port: int, seconds: float) -> None:
    """Horovod itself asks three times within a second and gives up."""
    deadline = time.monotonic() + seconds
    while True:
        call = http.client.HTTPConnection(host, port, timeout=_CALL_SECONDS)
        try:
            call.request("GET", "/global/0")
            call.getresponse()
        except (OSError, http.client.HTTPException) as error:  # it is not there, or still compares fingerprints
            if time.monotonic() >= deadline:
                raise tf.errors.UnavailableError(None, None, f"no answer from {host}:{port}: {error}") from error
            time.sleep(_POLL_SECONDS)
        else:
            return
        finally:
            call.close()
