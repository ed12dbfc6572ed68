"""A quote that is never closed, in an input that ends before it is missed."""

from support import Case, QUICK, TRANSLATE, csv_rows

ROWS = 2500


class UnclosedQuote(Case):

    def write_input(self):
        rows = [f"{n},text number {n}" for n in range(ROWS)]
        rows[1] = '1,"text number 1'
        self.write("in.csv", "\n".join(["id,text", *rows, ""]))

    def test_the_rows_after_it_are_answered_within_the_memory_there_is(self):
        self.write_input()
        done = self.command("run", *TRANSLATE, *QUICK, "-i", "in.csv", "-o",
                            "out.csv", "--batch-size", "50", "--max-memory",
                            "64KiB", "--max-item-bytes", "64KiB")
        self.assertEqual(done.returncode, 1, done.err)
        rows = csv_rows(self.read("out.csv"))
        self.assertEqual([r["id"] for r in rows], [str(n) for n in range(ROWS)])
        failed = [r for r in rows if r["asb_status"] != "ok"]
        self.assertEqual([r["id"] for r in failed], ["1"])
        self.assertIn("line 3", failed[0]["asb_error"])

    def test_strict_refuses_it(self):
        self.write_input()
        done = self.command("run", *TRANSLATE, *QUICK, "-i", "in.csv", "-o",
                            "out.csv", "--strict")
        self.assertEqual(done.returncode, 2, done.err)
        self.assertIn("line 3", done.err)
