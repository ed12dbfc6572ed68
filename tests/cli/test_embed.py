"""Texts to be embedded go in full lists, and each gets its own vector back."""

from embed_run import assert_full, embed
from support import Case


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
