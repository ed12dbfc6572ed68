"""LiteLLM's proxy with real limits, the simulator behind it as its model."""

import json
import os
import sys

from peers import COMMAND, PeerCase, Server, fetched, free_port, home

KEY = "sk-8f2c6d1e9b7a4530aa51"
RPM, ITEMS, SIZE = 120, 2400, 5
CONFIG = f"""
model_list:
  - model_name: mock
    litellm_params:
      model: openai/sim-1
      api_base: SIMULATOR/v1
      api_key: none
      rpm: {RPM}
      tpm: 1000000
router_settings:
  optional_pre_call_checks: ["enforce_model_rate_limits"]
  num_retries: 0
general_settings:
  master_key: {KEY}
"""


class LiteLLM(PeerCase):

    def setUp(self):
        super().setUp()
        self.home = os.path.join(home(), "litellm")
        fetched(self.home, sys.executable, "-m", "venv", self.home)
        self.program = fetched(
            os.path.join(self.home, "bin", "litellm"),
            os.path.join(self.home, "bin", "pip"), "install", "-q",
            "litellm[proxy]")

    def serve(self):
        simulator = Server(self, [COMMAND, "sim", "--listen", "127.0.0.1:0",
                                  "--sim-latency", "base=100ms"])
        port = free_port()
        self.write("proxy.yaml", CONFIG.replace("SIMULATOR", simulator.url))
        proxy = Server(
            self, [self.program, "--config", self.path("proxy.yaml"),
                   "--host", "127.0.0.1", "--port", str(port)],
            url=f"http://127.0.0.1:{port}", ready="/health/liveliness",
            cwd=self.dir,
            env=dict(os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True"))
        return simulator, proxy

    def test_its_limit_is_used_and_nothing_fails(self):
        simulator, proxy = self.serve()
        self.write("key", KEY + "\n")
        texts = [f"Open door number {i} please" for i in range(ITEMS)]
        answers, total = self.job(
            texts, "-p", "litellm", "--base-url", proxy.url + "/v1", "-m",
            "mock", "--api-key", "file:key", "--target-lang", "fr",
            "--batch-size", str(SIZE))
        failed = [a for a in answers if a["status"] != "ok"]
        minutes = total["elapsed_seconds"] / 60
        used = (total["calls"] - total["calls_429"]) / (minutes * RPM)
        print(f"litellm: {json.dumps(total)}; {used:.1%} of the limit used")
        self.assertEqual(failed, [])
        self.assertGreaterEqual(used, 0.95)
