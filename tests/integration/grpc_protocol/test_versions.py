"""Versions that come and go while clients ask."""

from __future__ import annotations

import shutil
import threading

import grpc

from tests.integration.command_server import CommandServer
from tests.integration.grpc_protocol.models import Models
from tests.integration.grpc_protocol.server import serving
from tests.integration.grpc_protocol.status_code import code_of
from tests.until import until


def test_versions_come_and_go_under_load_and_no_request_notices(commands: CommandServer, models: Models) -> None:
    models.release(1)
    with serving(commands, models.option(), "--batching", "--batch-timeout-micros=200") as server:
        stop = threading.Event()
        seen: list[int] = []
        wrong: list[object] = []

        def ask(x: float) -> None:
            while not stop.is_set():
                try:
                    answer, version = server.predict(x, timeout=None)  # as clients do that have no deadline
                except grpc.RpcError as error:
                    wrong.append(error)
                    continue
                seen.append(version)
                if answer != x / 2 + version:
                    wrong.append((x, answer, version))

        threads = [threading.Thread(target=ask, args=(float(x),)) for x in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: bool(seen))  # version 1
        for version in (2, 3):
            models.release(version)
            until(lambda version=version: seen[-1:] == [version])  # type: ignore[misc]
        # Broken: the file of the graph, or half of the folder.
        broken = models.release(4, source="plus_1", broken=True)
        until(lambda: server.states().get(4) == "END")
        shutil.rmtree(broken)
        shutil.rmtree(models.folder / "half" / "3")
        until(lambda: seen[-1:] == [2])
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert set(seen) == {1, 2, 3}
        for version in (1, 2):
            shutil.rmtree(models.folder / "half" / str(version))
        until(lambda: set(server.states().values()) == {"END"})
        assert code_of(server.predict)[0] == "NOT_FOUND"
