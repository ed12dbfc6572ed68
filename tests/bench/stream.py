#!/usr/bin/env python3
"""A stream of small items from Python through asyncbatch and back, beside what
Python does for it itself.

    tests/bench/stream.py [ITEMS]     default: 1,000,000

Python's share is all it must do for each item in any case: make it, pack it,
write it, read an answer and look at it.  It is measured alone, with `cat` in
the place of asyncbatch: what is written comes back as it is.  As long as
asyncbatch takes less processor time for an item than Python does, Python is
what the stream waits for.

Two yardsticks: `plain`, which packs and writes item by item, as most programs
do (msgpack.packb, then write), and `gathered`, the least that Python can do: one
packer for all, 64 KiB a write.  No item may be lost, and answers come in order.

Needs the package msgpack (python3-msgpack).  Python and asyncbatch have the
first processor, the simulator the second.
"""

import os
import subprocess
import sys
import threading
import time

import msgpack

import bench

CHUNK = 1 << 16


def item(i):
    return {"id": i, "text": f"Open door number {i}"}


def plain(pipe, count):
    for i in range(count):
        pipe.write(msgpack.packb(item(i)))


def gathered(pipe, count):
    packer = msgpack.Packer(autoreset=True)
    buffer = bytearray()
    for i in range(count):
        buffer += packer.pack(item(i))
        if len(buffer) >= CHUNK:
            pipe.write(buffer)
            buffer.clear()
    pipe.write(buffer)


def produce(how, pipe, count):
    how(pipe, count)
    pipe.close()


def own_cpu():
    times = os.times()
    return times.user + times.system


def stream(how, command, count, good):
    """Wall seconds, Python's processor seconds, the command's."""
    process = subprocess.Popen([*bench.CLIENT, *command],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    start, before = time.monotonic(), own_cpu()
    writer = threading.Thread(target=produce,
                              args=(how, process.stdin, count))
    writer.start()
    came = 0
    for answer in msgpack.Unpacker(process.stdout, read_size=CHUNK):
        assert answer["id"] == came and good(answer), answer
        came += 1
    writer.join()
    took, mine = time.monotonic() - start, own_cpu() - before
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert came == count and process.returncode == 0
    return took, mine, usage.ru_utime + usage.ru_stime


def through(count):
    """How fast the stream is, what an item costs Python (who reads larger
    answers than its own items) and asyncbatch."""
    with bench.Simulator("--latency", "base=1ms,per_output_token=0ms,sigma=0"
                         ) as simulator:
        took, mine, cpu = stream(
            gathered,
            [bench.COMMAND, "run", "--input-format", "msgpack",
             "--output-format", "msgpack", "--task", "translate",
             "--target-lang", "fr", "--base-url", simulator.url + "/v1",
             "--progress", "none", "--batch-size", "100", "--workers", "32"],
            count, lambda answer: answer["status"] == "ok")
    return took, mine, cpu


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    alone = {}
    for how in (plain, gathered):
        wall, cpu, _ = stream(how, ["cat"], count,
                              lambda answer: answer["text"])
        alone[how.__name__] = wall, cpu
        print(f"Python alone, {how.__name__}: {count / wall:.0f} items/s, "
              f"{cpu / count * 1e6:.2f} us of processor time each", flush=True)
    took, mine, ours = through(count)
    print(f"through asyncbatch: {count / took:.0f} items/s, "
          f"{ours / count * 1e6:.2f} us of its processor time each and "
          f"{mine / count * 1e6:.2f} us of Python's; all answered, in order")
    for name, (wall, cpu) in alone.items():
        print(f"beside {name}: {ours / cpu:.1f} times Python's processor time, "
              f"{took / wall:.1f} times its time")


if __name__ == "__main__":
    main()
