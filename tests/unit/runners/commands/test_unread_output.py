from __future__ import annotations

import subprocess
import sys

import pytest

from runners.commands.exit_codes import EXIT_UNREAD


@pytest.mark.slow
def test_output_that_nobody_reads_is_no_error() -> None:
    command = [sys.executable, "-c", "import sys; from runners.cli import main; sys.exit(main(sys.argv[1:]))"]
    with subprocess.Popen(
        [*command, "settings", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (EXIT_UNREAD, "")
