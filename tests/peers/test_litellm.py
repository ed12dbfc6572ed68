"""LiteLLM's proxy with real limits, the simulator behind it as its model."""

import os
import sys

from peers import COMMAND, PeerCase, Server, fetched, free_port, home

KEY = "sk-8f2c6d1e9b7a4530aa51"
SIZE = 5
# Its windows are the minutes of the clock; what is left of one is in its
# headers.  Far from both limits, so that only the one under test binds.
PLENTY = 10_000_000
CONFIG = """
model_list:
  - model_name: mock
    litellm_params:
      model: openai/sim-1
      api_base: SIMULATOR/v1
      api_key: none
      rpm: RPM
      tpm: TPM
router_settings:
  optional_pre_call_checks: ["enforce_model_rate_limits"]
  num_retries: 0
general_settings:
  master_key: KEY
""".replace("KEY", KEY)


class LiteLLM(PeerCase):

    def setUp(self):
        super().setUp()
        self.home = os.path.join(home(), "litellm")
        fetched(self.home, sys.executable, "-m", "venv", self.home)
        self.program = fetched(
            os.path.join(self.home, "bin", "litellm"),
            os.path.join(self.home, "bin", "pip"), "install", "-q",
            "litellm[proxy]")

    def serve(self, rpm, tpm):
        simulator = Server(self, [COMMAND, "sim", "--listen", "127.0.0.1:0",
                                  "--sim-latency", "base=100ms"])
        port = free_port()
        self.write("proxy.yaml", CONFIG.replace("SIMULATOR", simulator.url)
                   .replace("RPM", str(rpm)).replace("TPM", str(tpm)))
        proxy = Server(
            self, [self.program, "--config", self.path("proxy.yaml"),
                   "--host", "127.0.0.1", "--port", str(port)],
            url=f"http://127.0.0.1:{port}", ready="/health/liveliness",
            cwd=self.dir,
            env=dict(os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True"))
        return proxy.url + "/v1"

    def through(self, items, rpm, tpm):
        """A job without a failed item; its summary and its minutes."""
        self.write("key", KEY + "\n")
        texts = [f"Open door number {i} please" for i in range(items)]
        answers, total = self.job(
            texts, "-p", "litellm", "--base-url", self.serve(rpm, tpm), "-m",
            "mock", "--api-key", "file:key", "--target-lang", "fr",
            "--batch-size", str(SIZE))
        self.assertEqual([a for a in answers if a["status"] != "ok"], [])
        return total, total["elapsed_seconds"] / 60

    def judge(self, total, used):
        print(f"litellm: {total['calls']} calls, {total['calls_429']} refused, "
              f"{total['elapsed_seconds']:.0f} s, {used:.1%} of the limit used")
        self.assertGreaterEqual(used, 0.95)

    def test_its_limit_on_calls_is_used_and_nothing_fails(self):
        rpm = 120
        total, minutes = self.through(2400, rpm, PLENTY)
        self.judge(total, (total["calls"] - total["calls_429"]) /
                   (minutes * rpm))

    def test_its_limit_on_tokens_is_used_and_nothing_fails(self):
        tpm = 60_000
        total, minutes = self.through(1500, PLENTY, tpm)
        self.judge(total, (total["input_tokens"] + total["output_tokens"]) /
                   (minutes * tpm))
