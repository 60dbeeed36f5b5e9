"""Which models clients have asked a server for, by the metrics at its REST address."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from serving.client.client_tls import ClientTls
from serving.client.http_connections import http_connections
from serving.scraped_traffic import NO_PAGE, PATH

_CALL_SECONDS = 10.0


def asked_models(urls: Iterable[str], tls: ClientTls | None = None) -> tuple[str, ...]:
    """Names of models, also of such as there are not; none of a server that does not tell.

    Args:
        urls: REST addresses, `http://HOST:PORT`.
        tls: for those with `https://`; default: what httpx trusts.
    """
    found: set[str] = set()
    for url in urls:
        try:
            with http_connections(httpx.Client, url, tls, timeout=_CALL_SECONDS) as client:
                answer = client.get(f"{url.rstrip('/')}{PATH}")
            families = list(text_string_to_metric_families(answer.text)) if answer.is_success else []
        except (httpx.HTTPError, httpx.InvalidURL, *NO_PAGE):
            continue
        found |= {sample.labels.get("model_name", "") for family in families for sample in family.samples}
    return tuple(sorted(found - {""}))
