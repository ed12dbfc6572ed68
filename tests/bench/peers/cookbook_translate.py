"""A table of texts the way of the OpenAI cookbook's
api_request_parallel_processor.py: one request for each text, with what is left
of the requests and tokens of a minute reckoned as there (capacity that grows
with the time, tokens known beforehand), refused ones queued again.

    cookbook_translate.py URL TABLE REQUESTS_A_MINUTE TOKENS_A_MINUTE
"""

import asyncio
import csv
import sys
import time

import aiohttp

PROMPT = ("Translate the user's text from English into French. Answer with the "
          "translation alone.")


class Capacity:
    """So much a minute, all of a minute at once at the start."""

    def __init__(self, a_minute):
        self.a_minute = self.left = a_minute
        self.at = time.monotonic()

    def grow(self):
        now = time.monotonic()
        self.left = min(self.a_minute,
                        self.left + (now - self.at) * self.a_minute / 60)
        self.at = now


def tokens_of(text):
    """Four characters a token, and as many for the answer."""
    return (len(PROMPT) + 2 * len(text)) // 4 + 16


async def main():
    url, table, requests, tokens = sys.argv[1:]
    with open(table, newline="") as f:
        queue = [row["text"] for row in csv.DictReader(f)]
    calls, budget = Capacity(int(requests)), Capacity(int(tokens))
    under_way, answered = set(), 0

    async with aiohttp.ClientSession() as session:
        async def ask(text):
            nonlocal answered
            body = {"model": "sim-1", "messages": [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": text}]}
            async with session.post(url + "/v1/chat/completions", json=body,
                                    headers={"Authorization": "Bearer none"}
                                    ) as answer:
                if answer.status != 200:
                    queue.append(text)
                    return
                (await answer.json())["choices"][0]["message"]["content"]
                answered += 1

        while queue or under_way:
            calls.grow()
            budget.grow()
            if queue and calls.left >= 1 and budget.left >= tokens_of(queue[-1]):
                text = queue.pop()
                calls.left -= 1
                budget.left -= tokens_of(text)
                task = asyncio.create_task(ask(text))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(0.001)
    print(answered)


asyncio.run(main())
