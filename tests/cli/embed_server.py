"""A provider of embeddings in the shapes of OpenAI and Gemini.

The vector of a text is made of its own hash, so that it can be told whose it
is.  OpenAI's answers come in a shuffled order, in which `index` alone says
whose each is; Gemini's, by their place, in that of the texts.  Now and then an
answer is short: of OpenAI's a few texts are missing, of Gemini's the last.
With chaos, of ten calls one is refused, one fails, one is malformed, one cut.
"""

import hashlib
import json
import random
import threading

from service import Service

LIMITS = {"openai": 2048, "gemini": 100}


def vector(text, dimensions):
    """Whole numbers, exact in any notation."""
    digest = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(digest[i % 29:i % 29 + 3], "big") + i
            for i in range(dimensions)]


class EmbedServer(Service):
    """`sizes` has the number of texts of each call; `in_order` the number of
    OpenAI's answers, if of many texts, that came in their order all the same.
    """

    def __init__(self, case, dimensions=8, short_every=0, chaos=False):
        super().__init__(case, self.embed)
        self.dimensions, self.short_every = dimensions, short_every
        self.chaos = chaos
        self.rng = random.Random(20261122)
        self.lock = threading.Lock()
        self.sizes, self.in_order = [], 0

    def embed(self, request):
        body = json.loads(request.asked.body)
        with self.lock:
            request.server.asked.clear()  # a hundred thousand texts
            luck = self.rng.random() if self.chaos else 1
        if luck < 0.2:
            return (429 if luck < 0.1 else 500), {"error": {"message": "no"}}
        answer = self.embed_all(request, body)
        if luck > 0.4:
            return answer
        whole = json.dumps(answer).encode()
        request.say(200, whole[1:] if luck < 0.3 else whole,
                    {"Content-Type": "application/json"},
                    cut=None if luck < 0.3 else len(whole) // 2)
        return None

    def embed_all(self, request, body):
        if request.asked.path.endswith(":batchEmbedContents"):
            texts = ["".join(part["text"] for part in one["content"]["parts"])
                     for one in body["requests"]]
            return self.answer_to("gemini", texts, self.gemini)
        return self.answer_to("openai", body["input"], self.openai)

    def answer_to(self, shape, texts, put):
        if len(texts) > LIMITS[shape]:
            return 400, {"error": {"message": "too many inputs"}}
        with self.lock:
            self.sizes.append(len(texts))
            short = self.short_every and \
                len(self.sizes) % self.short_every == 0
            order = list(range(len(texts)))
            self.rng.shuffle(order)
        vectors = [vector(text, self.dimensions) for text in texts]
        return put(vectors, order, short and len(texts) > 3)

    def openai(self, vectors, order, short):
        order = order[3:] if short else order
        with self.lock:
            self.in_order += len(order) > 10 and order == sorted(order)
        return {"object": "list", "model": "m", "data": [
                    {"object": "embedding", "index": i,
                     "embedding": vectors[i]} for i in order],
                "usage": {"prompt_tokens": 5 * len(vectors),
                          "total_tokens": 5 * len(vectors)}}

    def gemini(self, vectors, _, short):
        if short:
            vectors = vectors[:-1]
        return {"embeddings": [{"values": v} for v in vectors]}
