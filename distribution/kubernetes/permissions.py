"""What the launcher must be allowed to do, and the Role that allows it."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.documents import as_yaml
from schemas.errors import TrainingError

RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("batch", "jobs", ("create", "delete", "list")),
    ("", "services", ("create", "delete")),
    ("", "pods", ("delete", "list")),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
)
"""API group, resource and verbs; all within one namespace. Events only make messages better."""

NAME = "scalable-tf-launcher"


def launcher_role(namespace: str, account: str) -> list[dict[str, Any]]:
    """A Role that allows no more than is needed, and the RoleBinding that gives it to an account.

    Args:
        namespace: in which trainings run.
        account: as Kubernetes names it: `system:serviceaccount:NAMESPACE:NAME`, or a user.
    """
    metadata = {"name": NAME, "namespace": namespace}
    rules = [{"apiGroups": [group], "resources": [resource], "verbs": list(verbs)} for group, resource, verbs in RULES]
    api = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": "Role", "name": NAME},
            "subjects": [_subject(account)],
        },
    ]


def check_permissions(api: ClusterApi) -> None:
    """Asks the API server before anything is made.

    Raises:
        TrainingError: something is not allowed; it holds the Role that mends it.
    """
    missing = [
        f"{verb} {resource}"
        for group, resource, verbs in RULES
        for verb in verbs
        if resource != "events" and not api.may(verb, group, resource)
    ]
    if missing:
        raise not_allowed(", ".join(missing), api)


def not_allowed(what: str, api: ClusterApi) -> TrainingError:
    """The error about something that the account may not do.

    Args:
        what: verb and resource.
        api: for whom, and where.
    """
    account = api.account()
    return TrainingError(
        "The account that talks to Kubernetes may not do what a training needs.",
        where=f"namespace {api.namespace}, as {account}",
        received=f"not allowed: {what}",
        fix="Have an administrator apply this, or what `scalable-tf manifests --role ACCOUNT` prints:\n\n"
        + as_yaml(launcher_role(api.namespace, account)),
    )


def _subject(account: str) -> dict[str, str]:
    if account.startswith("system:serviceaccount:"):
        _, _, namespace, name = account.split(":")
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": account}
