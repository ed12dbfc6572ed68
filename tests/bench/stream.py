#!/usr/bin/env python3
"""A stream of small items from Python through asyncbatch, beside what Python
can produce: the same items packed and written into a pipe that is read and
thrown away.

    tests/bench/stream.py [ITEMS]     default: 1,000,000

Needs the package msgpack.  The simulator has the other processor.
"""

import os
import subprocess
import sys
import threading
import time

import msgpack

import bench

CHUNK = 1 << 16


def produce(pipe, count):
    packer = msgpack.Packer(autoreset=True)
    buffer = bytearray()
    for i in range(count):
        buffer += packer.pack({"id": i, "text": f"Open door number {i}"})
        if len(buffer) >= CHUNK:
            pipe.write(buffer)
            buffer.clear()
    pipe.write(buffer)
    pipe.close()


def alone(count):
    sink = subprocess.Popen(["cat"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
    start = time.monotonic()
    produce(sink.stdin, count)
    sink.wait()
    return time.monotonic() - start


def through(count, url):
    command = subprocess.Popen(
        [bench.COMMAND, "run", "--input-format", "msgpack", "--output-format",
         "msgpack", "--task", "translate", "--target-lang", "fr", "--base-url",
         url + "/v1", "--progress", "none", "--batch-size", "100", "--workers",
         "32"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    start = time.monotonic()
    writer = threading.Thread(target=produce, args=(command.stdin, count))
    writer.start()
    came = 0
    for answer in msgpack.Unpacker(command.stdout, read_size=CHUNK):
        assert answer["id"] == came and answer["status"] == "ok", answer
        came += 1
    writer.join()
    took = time.monotonic() - start
    _, status, usage = os.wait4(command.pid, 0)
    command.returncode = os.waitstatus_to_exitcode(status)
    assert came == count and command.returncode == 0
    return took, usage.ru_utime + usage.ru_stime


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    python = alone(count)
    with bench.Simulator("--latency", "base=1ms,per_output_token=0ms,sigma=0"
                         ) as simulator:
        took, cpu = through(count, simulator.url)
    print(f"{count} items: Python alone {count / python:.0f}/s, through "
          f"asyncbatch and read again {count / took:.0f}/s, all answered in "
          f"order; {cpu / count * 1e6:.1f} us of its processor time each")


if __name__ == "__main__":
    main()
