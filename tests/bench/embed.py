#!/usr/bin/env python3
"""100,000 texts to be embedded, in lists, by OpenAI's and Gemini's shapes.

    tests/bench/embed.py [COUNT [DIMENSIONS]]     100000 8, or 20000 1536

The server answers OpenAI's lists in a shuffled order; the vector of a text is
made of its hash.  Fails when a text has not its own vector in its own place, or
when a call but the last has less than 0.9 of the texts that the API takes at
once.  Needs a build in build/ (tools/build.sh), or BUILD=folder.
"""

import sys
import unittest

import place  # noqa: F401 (finds what follows)
from embed_run import FULL, SHAPES, assert_full, embed
from embed_server import LIMITS
from support import Case

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
DIMENSIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 8


class EmbedMany(Case):

    def test_each_text_has_its_own_vector(self):
        for shape in SHAPES:
            sizes, summary = embed(self, shape, COUNT, "--no-journal",
                                   dimensions=DIMENSIONS)
            assert_full(self, shape, sizes)
            full = sum(size >= FULL * LIMITS[shape] for size in sizes)
            print(f"{shape}: {COUNT} texts, each with its own vector, in "
                  f"{len(sizes)} calls, {full} of them with 0.9 or more of "
                  f"the {LIMITS[shape]} texts that it takes, the others with "
                  f"{sorted(sizes)[:len(sizes) - full]}; "
                  f"{summary['elapsed_seconds']:.1f} s")


unittest.main(argv=sys.argv[:1])
