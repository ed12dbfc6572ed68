// Node's undici, a pool of connections, a limit on those in flight.
//
//     node undici.mjs URL COUNT IN_FLIGHT BODY_FILE

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// From the scratch folder that the benchmark has installed it into.
const { Pool } = createRequire(process.env.PEERS + '/')('undici');
const [url, count, inFlight, path] = process.argv.slice(2);
const body = JSON.parse(readFileSync(path));
const pool = new Pool(url, { connections: +inFlight, pipelining: 1 });
let left = +count;

async function worker() {
  while (left-- > 0) {
    const answer = await pool.request({
      path: '/v1/chat/completions', method: 'POST',
      headers: { 'content-type': 'application/json',
        authorization: 'Bearer none' },
      body: JSON.stringify(body),
    });
    const got = await answer.body.json();
    if (answer.statusCode !== 200 || !got.choices[0].message.content)
      throw new Error('no answer');
  }
}

await Promise.all(Array.from({ length: +inFlight }, worker));
await pool.close();
