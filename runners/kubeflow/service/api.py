"""The API server's calls, typed by kfp-server-api."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from runners.kubeflow.service.credential import Credential
from runners.kubeflow.service.transport import Patience, Transport
from schemas.errors import SettingsError

_PAGE = 100


class PipelinesApi:
    """One API server, as one user.

    Args:
        host: its URL; what the browser shows of its interface is fine too.
        namespace: for a server with several users; empty for one with a single user.
        credential: who we are.
        ca_file: PEM file with the authorities to trust.
        environ: may name a proxy.
        patience: how long to try.

    Attributes:
        experiments: the calls of kfp_server_api's ExperimentServiceApi; the others accordingly.
    """

    def __init__(
        self,
        host: str,
        namespace: str = "",
        credential: Credential | None = None,
        ca_file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        import kfp_server_api

        self.host, self.namespace = base_url(host), namespace
        if ca_file is not None and not ca_file.is_file():
            what = "The file with the authorities is missing."
            raise SettingsError(what, where="--ca-file", received=ca_file, fix="Name a PEM file.")
        self.transport = Transport(credential or Credential(), ca_file, proxy_for(self.host, environ or {}), patience)
        configuration = kfp_server_api.Configuration(host=self.host)
        client = kfp_server_api.ApiClient(configuration)
        client.rest_client.pool_manager = self.transport
        self.experiments = _Service(kfp_server_api.ExperimentServiceApi(client), "experiment_service_")
        self.pipelines = _Service(kfp_server_api.PipelineServiceApi(client), "pipeline_service_")
        self.uploads = _Service(kfp_server_api.PipelineUploadServiceApi(client))
        self.runs = _Service(kfp_server_api.RunServiceApi(client), "run_service_")
        self.recurring = _Service(kfp_server_api.RecurringRunServiceApi(client), "recurring_run_service_")
        self.health = _Service(kfp_server_api.HealthzServiceApi(client), "healthz_service_")

    def check(self) -> None:
        """Asks whether it is there, and whether it needs a namespace.

        Raises:
            RefusedError: it does not answer.
            SettingsError: it has several users, and no namespace was named.
        """
        if self.health.get_healthz().multi_user and not self.namespace:
            fix = "Name yours: --namespace NAME"
            raise SettingsError("This server has several users, each with a namespace.", where=self.host, fix=fix)

    def every(self, call: Callable[..., Any], field: str, *arguments: Any, **options: Any) -> Iterator[Any]:
        """All items of a list, page after page.

        Args:
            call: a method that lists.
            field: of its answer that holds the items.
            arguments: of the call.
            options: of the call, without those of pages.
        """
        token = ""
        while True:
            page = call(*arguments, page_token=token, page_size=_PAGE, **options)
            yield from getattr(page, field) or ()
            token = page.next_page_token
            if not token:
                return

    def named(self, name: str) -> str:
        """A filter for things of that display name."""
        text = json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]})
        return text.replace("%", "%25").replace("+", "%2B")  # the server decodes it twice

    def log(self, run_id: str, pod: str) -> str:
        """What a pod of a run has printed.

        Raises:
            RefusedError: the server does not have it.
        """
        path = f"/apis/v1alpha1/runs/{quote(run_id, safe='')}/nodes/{quote(pod, safe='')}/log"
        return self.transport.text(f"{self.host}{path}")

    def page(self, *parts: str) -> str:
        """The page of the web interface about something, e.g. `runs`, `details`, an id."""
        return f"{self.host}/#/{'/'.join(parts)}"


class _Service:
    """A service of the generated client, whose methods begin with the service's name in newer releases.

    Args:
        service: of kfp_server_api.
        prefix: of its newer names.
    """

    def __init__(self, service: Any, prefix: str = "") -> None:
        self._service, self._prefix = service, prefix

    def __getattr__(self, name: str) -> Callable[..., Any]:
        newer = getattr(self._service, f"{self._prefix}{name}", None)
        found: Callable[..., Any] = newer or getattr(self._service, name)
        return found


def base_url(host: str) -> str:
    """Where /apis/v2beta1 begins.

    Args:
        host: as users have it.

    Raises:
        SettingsError: it is no URL of a server, or holds a password.
    """
    text = re.sub(r"(?<![:/])/+$", "", host.strip().partition("#")[0])
    text = re.sub(r"/apis(/v2beta1(/healthz)?)?$", "", text)
    if "://" not in text:
        text = f"https://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        fix = "Write --host https://pipelines.example.com, or http://localhost:8888 with kubectl port-forward."
        raise SettingsError("The host is no URL of an API server.", where="--host", received=host, fix=fix)
    if parts.username or parts.password:
        fix = "Give a token or a cookie: their options say how."
        raise SettingsError("The host holds a user or a password.", where="--host", received=parts.hostname, fix=fix)
    return text


def proxy_for(host: str, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy on the way to a host, as the environment names it; None goes straight."""
    from requests.utils import should_bypass_proxies

    parts = urlsplit(host)
    known = {key.lower(): value for key, value in environ.items() if value}
    return None if should_bypass_proxies(host, known.get("no_proxy", "")) else known.get(f"{parts.scheme}_proxy")
