"""Run inside the image: the packages that take the most of its disk, byte code and bundled libraries included."""

import importlib.metadata
import os
import re
import sys
import sysconfig
from collections import Counter

PACKAGES = sysconfig.get_path("purelib")
# Byte code is not in a package's list of files: it belongs to whom its source belongs.
_BYTE_CODE = re.compile(r"__pycache__/(.+)\.cpython-\d+(?:\.opt-\d)?\.pyc$")


def package_sizes() -> "Counter[str]":
    """Bytes of each installed package; what no package owns is under "(none)"."""
    owners = {
        os.path.normpath(os.path.join(PACKAGES, str(file))): package.metadata["Name"]
        for package in importlib.metadata.distributions()
        for file in package.files or ()
    }
    sizes: "Counter[str]" = Counter()
    for top, _, names in os.walk(PACKAGES):
        for name in names:
            path = os.path.join(top, name)
            owner = owners.get(path) or owners.get(_BYTE_CODE.sub(r"\1.py", path), "(none)")
            sizes[owner] += os.lstat(path).st_size
    return sizes


if __name__ == "__main__":
    found = package_sizes()
    print("| package | MB |\n|---|---:|")
    for owner, size in found.most_common(int(sys.argv[1])):
        print(f"| {owner} | {size / 1e6:.0f} |")
    print(f"| all {len(found)} | {sum(found.values()) / 1e6:.0f} |")
