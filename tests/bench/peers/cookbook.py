"""The approach of the OpenAI cookbook's api_request_parallel_processor.py: one
aiohttp session, a task for each request, an upper limit on those in flight.
Its limits of rate are left out; they would cost it more.

    cookbook.py URL COUNT IN_FLIGHT BODY_FILE
"""

import asyncio
import json
import sys

import aiohttp


async def main():
    url, count, in_flight, path = sys.argv[1:]
    with open(path) as f:
        body = json.load(f)
    left = iter(range(int(count)))
    connector = aiohttp.TCPConnector(limit=int(in_flight))
    async with aiohttp.ClientSession(connector=connector) as session:
        async def worker():
            for _ in left:
                async with session.post(
                        url + "/v1/chat/completions", json=body,
                        headers={"Authorization": "Bearer none"}) as answer:
                    assert answer.status == 200
                    (await answer.json())["choices"][0]["message"]["content"]
        await asyncio.gather(*(worker() for _ in range(int(in_flight))))


asyncio.run(main())
