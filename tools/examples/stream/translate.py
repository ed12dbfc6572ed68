#!/usr/bin/env python3
"""Translates the lines of standard input through one long-lived asyncbatch.

    printf 'Good morning\nGood night\n' | ./translate.py --target-lang fr

Arguments go to `asyncbatch run`; ASYNCBATCH names the command.  Needs the
package msgpack (Debian: python3-msgpack).
"""

import os
import subprocess
import sys
import threading

import msgpack


class Stream:
    """A running asyncbatch.  Write from one thread, read in another: it reads
    no more input while nobody takes its answers."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [os.environ.get("ASYNCBATCH", "asyncbatch"), "run",
             "--input-format", "msgpack", "--output-format", "msgpack",
             *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.packer = msgpack.Packer(autoreset=True)

    def send(self, **message):
        self.process.stdin.write(self.packer.pack(message))

    def flush(self):
        """What was sent so far waits for no more company."""
        self.send(op="flush")
        self.process.stdin.flush()

    def end(self):
        """No more requests; the answers still owed come."""
        self.process.stdin.close()

    def answers(self):
        yield from msgpack.Unpacker(self.process.stdout, read_size=65536)


def ask(stream):
    try:
        for number, line in enumerate(sys.stdin):
            stream.send(id=number, text=line.rstrip("\n"))
        stream.send(op="stats")
        stream.end()
    except BrokenPipeError:
        pass  # it has ended early and says why on standard error


def main():
    stream = Stream("--task", "translate", *sys.argv[1:])
    threading.Thread(target=ask, args=(stream,), daemon=True).start()
    for answer in stream.answers():
        if "op" in answer:
            print("so far:", answer["processed_texts"], "of",
                  answer["total_texts"], file=sys.stderr)
        elif answer["status"] == "ok":
            print(answer["id"], answer["output"], sep="\t")
        else:
            print(answer["id"], answer["error"]["message"], sep="\t",
                  file=sys.stderr)
    return stream.process.wait()


if __name__ == "__main__":
    sys.exit(main())
