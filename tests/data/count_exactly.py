#!/usr/bin/env python3
"""What tiktoken counts, for tests/unit/test_tokenizer.c.

    pip install tiktoken
    count_exactly.py                        small.tiktoken and small_counts.jsonl
    count_exactly.py o200k_base COUNTS      counts by a vocabulary that tiktoken
                                            has, or can fetch, for
                                            ASB_TEST_COUNTS

The small vocabulary has the 256 bytes and what tiktoken's own trainer joins
first in the texts of token_counts.jsonl.  The texts: some of these, and made-up
ones of whatever tells the two ways to split apart, white space of all kinds,
marks, digits and signs of many scripts.
"""

import base64
import json
import os
import random
import sys
import unicodedata

import tiktoken
from tiktoken._educational import bpe_train

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SPLITS = {
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
              r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{SHORT}|"
             rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{SHORT}|\p{{N}}{{1,3}}|"
             r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
ODD = ["'s", "'S", "'re", "'LL", "'\u017f", "don't", "DON'T", " ", "  ", "\n",
       "\r\n", "\t", "12345", "\u0663\u0664", "/", "//", "\n\n", "\u00e9",
       "e\u0301", "\u01c4", "\u02b0", "\u00df", "\u0130", "\u4e2d\u6587", "...",
       "!!!", "_", "a", "Z", "aB", "XMLHttp", "\U0001f600", "\u2705"]
SPACES = [chr(c) for c in (*range(9, 14), 32, 0x85, 0xa0, 0x1680, 0x180e,
                           0x2003, 0x2028, 0x202f, 0x3000, 0x200b)]


def known():
    """Characters of the first plane that have been there for long."""
    return [chr(c) for c in range(0x10000) if unicodedata.ucd_3_2_0.category(
        chr(c)) not in ("Cn", "Co", "Cs")]


def texts(languages, count):
    rng = random.Random(7)
    out = rng.sample(languages, min(len(languages), count // 2))
    pools = [ODD, SPACES, known(), ODD]
    while len(out) < count:
        out.append("".join(rng.choice(rng.choice(pools))
                           for _ in range(rng.randint(1, 30))))
    return out


def write_counts(path, encodings, lines):
    with open(path, "w", encoding="ascii") as out:
        for text in lines:
            row = {name: len(e.encode_ordinary(text))
                   for name, e in encodings.items()}
            out.write(json.dumps({**row, "text": text}) + "\n")


def small(languages):
    ranks = bpe_train("\n".join(languages[::9]), 700, SPLITS["cl100k"], None)
    with open(os.path.join(HERE, "small.tiktoken"), "wb") as out:
        for token, rank in ranks.items():
            out.write(base64.b64encode(token) + b" %d\n" % rank)
    return {name: tiktoken.Encoding(name, pat_str=split, mergeable_ranks=ranks,
                                    special_tokens={})
            for name, split in SPLITS.items()}


def main():
    with open(os.path.join(HERE, "token_counts.jsonl"), encoding="utf8") as f:
        languages = [json.loads(line)["text"] for line in f]
    if len(sys.argv) == 3:
        name = "o200k" if sys.argv[1] == "o200k_base" else "cl100k"
        write_counts(sys.argv[2], {name: tiktoken.get_encoding(sys.argv[1])},
                     texts(languages, 10000))
    else:
        write_counts(os.path.join(HERE, "small_counts.jsonl"),
                     small(languages), texts(languages, 300))


main()
