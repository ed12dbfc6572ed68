"""Answers shared through Redis, and runs that outlive it."""

import os

from redis_server import Redis, Refusing
from support import Case, QUICK, TRANSLATE, ids, items, json_lines


class RedisCache(Case):

    def job(self, *args, count=200, **how):
        """Answers, summary and messages of one run."""
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json", *args,
                            stdin=items(count).encode(), **how)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(count))
        return answers, self.summary(), done.err

    def right_answers(self, count):
        """As a run gives them that never had a cache."""
        return [a["output"] for a in self.job(count=count)[0]]

    def test_the_second_run_is_answered_by_redis(self):
        redis = Redis(self)
        was, total, _ = self.job("--redis", redis.url)
        self.assertEqual(total["items_cached"], 0)
        self.assertEqual(len(redis.keys()), 200)
        now, total, _ = self.job("--redis", redis.url)
        self.assertEqual([a["output"] for a in now],
                         [a["output"] for a in was])
        self.assertEqual({a["source"] for a in now}, {"cache"})
        self.assertEqual((total["calls"], total["items_cached"],
                          total["cost_usd"]), (0, 200, 0))

    def test_what_redis_knows_is_in_the_file_then(self):
        redis = Redis(self)
        self.job("--redis", redis.url)
        self.job("--redis", redis.url, "--cache", "c.db")
        redis.kill()
        _, total, _ = self.job("--cache", "c.db")
        self.assertEqual(total["calls"], 0)

    def test_a_flipped_bit_costs_one_call_and_no_wrong_answer(self):
        redis = Redis(self)
        was, _, _ = self.job("--redis", redis.url)
        key = redis.keys()[7]
        value = bytearray(redis.get(key))
        value[len(value) // 2] ^= 4
        redis.say("SET", key, bytes(value))
        now, total, _ = self.job("--redis", redis.url)
        self.assertEqual([a["output"] for a in now],
                         [a["output"] for a in was])
        self.assertEqual((total["calls"], total["items_cached"]), (1, 199))
        _, total, _ = self.job("--redis", redis.url)
        self.assertEqual(total["calls"], 0)

    def test_a_password_comes_from_the_environment(self):
        redis = Redis(self, "--requirepass", "sesame")
        secret = {"REDIS_PASSWORD": "sesame"}
        self.job("--redis", redis.url, env=secret)
        _, total, err = self.job("--redis", redis.url, env=secret)
        self.assertEqual(total["calls"], 0)
        self.assertNotIn("sesame", err)
        _, total, err = self.job("--redis", redis.url)
        self.assertEqual(total["items_cached"], 0)
        self.assertIn("redis", err)

    def test_a_node_of_a_cluster_is_told_of_once_and_left_alone(self):
        for error in (b"MOVED 3999 127.0.0.1:6381", b"ASK 3999 127.0.0.1:6381",
                      b"CLUSTERDOWN The cluster is down"):
            with self.subTest(error):
                node = Refusing(self, error)
                _, total, err = self.job("--redis", node.url)
                self.assertEqual((total["items_ok"], total["items_cached"]),
                                 (200, 0))
                self.assertEqual(err.count("Redis Cluster"), 1, err)
                self.assertLessEqual(node.commands, 200)
                os.unlink(self.path("refusing.sock"))

    def test_a_server_that_refuses_commands_is_told_of_once(self):
        node = Refusing(self, b"READONLY You can't write against a replica.")
        _, total, err = self.job("--redis", node.url)
        self.assertEqual(total["items_ok"], 200)
        self.assertEqual(err.count("refuses commands"), 1, err)

    def test_without_a_server_the_run_goes_on_and_says_so(self):
        _, total, err = self.job("--redis", "unix:///nonexistent/r.sock")
        self.assertEqual(total["items_ok"], 200)
        self.assertIn("the redis cache cannot be used", err)

    def test_a_url_that_is_none_is_refused(self):
        done = self.run_job("--redis", "http://localhost", status=2)
        self.assertIn("redis://", done.err)

    def interrupted(self, redis, event, count=2000):
        """A run during which something happens to the server: after the first
        answers, before the last item."""
        lines = items(count).encode().splitlines(keepends=True)
        run = self.start("run", *TRANSLATE, *QUICK, "--redis", redis.url,
                         "--redis-budget", "20ms", "--summary", "s.json",
                         stderr=None)
        run.stdin.write(b"".join(lines[:count // 2]))
        out = [run.stdout.readline() for _ in range(100)]
        event()
        run.stdin.write(b"".join(lines[count // 2:]))
        run.stdin.close()
        out += run.stdout.read().splitlines()
        self.assertEqual(run.wait(), 0)
        answers = json_lines(b"\n".join(out).decode().replace("\n\n", "\n"))
        self.assert_answered_in_order(answers, ids(count))
        self.assertEqual([a["output"] for a in answers],
                         self.right_answers(count))

    def test_a_server_killed_during_the_run_is_not_missed(self):
        redis = Redis(self)
        self.interrupted(redis, redis.kill)

    def test_a_server_that_hangs_during_the_run_is_not_waited_for(self):
        redis = Redis(self)
        self.interrupted(redis, redis.freeze)
        redis.thaw()

    def test_a_server_restarted_during_the_run_serves_again(self):
        redis = Redis(self)

        def restart():
            redis.kill()
            redis.start()

        self.interrupted(redis, restart)
