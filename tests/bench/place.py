"""Where things are: the tree, the build (BUILD=folder for another than build/)
and the command; and what the tests of the command share, to import.
"""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
COMMAND = os.path.join(BUILD, "bin", "asyncbatch")

os.environ["ASYNCBATCH"] = COMMAND
sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
