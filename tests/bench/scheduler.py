#!/usr/bin/env python3
"""What the scheduler promises, each shown by one command.

    tests/bench/scheduler.py             all of them, one after the other
    tests/bench/scheduler.py NAME...     some: see SCHEDULER.md beside this file

Needs a release build in build/ (tools/build.sh release), or BUILD=folder.
All but `speed` and `packing` run the tests of the tree at their full length
(ASB_TEST_LONG), in virtual time; they end with status 1 when one fails.
"""

import os
import re
import subprocess
import sys

from place import BUILD, TOP

# Name: test program, its cases (none: all).
TESTS = {
    "mixes": [("test_former_packing", []), ("test_former_grouping", [])],
    "quota": [("test_quota", [])],
    "changes": [("test_quota_changes", [])],
    "classes": [("test_priority", [
        "under_bursts_hardly_an_urgent_one_is_late",
        "in_overload_the_urgent_are_kept_and_none_starves"]),
        ("test_classes_load", []),
        ("test_classes", ["weights_are_changed_while_it_runs"])],
    "budget": [("test_budget_runs", [])],
    "poison": [("test_retries", [])],
    "tokens": [("test_tokens_accuracy", [])],
    "tokenizer": [("test_tokenizer", [])],
    "eta": [("test_eta_runs", [])],
    "plan": [("test_plan_runs", [])],
    "state": [("test_state", ["a_second_run_starts_well"])],
    "scenarios": [("test_scenarios", [])],
}


def run_tests(programs):
    env = dict(os.environ, ASB_TEST_LONG="1", ASB_TEST_VERBOSE="1")
    ok = True
    for program, cases in programs:
        path = os.path.join(BUILD, "tests", program)
        for case in cases or [None]:
            done = subprocess.run([path, *([case] if case else [])], env=env,
                                  capture_output=True, text=True)
            lines = done.stderr.splitlines()
            print("\n".join(f"  {line}" for line in lines[-25:]))
            print(f"  {case or program}: "
                  f"{'holds' if done.returncode == 0 else 'DOES NOT HOLD'}")
            ok = ok and done.returncode == 0
    return ok


def bench(what, **streams):
    subprocess.run([os.path.join(BUILD, "tests", "bench", "scheduler_bench"),
                    what], check=True, **streams)
    return True


def speed():
    return bench("speed")


def packing():
    """The one-line descriptions of all packages that apt knows."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True,
                          check=True).stdout.decode("utf-8", "replace")
    lines = re.findall(r"^Description(?:-en)?: (.+)$", text, re.MULTILINE)
    return bench("pack", input="\n".join(lines).encode() + b"\n")


def main():
    known = dict(TESTS, speed=speed, packing=packing)
    names = sys.argv[1:] or list(known)
    if set(names) - set(known):
        sys.exit(__doc__ + "\nnames: " + " ".join(known))
    ok = True
    for name in names:
        print(f"{name}:", flush=True)
        what = known[name]
        ok = (what() if callable(what) else run_tests(what)) and ok
    sys.exit(0 if ok else 1)


main()
