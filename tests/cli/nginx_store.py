"""nginx as a place where answers and artefacts are shared, by DAV, and as a cache
before it."""

import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

from support import Case

CONFIG = """
daemon off;
master_process off;
pid nginx.pid;
events { }
http {
    access_log access.log;
    client_body_temp_path tmp;
    proxy_temp_path tmp2;
    fastcgi_temp_path tmp3;
    uwsgi_temp_path tmp4;
    scgi_temp_path tmp5;
    proxy_cache_path edge keys_zone=edge:1m;
    server {
        listen %(address)s:8081;
        root data;
        client_max_body_size %(most)s;
        location / {
            %(dav)s
            add_header Cache-Control "%(life)s";
        }
    }
    server {
        listen %(address)s:8080;
        access_log edge.log;
        location / {
            proxy_pass http://%(address)s:8081;
            proxy_cache edge;
            proxy_cache_valid 200 1m;
            add_header X-Cache $upstream_cache_status always;
        }
    }
}
"""
DAV = "dav_methods PUT DELETE; create_full_put_path on;"
FRESH = "max-age=600"


def own_address():
    """An address of the loopback network that no other test has."""
    pid = os.getpid()
    return f"127.{100 + pid // 65536 % 100}.{pid // 256 % 256}.{pid % 256}"


class NginxCase(Case):
    """Cases with such a server: at `origin`, and behind a cache at `edge`."""

    def serve(self, life=FRESH, dav=DAV, most="8m"):
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if not nginx:
            raise unittest.SkipTest("no nginx is installed")
        address = own_address()
        os.mkdir(self.path("data"))
        self.write("nginx.conf", CONFIG % {
            "address": address, "dav": dav, "life": life, "most": most})
        self.nginx = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", nginx, "-p", self.dir, "-c",
             "nginx.conf", "-e", "error.log"], stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        self.origin = f"http://{address}:8081/answers"
        self.edge = f"http://{address}:8080/answers"
        self.wait_until(self.answers, self.nginx)

    def answers(self):
        try:
            urllib.request.urlopen(self.origin, timeout=10)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self):
        if self.nginx.poll() is None:
            self.nginx.kill()
        self.nginx.wait()

    def let_the_log_be_written(self):
        """A line follows its answer: when that of a later request is there,
        those of all before it are."""
        self.marks = getattr(self, "marks", 0) + 1
        mark = f"/mark-{self.marks}-"
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(
                self.origin.replace("/answers", mark), timeout=10)
        self.wait_until(lambda: mark in self.read("access.log"))

    def requests(self, method):
        """Status of each request to the place where the answers are."""
        self.let_the_log_be_written()
        return [line.split('" ')[1].split()[0]
                for line in self.read("access.log").splitlines()
                if f'"{method} /answers/' in line]
