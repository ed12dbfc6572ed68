#!/usr/bin/env node
// Translates the lines of standard input through one long-lived asyncbatch.
//
//     printf 'Good morning\nGood night\n' | ./translate.mjs --target-lang fr
//
// Arguments go to `asyncbatch run`; ASYNCBATCH names the command.  Needs
// nothing installed: msgpack.mjs has what a client uses of the format.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { decodeStream, encode } from './msgpack.mjs';

const stream = spawn(process.env.ASYNCBATCH ?? 'asyncbatch',
  ['run', '--input-format', 'msgpack', '--output-format', 'msgpack',
    '--task', 'translate', ...process.argv.slice(2)],
  { stdio: ['pipe', 'pipe', 'inherit'] });
const exited = once(stream, 'exit');
stream.stdin.on('error', () => {}); // it ended early and says why itself

/** Writes one message; waits while asyncbatch takes no more. */
async function send(message) {
  if (!stream.stdin.write(encode(message)))
    await Promise.race([once(stream.stdin, 'drain'), exited]);
}

async function ask() {
  let number = 0;
  for await (const text of createInterface({ input: process.stdin }))
    await send({ id: number++, text });
  await send({ op: 'stats' });
  stream.stdin.end(); // no more requests; the answers still owed come
}

async function answer() {
  for await (const got of decodeStream(stream.stdout)) {
    if (got.op)
      console.error(`so far: ${got.processed_texts} of ${got.total_texts}`);
    else if (got.status === 'ok')
      console.log(`${got.id}\t${got.output}`);
    else
      console.error(`${got.id}\t${got.error.message}`);
  }
}

// Both at once: asyncbatch reads no more input while nobody takes its answers.
await Promise.all([ask(), answer()]);
process.exitCode = (await exited)[0];
