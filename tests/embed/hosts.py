"""The example hosts at work: `hosts.py COMMAND FOLDER`, where COMMAND is the
installed asyncbatch and FOLDER holds the built examples."""

import concurrent.futures
import json
import os
import subprocess
import sys
import urllib.request

CLIENTS = 40


def started(*command):
    """A server that prints its address; it, and the address."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().split()[-1]


def post(url, text):
    with urllib.request.urlopen(url, text.encode(), timeout=60) as answer:
        return answer.read().decode()


def stats(sim):
    with urllib.request.urlopen(sim + "/stats", timeout=60) as answer:
        return json.load(answer)


def output_of(*command, **how):
    return subprocess.run(command, check=True, timeout=60, text=True,
                          stdout=subprocess.PIPE, **how).stdout


def prints_translations(folder, sim):
    arguments = [sim + "/v1", "fr", "Good morning", "Good night"]
    want = ["Good morning = Ĝóóđ ṁóřñíñĝ", "Good night = Ĝóóđ ñíĝĥť"]
    plain = output_of(os.path.join(folder, "plain"), *arguments)
    assert plain.splitlines() == want, plain
    # Standard input of the foreign loop: ended, and open but silent.
    foreign = os.path.join(folder, "foreign_loop")
    got = output_of(foreign, *arguments, stdin=subprocess.DEVNULL)
    assert sorted(got.splitlines()) == want, got
    silent, keep = os.pipe()
    got = output_of(foreign, *arguments, stdin=silent)
    os.close(silent)
    os.close(keep)
    assert sorted(got.splitlines()) == want, got


def batches_what_clients_ask(url, sim):
    before = stats(sim)
    texts = [f"Client number {i}" for i in range(CLIENTS)]
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda text: post(url, text), texts))
    for i, answer in enumerate(answers):
        assert answer == f"Çłíéñť ñúṁḃéř {i}", answer
    after = stats(sim)
    assert after["items"] - before["items"] == CLIENTS, after
    assert after["calls"] - before["calls"] < CLIENTS, after


def serves(folder, sim):
    server, url = started(os.path.join(folder, "batching_server"),
                          sim + "/v1", "fr")
    try:
        batches_what_clients_ask(url, sim)
    finally:
        server.terminate()
        status = server.wait(timeout=60)
    assert status == 0, status


def main():
    command, folder = sys.argv[1:]
    simulator, sim = started(command, "sim", "--listen", "127.0.0.1:0",
                             "--latency", "base=1ms,sigma=0")
    try:
        prints_translations(folder, sim)
        serves(folder, sim)
    finally:
        simulator.terminate()
        simulator.wait()


main()
