"""Jobs with a journal: ended early, and gone on with by the same command."""

from support import Case, QUICK, TRANSLATE, ids, items, json_lines

SLOW = ["--sim-latency", "base=30ms,sigma=0", "--workers", "2",
        "--batch-size", "2", "--progress", "none"]


class Journaled(Case):
    """With an input of `rows` rows."""

    rows = 100

    def setUp(self):
        super().setUp()
        self.write("in.jsonl", items(self.rows))

    def job(self, *args, status=0, output="out.jsonl", **how):
        return self.run_job(*TRANSLATE, *QUICK, "-i", "in.jsonl", "-o",
                            output, "--summary", "s.json", *args,
                            status=status, **how)

    def assert_complete(self, name="out.jsonl", count=None):
        self.assert_answered_in_order(json_lines(self.read(name)),
                                      ids(count or self.rows))

    def begun(self, *args, output="out.jsonl", rows=10):
        """A slow job that has written some rows and goes on."""
        process = self.start("run", *TRANSLATE, *SLOW, "-i", "in.jsonl", "-o",
                             output, "--summary", "s.json", *args)
        self.wait_until(lambda: self.lines(output) >= rows, process)
        return process
