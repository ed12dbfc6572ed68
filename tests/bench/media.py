#!/usr/bin/env python3
"""200 video jobs of 20 s to 3 min, of which a twentieth fails and another is
refused by moderation, at a provider that is killed midway and started again.

    tests/bench/media.py [JOBS [TIME [WAIT]]]     200 20s..3m 75

WAIT is when the provider dies, in seconds.  Fails when a state, an artefact or
the bill is not what it has to be.  Takes some minutes.  Needs a build in build/
(tools/build.sh), or BUILD=folder.
"""

import sys
import tempfile
import time

import place  # noqa: F401 (finds what follows)
from media_run import MediaRun


def main():
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    job_time = sys.argv[2] if len(sys.argv) > 2 else "20s..3m"
    wait = float(sys.argv[3]) if len(sys.argv) > 3 else 75
    with tempfile.TemporaryDirectory() as folder:
        run = MediaRun(folder, jobs, job_time)
        started = time.monotonic()
        process = run.begin()
        run.restart_provider(wait, 5)
        _, err = process.communicate()
        seconds = time.monotonic() - started
        print(err.rstrip())
        states, billed, summary = run.check()
        run.close()
    print(f"{jobs} jobs in {seconds:.0f} s, {summary['calls']} submissions; "
          f"{states['ok']} done, all artefacts there and verified, "
          f"{states['content_filter']} refused, {states['job_failed']} failed; "
          f"${billed:.2f} billed, the same as counted")


main()
