"""A dry run from its beginning to its end."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.kubeflow import DRY_RUN_VARIABLE
from runners.kubeflow.dry_run.database import KINDS, PASSWORD_VARIABLE, throw_away_database
from runners.kubeflow.dry_run.in_image import InImage
from runners.kubeflow.dry_run.metadata_line import compiled_store, metadata_line
from runners.kubeflow.dry_run.namespaces import Namespaces
from runners.kubeflow.dry_run.plain import Plain
from runners.kubeflow.dry_run.pod import Cluster
from runners.kubeflow.dry_run.task_order import require_executable, task_count
from runners.kubeflow.dry_run.task_result import TaskResult
from runners.kubeflow.dry_run.walk import Walk
from runners.kubeflow.parameters import SETTINGS, all_parameters
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from runners.kubeflow.dry_run.place import Place
    from runners.kubeflow.specification import Specification


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        root: folder for everything that is made; None takes a temporary one, which is kept when the run fails.
        claims: folders for PersistentVolumeClaims.
        secrets: keys and values by Secret.
        config_maps: keys and values by ConfigMap.
        environment: variables that every task gets.
        metadata_url: for metadata.url in the settings; None starts a database, unless `keep_metadata`.
        keep_metadata: leaves metadata.url as it was compiled.
        tell_webhook: leaves kubeflow.webhook as it was compiled; else a dry run tells nobody.
        database: of `database.KINDS`; None takes that of the compiled store where it is installed, else the other.
        image: to run the tasks in.
        engine: of `in_image.ENGINES`; None takes the first that has the image.
        limit: seconds a task may take.
        retries: whether a task that failed is tried again as its policy says.
    """

    root: Path | None = None
    claims: Mapping[str, Path] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    metadata_url: str | None = None
    keep_metadata: bool = False
    tell_webhook: bool = False
    database: str | None = None
    image: str | None = None
    engine: str | None = None
    limit: float | None = None
    retries: bool = True


@dataclass(frozen=True)
class DryRun:
    """What came of it.

    Attributes:
        run_id: what {{$.pipeline_job_uuid}} stood for.
        root: the folder; it is there no longer when `kept` is False.
        kept: whether the folder was kept.
        succeeded: whether the pipeline would have.
        tasks: in the order in which they ran.
    """

    run_id: str
    root: Path
    kept: bool
    succeeded: bool
    tasks: tuple[TaskResult, ...]


def dry_run(
    specification: Specification,
    parameters: Mapping[str, Any],
    options: Options,
    say: Callable[[str], None],
    ended: Callable[[TaskResult], None],
    started: Callable[[str, int, int], None] = lambda name, before, count: None,
) -> DryRun:
    """Executes a compiled pipeline on this machine.

    Args:
        specification: of the pipeline.
        parameters: those that are given.
        options: how.
        say: takes a line about what is used.
        ended: takes each task's result.
        started: takes the name of each task when it begins, how many were before it, and how many there are.

    Raises:
        ScalableTFError: it could not begin. A task that fails raises nothing.
    """
    require_executable(specification)
    count = task_count(specification)
    say(
        f"dry run of {specification.name}: {count} task{'s' * (count != 1)} of the compiled file, one after the other; "
        "each has a process of its own, as on a cluster, and takes some seconds to start if it uses TensorFlow"
    )
    run_id = str(uuid.uuid4())
    root = options.root or Path(tempfile.mkdtemp(prefix="dry-run-"))
    root = root.absolute()
    (root / "tasks").mkdir(parents=True, exist_ok=True)
    if options.root is None:
        root.chmod(0o755)  # a container's user is another
    say(f"files: in {root}{'' if options.root else ', removed unless a task fails'}")
    succeeded = False
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: None if options.root or not succeeded else shutil.rmtree(root, ignore_errors=True))
        place = stack.enter_context(_place(options, root, say))
        values = all_parameters(specification, dict(parameters))
        environment = {**options.environment, DRY_RUN_VARIABLE: "1"}
        if SETTINGS in values:
            url, store, database = options.metadata_url, compiled_store(values[SETTINGS]), None
            if url is None and not options.keep_metadata:
                # As in the cluster, where that is installed.
                kinds = sorted(KINDS, key=lambda kind: store is None or kind != store.scheme)
                found = throw_away_database(*((options.database,) if options.database else kinds))
                database = stack.enter_context(found)
                environment[PASSWORD_VARIABLE] = database.password
            say(metadata_line(database, url, store, chosen=options.database is not None))
            url = database.url if database else url
            values[SETTINGS] = _settings_here(values[SETTINGS], url, options.tell_webhook)
        cluster = Cluster(
            root, options.claims, options.secrets, options.config_maps, place.mode, one_path=place.name == Plain.name
        )
        short = run_id.partition("-")[0]
        walk = Walk(
            specification=specification,
            root=root / "runs" / run_id if options.root else root,
            place=place,
            cluster=cluster,
            run={
                "pipeline_job_uuid": run_id,
                "pipeline_job_name": f"{specification.name} dry run",
                "pipeline_job_resource_name": f"{_resource_name(specification.name)}-{short}",
            },
            environment=environment,
            limit=options.limit,
            retries=options.retries,
            started=started,
            ended=ended,
        )
        succeeded = walk.execute(values)
        if cluster.invented:
            say(f"throw-away values stood for: {', '.join(sorted(cluster.invented))}; --secret NAME=FILE gives others")
    return DryRun(run_id, walk.root, bool(options.root) or not succeeded, succeeded, tuple(walk.results))


@contextlib.contextmanager
def _place(options: Options, root: Path, say: Callable[[str], None]) -> Iterator[Place]:
    if options.image is not None:
        image = InImage(options.image, options.engine)
        say(f"tasks: in containers of {image.name}")
        try:
            yield image
        finally:
            image.close()
        return
    namespaces = Namespaces(root)
    refusal = namespaces.refusal()
    if refusal is None:
        say("tasks: in namespaces of their own; they see system folders, the interpreter and their volumes")
        yield namespaces
        return
    say(f"tasks: without namespaces, they see all files of this user, as this machine refuses: {refusal}")
    yield Plain()


def _settings_here(settings: Any, url: str | None, tell_webhook: bool) -> Any:
    """The settings with another metadata store, and without a webhook.

    They are as they are where nothing of them changes.
    """
    try:
        content = json.loads(settings)
        kubeflow = content.get("kubeflow", {})
        is_silent = kubeflow.get("webhook") is not None and not tell_webhook
        if url is None and not is_silent:
            return settings
        if url is not None:
            content["metadata"] = {**content.get("metadata", {}), "url": url}
        if is_silent:
            del kubeflow["webhook"]
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            "The pipeline's parameter `settings` is no object in JSON.",
            received=error,
            fix="Compile the pipeline again.",
        ) from error
    return json.dumps(content)


def _resource_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"
