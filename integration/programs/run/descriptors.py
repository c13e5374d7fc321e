"""Prints its open files, pipes by their kind."""

import os

for descriptor in sorted(int(d) for d in os.listdir("/proc/self/fd")):  # noqa: PTH208 - fewer open meanwhile
    try:
        print(descriptor, os.readlink(f"/proc/self/fd/{descriptor}").partition("[")[0])  # noqa: PTH115 - as above
    except FileNotFoundError:
        continue  # it was the listing's
