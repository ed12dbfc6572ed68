"""Many texts through a shape of embeddings, and what must hold of it."""

import json

from embed_server import LIMITS, EmbedServer, vector

SHAPES = {
    "openai": ("text-embedding-3-small", "/v1", "OPENAI_API_KEY"),
    "gemini": ("gemini-embedding-001", "/v1beta", "GEMINI_API_KEY"),
}
FULL = 0.9  # of the array limit, in each call


def text_of(i):
    return f"text number {i}"


def write_texts(case, count):
    case.write("in.jsonl", "".join(
        json.dumps({"id": f"k{i}", "text": text_of(i)}) + "\n"
        for i in range(count)))


def embed(case, shape, count, *args, **how):
    """Runs `count` texts; the sizes of the calls and the summary.  Fails when a
    text has not its own vector, or they are out of order, or one is without and
    it does not say that two calls for it were cut."""
    server = EmbedServer(case, **how)
    model, base, key = SHAPES[shape]
    write_texts(case, count)
    done = case.command(
        "run", "-i", "in.jsonl", "-o", "out.jsonl", "-p", shape, "-m", model,
        "--base-url", server.url + base, "--task", "embed", "--summary",
        "s.json", "--progress", "none", *args, env={key: "k"}, timeout=600)
    case.assertIn(done.returncode, (0, 1), done.err)
    seen = 0
    with open(case.path("out.jsonl"), encoding="utf-8") as out:
        for i, line in enumerate(out):
            answer = json.loads(line)
            case.assertEqual((answer["id"], answer["seq"]), (f"k{i}", i))
            seen += 1
            if server.chaos and answer["status"] == "failed":
                case.assertEqual(answer["error"]["code"], "answer_cut")
            else:
                case.assertEqual(answer["output"],
                                 vector(text_of(i), server.dimensions))
    case.assertEqual(seen, count)
    case.assertEqual(server.in_order, 0)
    return server.sizes, case.summary()


def assert_full(case, shape, sizes):
    """But the last one, which has what is left."""
    for size in sorted(sizes)[1:]:
        case.assertGreaterEqual(size, FULL * LIMITS[shape])
