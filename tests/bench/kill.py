#!/usr/bin/env python3
"""Kills runs at random moments and starts them again.

    tests/bench/kill.py [KILLS [SEED]]     1000 kills when not told otherwise

Every second job writes in order of completion.  Stops at the first row that is
lost or repeated, or call that is paid for without need; the seed is printed.
Needs a build in build/ (tools/build.sh), or BUILD=folder.
"""

import os
import sys
import tempfile

import place  # noqa: F401 (finds what follows)
from killing import Killing


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else os.getpid()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(folder, seed)
        jobs = 0
        while killing.kills < kills:
            order = ["--order", "completion"] if jobs % 2 else []
            killing.round(f"out{jobs}.csv", *order)
            jobs += 1
        killing.close()
    print(f"{killing.kills} kills in {jobs} jobs of {killing.rows} rows: none "
          f"lost, none repeated; {killing.extra} calls beyond those needed, "
          f"{killing.cut_off} were in flight at the kills")


main()
