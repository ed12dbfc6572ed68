"""asyncbatch models: the catalogue as a table."""

from support import Case


class Models(Case):

    def table(self, *args):
        done = self.command("models", *args)
        self.assertEqual(done.returncode, 0, done.err)
        head, *rows = done.out.splitlines()
        self.assertEqual(head.split(), [
            "model", "provider", "context", "answer", "input", "cached",
            "output", "batch", "calls/min", "tokens/min", "dated", "source"])
        return {row.split()[0]: row.split() for row in rows}

    def test_every_model_has_prices_with_their_day(self):
        rows = self.table()
        self.assertGreater(len(rows), 40)
        self.assertEqual(rows["gpt-4.1-mini"][1:11],
                         ["openai", "1047576", "32768", "0.40", "0.10", "1.60",
                          "50%", "-", "-", "2026-11-22"])
        for row in rows.values():
            self.assertRegex(row[10], r"^\d{4}-\d\d-\d\d$")
            self.assertTrue(row[11])

    def test_one_provider_can_be_asked_for(self):
        rows = self.table("anthropic")
        self.assertEqual({row[1] for row in rows.values()}, {"anthropic"})
        self.assertIn("claude-haiku-4-5", rows)
        done = self.command("models", "nobody")
        self.assertEqual((done.returncode, done.out), (2, ""))
        self.assertIn("nobody", done.err)

    def test_the_users_catalogue_lies_over_it(self):
        self.write("mine.yaml", "models:\n  gpt-4.1-mini: {input: 0.33}\n"
                                "  my-own: {provider: vllm, context: 4096, "
                                "max_output: 512, requests_per_minute: 500, "
                                "tokens_per_minute: 200000}\n")
        # Nothing is run: a provider without a model is no mistake here.
        self.write("asyncbatch.yaml", "provider: openai\n"
                                      "catalogue: mine.yaml\n")
        rows = self.table()
        self.assertEqual(rows["gpt-4.1-mini"][4:7], ["0.33", "0.10", "1.60"])
        self.assertEqual(rows["my-own"][1:10],
                         ["vllm", "4096", "512", "-", "-", "-", "-", "500",
                          "200000"])

    def test_a_video_is_priced_by_the_second(self):
        self.write("asyncbatch.yaml",
                   "provider: runway\nproviders:\n  kling: {credit: 0.5}\n"
                   "models:\n  k: {provider: kling, credits_per_second: 3}\n")
        rows = self.table()
        self.assertEqual(rows["gen4_turbo"][1:7],
                         ["runway", "-", "-", "-", "-", "0.05/s"])
        self.assertEqual(rows["k"][6], "1.50/s")
