"""Real translation by configuration alone, with what Debian packages."""

import glob
import os
import re

from peers import DATA, PeerCase, Server, free_port

WANTED = 2000


def sentences():
    """English as people wrote it: licences and documentation."""
    found = {}
    for path in sorted(glob.glob("/usr/share/common-licenses/*") +
                       glob.glob(os.path.join(os.path.dirname(os.__file__),
                                              "*.py"))):
        with open(path, encoding="utf-8", errors="ignore") as f:
            text = f.read()
        if path.endswith(".py"):
            text = ". ".join(re.findall(r'"""(.+?)"""', text, re.S))
        for s in re.split(r"(?<=[.;:])\s+", re.sub(r"\s+", " ", text)):
            if re.fullmatch(r"[A-Z][A-Za-z ,'-]{20,200}[.;:]", s):
                found[s] = True
    return list(found)[:WANTED]


class Apertium(PeerCase):

    def test_two_thousand_texts_are_translated(self):
        port = free_port()
        server = Server(self, ["apertium-apy", "-p", str(port),
                               "/usr/share/apertium"],
                        url=f"http://127.0.0.1:{port}", ready="/listPairs")
        texts = sentences()
        self.assertEqual(len(texts), WANTED)
        answers, total = self.job(
            texts, "-c", os.path.join(DATA, "apis", "apertium.yaml"),
            "--base-url", server.url, "--source-lang", "eng",
            "--target-lang", "spa", timeout=300)
        failed = [a for a in answers if a["status"] != "ok"]
        changed = sum(a.get("output") != t
                      for a, t in zip(answers, texts, strict=True))
        spanish = sum(bool(re.search(r"\b(el|la|los|las|de|que|un|una|y)\b",
                                     a.get("output", "")))
                      for a in answers)
        print(f"apertium: {len(failed)} failed, {changed} changed, {spanish} "
              f"look Spanish, {total['elapsed_seconds']:.1f} s")
        self.assertEqual(failed, [])
        self.assertGreater(changed, WANTED * 0.99)
        self.assertGreater(spanish, WANTED * 0.8)
        self.assertEqual(total["input_tokens"], sum(map(len, texts)))
