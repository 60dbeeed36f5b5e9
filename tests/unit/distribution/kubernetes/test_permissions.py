from __future__ import annotations

import kubernetes_validate

from distribution.kubernetes.permissions import launcher_role


def test_allows_what_the_launcher_does_and_no_more() -> None:
    role, _ = launcher_role("ml", "system:serviceaccount:pipelines:runner")

    assert [(rule["resources"], rule["verbs"]) for rule in role["rules"]] == [
        (["jobs"], ["create", "delete", "list"]),
        (["services"], ["create", "delete"]),
        (["pods"], ["delete", "list"]),
        (["pods/log"], ["get"]),
        (["events"], ["list"]),
    ]


def test_a_service_account_is_bound_by_its_namespace_and_name() -> None:
    _, binding = launcher_role("ml", "system:serviceaccount:pipelines:runner")

    assert binding["metadata"]["namespace"] == "ml"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "runner", "namespace": "pipelines"}]


def test_anybody_else_is_a_user() -> None:
    _, binding = launcher_role("ml", "jane@example.com")

    assert binding["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane@example.com"}
    ]


def test_is_what_kubernetes_specifies() -> None:
    for document in launcher_role("ml", "jane@example.com"):
        kubernetes_validate.validate(document, "1.32", strict=True)
