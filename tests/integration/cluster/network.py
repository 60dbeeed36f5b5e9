"""Addresses of pods: each has a network namespace with a veth to the bridge of the node's own namespace."""

from __future__ import annotations

import ipaddress
import itertools
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

BRIDGE = "pods"


@dataclass(frozen=True)
class Subnet:
    """Addresses of one cluster.

    Attributes:
        network: all of them.
    """

    network: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """This machine's, where the API server listens."""
        return str(self.network[1])

    @property
    def node(self) -> str:
        return str(self.network[2])

    def pods(self) -> Iterator[str]:
        """Addresses for pods, in a circle: one that a pod has left is not the next one's."""
        return itertools.cycle(str(self.network[place]) for place in range(10, 250))

    def of(self, address: str) -> str:
        return f"{address}/{self.network.prefixlen}"


def ip(*arguments: str) -> str:
    """Runs ip(8)."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def free_subnet() -> Subnet:
    """One that no route of this machine leads to."""
    routes = json.loads(ip("-json", "-4", "route", "show", "table", "all"))
    taken = [ipaddress.ip_network(route["dst"]) for route in routes if route["dst"] != "default"]
    candidates = ipaddress.ip_network("10.213.0.0/16").subnets(new_prefix=24)
    return Subnet(next(net for net in candidates if not any(net.overlaps(other) for other in taken)))


def connect_node(subnet: Subnet, pid: int) -> None:
    """Links the namespace of a node's process with this one; the link goes with the namespace."""
    ours = f"stf{pid}"
    ip("link", "add", ours, "type", "veth", "peer", "name", "uplink", "netns", str(pid))
    ip("address", "add", subnet.of(subnet.gateway), "dev", ours)
    ip("link", "set", ours, "up")


def make_bridge(subnet: Subnet) -> None:
    """In the node's namespace: the bridge, with the link to the machine."""
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("link", "set", "uplink", "master", BRIDGE, "up")
    ip("address", "add", subnet.of(subnet.node), "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def connect_pod(pid: int, address: str) -> None:
    """Gives the namespace of a pod's process an eth0 with an address; it goes with the namespace."""
    inside = ["nsenter", "--target", str(pid), "--net", "ip"]
    ip("link", "add", f"pod{pid}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    ip("link", "set", f"pod{pid}", "master", BRIDGE, "up")
    for command in (
        ["link", "set", "lo", "up"],
        ["address", "add", address, "dev", "eth0"],
        ["link", "set", "eth0", "up"],
    ):
        subprocess.run([*inside, *command], check=True)


def cut_off(pid: int) -> None:
    """Pulls the plug of a pod, as seen from the others: what it sends no longer arrives, and nobody tells it."""
    ip("link", "set", f"pod{pid}", "down")
