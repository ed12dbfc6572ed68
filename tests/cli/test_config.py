"""config check, config show, and which origin wins."""

from support import Case, QUICK, TRANSLATE, items


class Config(Case):

    def shown(self, *args, **how):
        """config show as {name: (value, origin)}."""
        done = self.command("config", "show", *args, **how)
        self.assertEqual(done.returncode, 0, done.err)
        rows = {}
        for line in done.out.splitlines():
            if line and not line.startswith("#"):
                name, rest = line.split(": ", 1)
                value, origin = rest.rsplit("  # ", 1)
                rows[name] = (value, origin)
        return rows

    def refused_file(self, text):
        self.write("bad.yaml", text)
        done = self.command("config", "check", "bad.yaml")
        self.assertEqual(done.returncode, 2, done.out)
        self.assertEqual(done.out, "")
        return done.err

    def test_a_good_file_is_ok(self):
        self.write("good.yaml", "workers: 4\nbudget: 2.50\n")
        done = self.command("config", "check", "good.yaml")
        self.assertEqual((done.returncode, done.out, done.err),
                         (0, "good.yaml: ok\n", ""))

    def test_a_bad_value_has_line_and_column(self):
        err = self.refused_file("# first\nworkers: many\n")
        self.assertIn("bad.yaml", err)
        self.assertRegex(err, r"\b2:\d+")

    def test_an_unknown_key_names_the_nearest(self):
        err = self.refused_file("provider: sim\n\nwokers: 3\n")
        self.assertRegex(err, r"\b3:1\b")
        self.assertIn("workers", err)

    def test_broken_yaml_has_line_and_column(self):
        self.assertRegex(self.refused_file("a: [1, 2\nb: }\n"), r"\b[23]:\d+")

    def test_what_a_run_would_refuse_is_refused(self):
        for key, value in [("redis", "redis:/host"),
                           ("cache_url", "https://me:pass@edge.example"),
                           ("budget_alerts", "80,60"),
                           ("budget_webhook", "ftp://there.example"),
                           ("priority_weights", "speed=1"),
                           ("class_shares", "urgent=0"),
                           ("class_targets", "urgent=never"),
                           ("proxy", "ftp://proxy.example:3128"),
                           ("sim_job_time", "soon")]:
            with self.subTest(key):
                self.assertIn(key, self.refused_file(f'{key}: "{value}"\n'))

    def test_a_password_is_no_part_of_an_address(self):
        for key in "base_url", "proxy", "budget_webhook":
            with self.subTest(key):
                err = self.refused_file(f'{key}: "http://me:pass@there/x"\n')
                self.assertIn(key + ": must not hold a user", err)
                self.assertNotIn("pass@", err)

    def test_a_missing_file_is_an_error(self):
        done = self.command("config", "check", "nowhere.yaml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nowhere.yaml", done.err)

    def test_check_takes_the_file_that_run_would(self):
        done = self.command("config", "check")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no asyncbatch.yaml", done.err)
        self.write("asyncbatch.yaml", "wokers: 4\n")
        self.write("other.yaml", "workers: 4\n")
        self.assertIn("asyncbatch.yaml:1:1",
                      self.command("config", "check").err)
        self.assertEqual(
            self.command("config", "check", "-c", "other.yaml").out,
            "other.yaml: ok\n")

    def test_config_wants_to_know_what(self):
        self.assertEqual(self.command("config").returncode, 2)
        self.assertEqual(self.command("config", "mend").returncode, 2)

    def test_a_block_of_a_pipeline_runs_as_it_stands(self):
        self.write("config/pipeline.yaml", """\
batch_processing:
  dynamic_sizing: true
  target_batch_time_ms: 30000
  max_workers: 4
  token_buffer: 500
  grouping: {enabled: true, similarity_threshold: 0.8}
  parallel: {enabled: true, preserve_order: true, fail_fast: false}
  metrics:
    enabled: true
    export_path: "reports/batch_metrics.jsonl"
    realtime_interval_ms: 1000
""")
        done = self.command("run", *TRANSLATE, *QUICK, stdin=items(3).encode())
        self.assertEqual(done.returncode, 0, done.err)
        self.assertIn('"processed_texts":3',
                      self.read("reports/batch_metrics.jsonl"))

    def test_a_bad_file_stops_a_run(self):
        self.write("asyncbatch.yaml", "workers: many\n")
        done = self.command("run", "--target-lang", "fr")
        self.assertEqual((done.returncode, done.out), (2, ""))
        self.assertIn("asyncbatch.yaml", done.err)

    def test_show_has_every_option_and_its_origin(self):
        rows = self.shown()
        self.assertGreater(len(rows), 40)
        self.assertEqual(rows["provider"], ("sim", "default"))
        self.assertEqual(rows["order"], ("input", "default"))
        self.assertEqual({origin for _, origin in rows.values()}, {"default"})

    def test_later_origins_win(self):
        self.write("c.yaml", "workers: 3\nbatch_items_max: 30\nseed: 9\n")
        rows = self.shown("-c", "c.yaml", "--workers", "5",
                          env={"SMART_BATCHER_MAX_SIZE": "40"})
        self.assertEqual(rows["workers"], ("5", "command line"))
        self.assertEqual(rows["batch_items_max"], ("40", "environment"))
        self.assertEqual(rows["seed"], ("9", "file"))

    def test_the_usual_files_are_found(self):
        self.write("config/pipeline.yaml",
                   "batch_processing:\n  max_workers: 6\n")
        self.assertEqual(self.shown()["workers"], ("6", "file"))
        self.write("asyncbatch.yaml", "workers: 7\n")
        self.assertEqual(self.shown()["workers"], ("7", "file"))

    def test_every_form_of_an_option_is_read(self):
        for form in (["--batch-size", "12"], ["--batch-size=12"],
                     ["--batch_size", "12"]):
            self.assertEqual(self.shown(*form)["batch_size"][0], "12")
        for form in (["-m", "big"], ["-mbig"], ["--model=big"]):
            self.assertEqual(self.shown(*form)["model"][0], "big")
        self.assertEqual(self.shown("--fail-fast")["fail_fast"][0], "true")
        self.assertEqual(self.shown("--no-dynamic-sizing")["dynamic_sizing"],
                         ("false", "command line"))

    def test_what_is_shown_can_be_read_again(self):
        args = ["--instructions", 'a "b" \\ c: # d', "--workers", "5"]
        self.write("again.yaml", self.command("config", "show", *args).stdout)
        check = self.command("config", "check", "again.yaml")
        self.assertEqual(check.returncode, 0, check.err)
        before = {k: v for k, (v, _) in self.shown(*args).items()}
        after = {k: v for k, (v, _) in self.shown("-c", "again.yaml").items()}
        self.assertEqual(before, after)

    def test_a_key_is_shown_as_a_reference_only(self):
        rows = self.shown("--api-key", "env:MY_KEY",
                          env={"MY_KEY": "sk-very-secret"})
        self.assertIn("env:MY_KEY", rows["api_key"][0])
        text = str(rows)
        self.assertNotIn("sk-very-secret", text)
