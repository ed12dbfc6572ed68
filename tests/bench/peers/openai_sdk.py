"""The OpenAI SDK for Python, its asynchronous client, a limit on those in
flight.

    openai_sdk.py URL COUNT IN_FLIGHT BODY_FILE
"""

import asyncio
import json
import sys

import httpx
import openai


async def main():
    url, count, in_flight, path = sys.argv[1:]
    with open(path) as f:
        body = json.load(f)
    left = iter(range(int(count)))
    limits = httpx.Limits(max_connections=int(in_flight),
                          max_keepalive_connections=int(in_flight))
    client = openai.AsyncOpenAI(
        base_url=url + "/v1", api_key="none", max_retries=0,
        http_client=httpx.AsyncClient(limits=limits, timeout=600))

    async def worker():
        for _ in left:
            answer = await client.chat.completions.create(**body)
            assert answer.choices[0].message.content

    await asyncio.gather(*(worker() for _ in range(int(in_flight))))
    await client.close()


asyncio.run(main())
