# SPDX-License-Identifier: MIT
"""receivers.py - what the benchmarks deliver to: nginx, smtp-sink and
batch-sink.

Each is a process of our own on a loopback port of its own, configured into
the run directory and stopped at the end.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import List, Optional, Tuple

NGINX = """\
{load}
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 8192;
error_log {run}/nginx-error.log crit;
pid {run}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {run}/nginx-body;
  proxy_temp_path {run}/nginx-proxy;
  fastcgi_temp_path {run}/nginx-fastcgi;
  uwsgi_temp_path {run}/nginx-uwsgi;
  scgi_temp_path {run}/nginx-scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 64m;
  tcp_nodelay on;
  ssl_certificate {certificates}/server.pem;
  ssl_certificate_key {certificates}/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  server {{
    listen 127.0.0.1:{plain} backlog=4096;
    listen 127.0.0.1:{tls} ssl backlog=4096;
    default_type application/json;
    location / {{ return 200 '{{"ok": true}}'; }}
    {status}
    {slow}
  }}
}}
"""
SLOW = """location /slow {
      echo_read_request_body;
      echo_sleep 0.05;
      echo '{"ok": true}';
    }"""
STATUS = "location = /status { stub_status; }"
LATENCY_SECONDS = 0.05
MODULE = "ngx_http_echo_module.so"
MODULE_DIRECTORIES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules",
                      "/usr/share/nginx/modules")
TOOL_DIRECTORIES = "/usr/sbin:/usr/local/sbin:/sbin:/usr/libexec/postfix"


class Missing(Exception):
    """A tool that this benchmark needs is not installed."""


def find_tool(name: str, package: str) -> str:
    path = os.environ.get("PATH", "") + ":" + TOOL_DIRECTORIES
    found = shutil.which(name, path=path)
    if not found:
        raise Missing(f"{name} is not installed (package {package})")
    return found


def free_ports(count: int) -> List[int]:
    """Ports that nobody uses at this moment."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


class Receiver:
    """A server process; use it with `with`."""

    def __init__(self, core: Optional[int]) -> None:
        self._core = core
        self._process: Optional[subprocess.Popen] = None

    def start(self, command: List[str], port: int) -> None:
        """Start it, pinned to its core, and wait until it listens."""
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        deadline = time.monotonic() + 10
        while not listens(port):
            if self._process.poll() is not None \
                    or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Nginx(Receiver):
    """Answers at once at /, after 50 ms at /slow (has_slow)."""

    def __init__(self, run_dir: Path, certificates: Path,
                 core: Optional[int]) -> None:
        super().__init__(core)
        program = find_tool("nginx", "nginx-light")
        module = find_module()
        self.has_slow = module is not None
        self._counts = "http_stub_status_module" in subprocess.run(
            [program, "-V"], capture_output=True, text=True).stderr
        self.plain_port, self.tls_port = free_ports(2)
        path = run_dir / "nginx.conf"
        path.write_text(NGINX.format(
            run=run_dir, certificates=certificates, plain=self.plain_port,
            tls=self.tls_port, slow=SLOW if module else "",
            status=STATUS if self._counts else "",
            load=f"load_module {module};" if module else ""))
        self.start([program, "-p", str(run_dir), "-c", str(path),
                    "-e", str(run_dir / "nginx-error.log")], self.plain_port)

    def requests(self) -> Optional[int]:
        """How many requests have come; None if this nginx can't tell."""
        if not self._counts:
            return None
        url = self.url("/status", False)
        with urllib.request.urlopen(url, timeout=10) as reply:
            return int(reply.read().split()[9])

    def url(self, path: str, is_tls: bool) -> str:
        # An address: looking up localhost would be measured as well.
        scheme, port = ("https", self.tls_port) if is_tls \
            else ("http", self.plain_port)
        return f"{scheme}://127.0.0.1:{port}{path}"


def find_module() -> Optional[str]:
    for directory in MODULE_DIRECTORIES:
        if os.path.exists(f"{directory}/{MODULE}"):
            return f"{directory}/{MODULE}"
    return None


class SmtpSink(Receiver):
    """Postfix's receiver of mail that keeps nothing."""

    def __init__(self, core: Optional[int]) -> None:
        super().__init__(core)
        program = find_tool("smtp-sink", "postfix")
        self.port = free_ports(1)[0]
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.start([program, *user, f"127.0.0.1:{self.port}", "1024"],
                   self.port)


class BatchSink(Receiver):
    """batch-sink.c: answers batches as HubSpot and SendGrid do."""

    def __init__(self, bench_bin: Path, core: Optional[int]) -> None:
        super().__init__(core)
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        self.start([str(bench_bin / "batch-sink"), str(self._port)],
                   self._port)

    def counts(self) -> Tuple[int, int]:
        """How many requests and how many records have come."""
        with urllib.request.urlopen(self.url + "/counts", timeout=10) as reply:
            requests, records = reply.read().split()
        return int(requests), int(records)
