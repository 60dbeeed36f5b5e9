"""Runs a shell script as process 1 of new namespaces: python namespaces.py SCRIPT [ARGUMENT ...].

It ends with the exit code of a container: that of process 1, or 128 and the signal that killed it; unshare(1) cannot
tell of a SIGKILL. Should it be killed itself, the kernel kills process 1, and with it the rest.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_NEW = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000  # mounts, host name, IPC, processes, network
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(script: str, arguments: list[str]) -> int:
    """Gives the exit code."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW):
        raise OSError(ctypes.get_errno(), "unshare")
    process = os.fork()
    if process == 0:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores
        os.execvp("sh", ["sh", "-c", script, "pod", *arguments])
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    os._exit(main(sys.argv[1], sys.argv[2:]))
