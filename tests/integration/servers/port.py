"""Ports for servers."""

from __future__ import annotations

from distribution.free_ports import free_ports


def free_port() -> int:
    """A TCP port on which nothing listens, and that the kernel gives to nobody before a server is prepared for it."""
    return free_ports(1)[0]
