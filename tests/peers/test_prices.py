"""The catalogue's list prices beside the table it names as their source."""

import glob
import json
import os
import subprocess
import sys
import zipfile

from peers import COMMAND, PeerCase, fetched, home

SOURCE = "1.109.1"
TABLE = "litellm/model_prices_and_context_window_backup.json"
# How that table names a provider before a model's name.
BEFORE = {"openai": ("", "openai/"), "anthropic": ("",), "veo": ("gemini/",),
          "runway": ("runwayml/",)}
MILLION = 1e6


class Prices(PeerCase):

    def setUp(self):
        super().setUp()
        folder = os.path.join(home(), "prices-" + SOURCE)
        fetched(folder, sys.executable, "-m", "pip", "download", "-q",
                "--no-deps", "-d", folder, "litellm==" + SOURCE)
        wheel, = glob.glob(os.path.join(folder, "*.whl"))
        with zipfile.ZipFile(wheel) as z:
            self.known = json.loads(z.read(TABLE))

    def entry(self, provider, model):
        for before in BEFORE.get(provider, (provider + "/",)):
            if before + model in self.known:
                return self.known[before + model]
        self.fail(f"{model} of {provider} is not in the table")

    def check_tokens(self, model, columns, entry):
        for shown, name in zip(columns, (
                "input_cost_per_token", "cache_read_input_token_cost",
                "output_cost_per_token"), strict=True):
            listed = entry.get(name)
            if listed is None:  # cached input then costs what input does
                listed = entry["input_cost_per_token"] \
                    if "cache" in name else 0
            self.assertAlmostEqual(float(shown), listed * MILLION, places=6,
                                   msg=f"{name} of {model}")

    def test_list_prices_are_those_of_their_source(self):
        shown = subprocess.run([COMMAND, "models"], check=True, text=True,
                               capture_output=True, cwd=self.dir).stdout
        count = 0
        for line in shown.splitlines()[1:]:
            model, provider, _, _, *prices = line.split()[:7]
            if provider == "sim":
                continue
            self.assertIn("LiteLLM " + SOURCE, line)
            entry = self.entry(provider, model)
            if prices[2].endswith("/s"):
                second = entry.get("output_cost_per_second") or \
                    entry["output_cost_per_video_per_second"]
                self.assertAlmostEqual(float(prices[2][:-2]), second)
            else:
                self.check_tokens(model, prices, entry)
            count += 1
        print(f"{count} models have the prices of LiteLLM {SOURCE}")
        self.assertGreater(count, 60)
