"""Texts to be embedded go in full lists, and each gets its own vector back."""

import os

from embed_run import assert_full, embed, write_texts
from embed_server import EmbedServer
from support import Case, json_lines


class Embed(Case):

    def test_openai_answers_in_any_order(self):
        sizes, summary = embed(self, "openai", 7000)
        assert_full(self, "openai", sizes)
        self.assertEqual(summary["calls"], 4)

    def test_gemini_answers_by_place(self):
        sizes, summary = embed(self, "gemini", 1050)
        assert_full(self, "gemini", sizes)
        self.assertEqual(summary["calls"], 11)

    def test_texts_left_out_by_openai_are_asked_again(self):
        sizes, summary = embed(self, "openai", 3000, "--batch-size", "100",
                               short_every=5)
        self.assertGreater(summary["retried_items"], 0)
        self.assertLess(sum(sizes), 3000 + 3 * len(sizes))

    def test_a_short_answer_of_gemini_counts_for_none(self):
        _, summary = embed(self, "gemini", 1000, short_every=4)
        self.assertGreater(summary["retried_items"], 99)

    def test_after_chaos_each_text_has_its_vector_or_a_reason(self):
        for shape in ("openai", "gemini"):
            _, summary = embed(self, shape, 500, "--batch-size", "10",
                               "--max-attempts", "9", "--no-journal",
                               chaos=True)
            self.assertGreater(summary["items_ok"], 450)
            self.assertGreater(summary["calls_failed"], 5)

    def stands_still(self):
        """Nothing was in flight and nothing new was sent for a while."""
        if not os.path.exists(self.path("m.jsonl")):
            return False
        last = json_lines(self.read("m.jsonl").rpartition("\n")[0])[-5:]
        return len(last) == 5 and last[0]["batch_count"] > 0 and \
            last[0]["batch_count"] == last[-1]["batch_count"] and \
            not any(line["in_flight"] for line in last)

    def test_a_slow_reader_makes_no_short_lists(self):
        server = EmbedServer(self, dimensions=400)
        write_texts(self, 8000)
        process = self.start(
            "run", "-i", "in.jsonl", "-p", "openai", "-m",
            "text-embedding-3-small", "--base-url", server.url + "/v1",
            "--task", "embed", "--batch-size", "50", "--progress", "none",
            "--metrics", "m.jsonl", "--metrics-interval", "10ms",
            env={"OPENAI_API_KEY": "k"})
        self.wait_until(self.stands_still, process)
        self.assertLess(sum(server.sizes), 8000)
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out.count(b"\n"), 8000)
        self.assertEqual(set(server.sizes), {50})
