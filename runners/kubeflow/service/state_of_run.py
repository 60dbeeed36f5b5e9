"""What the API server says of a run, for whoever waits for its end without having started it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from runners.kubeflow.service.api import PipelinesApi
from runners.kubeflow.service.credential import find_credential
from runners.kubeflow.service.refusal import RefusedError
from runners.kubeflow.service.runs import get_run
from runners.kubeflow.service.transport import Patience
from runners.schedule.lost_runs import DELETED
from schemas.errors import ScalableTFError

_LOG = logging.getLogger(__name__)
_PATIENCE = Patience(connect=5.0, answer=10.0, attempts=2)
_NOT_FOUND = 5  # of gRPC


def state_of_run(host: str, run_id: str, environment: Mapping[str, str], patience: Patience = _PATIENCE) -> str:
    """Its state as the server names it, DELETED where it knows no such run, or empty where it does not say.

    Args:
        host: URL of the server.
        run_id: Kubeflow's.
        environment: who we are, as for `scalable-tf kubeflow`; and proxies, and the authorities to trust.
        patience: how long to try.
    """
    ca_file = environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE")
    try:
        credential = find_credential(environment, None, None)
        api = PipelinesApi(host, "", credential, Path(ca_file) if ca_file else None, environment, patience)
        return get_run(api, run_id).state
    except ScalableTFError as error:
        # A web page, or a path that there is not, is 404, too, but does not name the run.
        if isinstance(error, RefusedError) and error.code == _NOT_FOUND and run_id in (error.received or ""):
            return DELETED
        _LOG.warning("Kubeflow does not say what became of run %s: %s", run_id, error)
        return ""
