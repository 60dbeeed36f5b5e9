"""What goes wrong with a request to Kubeflow's API."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Fault:
    """What goes wrong with the next request that fits.

    Attributes:
        match: regular expression for `METHOD path`.
        status: of the answer; 0 answers nothing of its own.
        headers: of the answer.
        body: of the answer.
        delay: seconds before it.
        cut: closes the connection instead of answering: `before` or `after` the request was carried out, or `within`
            the answer.
        times: how many requests.
    """

    match: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    delay: float = 0.0
    cut: str = ""
    times: int = 1
