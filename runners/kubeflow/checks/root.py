"""The shared pipeline root: whether it can be written to, asked with the credentials of this machine."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from configs.settings import Settings
from runners.kubeflow.finding import Finding
from runners.kubeflow.root.object_store import NoCredentialsError, object_store
from schemas.errors import ScalableTFError


def root_findings(settings: Settings) -> Iterator[Finding]:
    """The root takes an object, gives it back and deletes it; here, with what this machine logs in with."""
    url = settings.kubeflow.root
    if url is None:
        return
    try:
        store = object_store(url)
        name, content = f".probe-{secrets.token_hex(8)}", b"scalable-tf kubeflow check"
        store.put(name, content, new=True)
        try:
            read = store.get(name)
        finally:
            store.delete([name])
    except NoCredentialsError as error:
        what = "The shared pipeline root could not be tried: there are no credentials here. The tasks need theirs."
        yield Finding("warning", what, "kubeflow.root", url, error.fix)
    except ScalableTFError as error:
        what = "The shared pipeline root cannot be written to from here, and the tasks may not be able to either."
        yield Finding("error", what, "kubeflow.root", f"{url}: {error.received}", error.fix)
    else:
        if read != content:
            what = "The shared pipeline root does not give back what was written to it."
            yield Finding("error", what, "kubeflow.root", url, "Give a bucket of another store.")
