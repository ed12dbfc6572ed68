"""LiteLLM's Router with one deployment, a limit on those in flight.

    litellm_router.py URL COUNT IN_FLIGHT BODY_FILE
"""

import asyncio
import json
import sys

import litellm

litellm.suppress_debug_info = True
litellm.telemetry = False


async def main():
    url, count, in_flight, path = sys.argv[1:]
    with open(path) as f:
        body = json.load(f)
    left = iter(range(int(count)))
    router = litellm.Router(num_retries=0, model_list=[{
        "model_name": body["model"],
        "litellm_params": {"model": "openai/" + body["model"],
                           "api_base": url + "/v1", "api_key": "none"}}])

    async def worker():
        for _ in left:
            answer = await router.acompletion(**body)
            assert answer.choices[0].message.content

    await asyncio.gather(*(worker() for _ in range(int(in_flight))))


asyncio.run(main())
