"""The simulator as a server of its own."""

import http.client
import json
import signal

from support import Case, TRANSLATE, ids, items, json_lines


class Sim(Case):

    def serve(self, *args):
        """A running simulator: (process, host, port)."""
        process = self.start("sim", "--listen", "127.0.0.1:0", *args)
        line = process.stdout.readline().decode()
        self.assertRegex(line, r"\Alistening on http://127\.0\.0\.1:\d+\n\Z")
        host, port = line.split("//")[1].strip().split(":")
        return process, host, int(port)

    @staticmethod
    def ask(host, port, method, path, body=None):
        connection = http.client.HTTPConnection(host, port, timeout=20)
        connection.request(method, path,
                           json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        is_json = "json" in response.headers["Content-Type"]
        return response.status, json.loads(text) if is_json else text

    @staticmethod
    def packed(*texts):
        wanted = {"items": [{"id": f"i{n}", "text": text}
                            for n, text in enumerate(texts)]}
        return {"model": "sim-1", "messages": [
            {"role": "system", "content": "Translate into French."},
            {"role": "user", "content": "Now:\n" + json.dumps(wanted)}]}

    def test_it_ends_in_peace_on_either_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, _, _ = self.serve()
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
            self.assertEqual((process.returncode, out, err), (0, b"", b""))

    def test_a_packed_call_is_answered_item_by_item(self):
        _, host, port = self.serve("--latency", "base=1ms")
        status, answer = self.ask(host, port, "POST", "/v1/chat/completions",
                                  self.packed("Hello", "Keep {name} %d"))
        self.assertEqual(status, 200)
        content = json.loads(answer["choices"][0]["message"]["content"])
        self.assertEqual([item["id"] for item in content["items"]],
                         ["i0", "i1"])
        self.assertIn("{name}", content["items"][1]["output"])
        self.assertGreater(answer["usage"]["prompt_tokens"], 0)
        self.assertGreater(answer["usage"]["completion_tokens"], 0)

    def test_stats_count_what_was_served(self):
        _, host, port = self.serve("--latency", "base=1ms")
        for _ in range(3):
            self.ask(host, port, "POST", "/v1/chat/completions",
                     self.packed("One", "Two"))
        status, stats = self.ask(host, port, "GET", "/stats")
        self.assertEqual(status, 200)
        self.assertEqual((stats["calls"], stats["items"]), (3, 6))
        self.assertEqual(stats["status"], {"200": 3})
        self.assertGreater(stats["billed_input_tokens"], 0)
        self.assertGreater(stats["billed_output_tokens"], 0)
        self.assertGreater(stats["billed_usd"], 0)
        self.assertEqual(stats["max_in_flight"], 1)

    def test_an_error_rate_of_one_is_all_errors(self):
        _, host, port = self.serve("--error-rate", "1")
        for _ in range(10):
            status, _ = self.ask(host, port, "POST", "/v1/chat/completions",
                                 self.packed("One"))
            self.assertGreaterEqual(status, 500)

    def test_long_and_short_option_names_mean_the_same(self):
        for args in (["--rpm", "1"], ["--sim-rpm", "1"]):
            _, host, port = self.serve("--latency", "base=1ms", *args)
            statuses = [self.ask(host, port, "POST", "/v1/chat/completions",
                                 self.packed("One"))[0] for _ in range(3)]
            self.assertIn(429, statuses)

    def test_an_address_that_is_taken_is_an_error(self):
        _, host, port = self.serve()
        done = self.command("sim", "--listen", f"{host}:{port}")
        self.assertEqual((done.returncode, done.out), (2, ""))
        self.assertIn(str(port), done.err)

    def test_nonsense_for_an_address_is_an_error(self):
        for address in ("nowhere", "127.0.0.1:99999", "127.0.0.1:x", ""):
            done = self.command("sim", "--listen", address)
            self.assertEqual(done.returncode, 2, address)

    def test_a_job_pays_what_the_simulator_bills(self):
        _, host, port = self.serve("--latency", "base=5ms", "--error-rate",
                                   "0.1", "--seed", "5")
        done = self.run_job(*TRANSLATE, "--base-url",
                            f"http://{host}:{port}/v1", "--batch-size", "4",
                            "--max-attempts", "20", "--summary", "s.json",
                            stdin=items(100).encode())
        self.assert_answered_in_order(json_lines(done.out), ids(100))
        _, stats = self.ask(host, port, "GET", "/stats")
        summary = self.summary()
        self.assertEqual(summary["calls"], stats["calls"])
        self.assertEqual((summary["input_tokens"], summary["output_tokens"]),
                         (stats["billed_input_tokens"],
                          stats["billed_output_tokens"]))
        self.assertAlmostEqual(summary["cost_usd"], stats["billed_usd"],
                               delta=1e-7)
