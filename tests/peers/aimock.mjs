// A stand-in for several providers: aimock, answering packed and single
// requests of every dialect it speaks with the item's own text, so that an
// answer can be checked against its item.
//
// Reads AIMOCK (where the package is) and CHAOS (JSON) from the environment;
// prints its address, and on SIGTERM what it served, as JSON.
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const home = join(process.env.AIMOCK, "node_modules/@copilotkit/aimock");
const { LLMock } = await import(pathToFileURL(join(home, "dist/index.js")));

const textOf = (content) =>
    typeof content === "string"
        ? content
        : (content ?? []).map((part) => part.text ?? "").join("");

// What an item is answered with: recognisable, and true to its placeholders.
const answerTo = (text) => `« ${text} »`;

const answers = (request) => {
    const users = request.messages.filter((m) => m.role === "user");
    const text = textOf(users.at(-1)?.content);
    const start = text.lastIndexOf('{"items":');

    if (start < 0) return { content: answerTo(text) };
    const { items } = JSON.parse(text.slice(start));
    const reply = JSON.stringify({
        items: items.map((i) => ({ id: i.id, output: answerTo(i.text) })),
    });
    const tool = request.tools?.[0]?.function?.name;
    return tool
        ? { toolCalls: [{ name: tool, arguments: reply }] }
        : { content: reply };
};

const mock = new LLMock({
    port: 0,
    host: "127.0.0.1",
    logLevel: "silent",
    chaos: JSON.parse(process.env.CHAOS ?? "{}"),
});
mock.addFixture({
    match: { endpoint: "video" },
    response: (request) => ({
        video: {
            id: "video",
            status: "completed",
            url: `https://example.invalid/${encodeURIComponent(
                textOf(request.messages[0].content))}.mp4`,
        },
    }),
});
// Embeddings are left to it: it draws each vector from its text.
mock.addFixture({
    match: { predicate: (request) => request._endpointType !== "embedding" },
    response: answers,
});
await mock.start();
console.log(`listening on ${mock.url}`);

process.on("SIGTERM", async () => {
    const status = {};
    for (const entry of mock.getRequests()) {
        const code = entry.response?.status ?? 0;
        status[code] = (status[code] ?? 0) + 1;
    }
    console.log(JSON.stringify({ calls: mock.getRequests().length, status }));
    await mock.stop();
    process.exit(0);
});
