#!/usr/bin/env python3
"""Writes the manual and the shell completions of asyncbatch from the tables
that its --help is written from, and from its public header.

    generate.py TABLES.json FOLDER DATE HEADER.h...

TABLES.json is what the program asb_tables prints.  Nothing here names an
option: a row added to the table is in all of them.
"""

import json
import os
import sys

import completions
import manual


def main():
    tables, folder, date, *headers = sys.argv[1:]
    with open(tables, encoding="utf-8") as f:
        known = json.load(f)
    known["date"] = date
    source = ""
    for header in headers:
        with open(header, encoding="utf-8") as f:
            source += f.read()
    os.makedirs(folder, exist_ok=True)
    pages = {
        "asyncbatch.1": manual.command_page(known),
        "asyncbatch.yaml.5": manual.configuration_page(known),
        "libasyncbatch.3": manual.library_page(known, source),
        "asyncbatch.bash": completions.bash(known),
        "_asyncbatch": completions.zsh(known),
        "asyncbatch.fish": completions.fish(known),
    }
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


main()
