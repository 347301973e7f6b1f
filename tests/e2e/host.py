# SPDX-License-Identifier: MIT
"""host.py - a host of herald's for a test: configuration, state, runs.

    with Host(sandbox.ca_file) as host:
        host.webhook("web", sandbox.url("/mine"))
        result = host.send([event("1")])
        result.status, result.report["events"], result.lane("web")

Whatever herald prints is searched for every secret the host knows: a test
that makes one visible fails, whatever else it is about.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Union
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

TESTS = Path(__file__).resolve().parent.parent
SECONDS = 120                   # no run takes that long on any machine

sys.path.insert(0, str(TESTS / "sandbox"))

from running import Sandbox                             # noqa: E402,F401

HERALD_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<herald xmlns="urn:herald:config:1">
  <workspaces><workspace name="acme"/><workspace name="beta"/></workspaces>
  {parts}
</herald>
"""
NETWORK = ('<network><allow cidr="127.0.0.0/8"/><allow cidr="::1/128"/>'
           '<allow-http/></network>')
DESCRIPTOR = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="{name}" \
provider="{provider}" enabled="{enabled}">
{parts}
</integration>
"""
MAP = '<map><field name="id" source="id"/></map>'
MAIL = """\
<mail>
  <from name="Acme Games" address="play@acme.example"/>
  <to source="email"/>
  <subject>Well done, {{firstName}}</subject>
  <text>Hello {{firstName}} {{lastName}}</text>
</mail>"""


def program(name: str) -> str:
    """A path that make check gives; the test can't do without."""
    if name not in os.environ:
        sys.exit(f"{name} is not set: run this by way of make check")
    return os.environ[name]


def is_sanitized() -> bool:
    """Whether herald was built with ASan, which needs memory of its own."""
    with open(program("HERALD"), "rb") as file:
        return b"__asan_init" in file.read()


def is_required() -> bool:
    """Whether a test that lacks other people's programs must fail."""
    return os.environ.get("HERALD_INTEROP") == "required"


def needs(*providers: str) -> None:
    """Skip what needs a plugin of ours that was not built: whoever packages
    one plugin alone runs make check as well."""
    for name in providers:
        if ((TESTS.parent / "plugins" / name).exists() and not is_required()
                and not (Path(program("HERALD_PLUGINS"))
                         / f"{name}.so").exists()):
            raise unittest.SkipTest(f"plugin {name} was not built")


def event(number: Union[int, str], workspace: Optional[str] = "acme",
          **data: Any) -> Dict[str, Any]:
    """A CloudEvent; its data has the same id."""
    made = {"specversion": "1.0", "id": f"event-{number}",
            "source": "/games/quiz", "type": "game.played",
            "data": {"id": str(number), **data}}
    if workspace is not None:
        made["workspace"] = workspace
    return made


def lines(events: Iterable[Any]) -> bytes:
    """NDJSON; what is bytes already stands as it is."""
    made = [one if isinstance(one, bytes)
            else json.dumps(one, ensure_ascii=False).encode()
            for one in events]
    return b"".join(one + b"\n" for one in made)


def wait_until(condition: Any, what: str, seconds: float = 60) -> Any:
    """The first true value of condition ()."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(0.01)


class Result:
    """What a run of herald came to."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out = out.decode("utf-8", "surrogateescape")
        self.err = err.decode("utf-8", "surrogateescape")

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def report(self) -> Dict[str, Any]:
        return self.json

    def lane(self, name: str) -> Dict[str, Any]:
        """The report's part about an integration."""
        for lane in self.report["integrations"]:
            if lane["name"] == name:
                return lane
        raise AssertionError(f"the report has no {name}: {self}")

    def reasons(self, name: str) -> str:
        lane = self.lane(name)
        texts = [one["reason"] for one in lane.get("reasons", [])]
        return "\n".join(texts + [lane["stateReason"]])

    def __str__(self) -> str:
        return f"exit {self.status}\n{self.out}\n{self.err}"


class Host:
    """A directory with etc/herald.xml, etc/conf.d and state/."""

    def __init__(self, ca_file: str = "", network: str = NETWORK,
                 parts: str = "") -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="herald-e2e."))
        self.etc = self.directory / "etc"
        self.conf_d = self.etc / "conf.d"
        self.state = self.directory / "state"
        self.plugins = program("HERALD_PLUGINS")
        self.hidden: List[bytes] = []
        self.conf_d.mkdir(parents=True)
        self.state.mkdir(mode=0o700)
        tls = f"<tls ca-file={quoteattr(ca_file)}/>" if ca_file else ""
        self.herald_xml(network + tls + parts)

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: Any) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    # Writing the configuration.

    def write(self, name: str, text: Union[str, bytes],
              mode: int = 0o644) -> Path:
        """A file, by its path from the host's directory."""
        path = self.directory / name
        if isinstance(text, str):
            text = text.encode()
        path.write_bytes(text)
        path.chmod(mode)
        return path

    def herald_xml(self, parts: str) -> None:
        self.write("etc/herald.xml", HERALD_XML.format(parts=parts))

    def hide(self, secret: str, *others: str) -> str:
        """From now on herald must not print it, nor anything made of it."""
        for text in (secret, *others):
            raw = text.encode()
            self.hidden += [raw, base64.b64encode(raw),
                            base64.urlsafe_b64encode(raw),
                            quote(text, safe="").encode(), raw.hex().encode()]
        return secret

    def secret(self, name: str, value: str, mode: int = 0o600) -> str:
        """A file beside the descriptors; returns the setting's attributes."""
        self.write(f"etc/conf.d/{name}", self.hide(value) + "\n", mode)
        return f'from="file" path={quoteattr(name)}'

    def integration(self, name: str, provider: str,
                    settings: Mapping[str, Any], content: str,
                    extra: str = "", enabled: bool = True) -> Path:
        """A descriptor.  A setting's value is its text, a list of texts, or
        what secret () returned."""
        needs(provider)
        rows = []
        for key, values in settings.items():
            for value in values if isinstance(values, list) else [values]:
                value = str(value)
                rows.append(f"<setting name={quoteattr(key)} {value}/>"
                            if value.startswith("from=") else
                            f"<setting name={quoteattr(key)}>"
                            f"{escape(value)}</setting>")
        if "<workspaces" not in extra:
            extra = '<workspaces all="true"/>' + extra
        parts = [extra, "<settings>", *rows, "</settings>", content]
        return self.write(
            f"etc/conf.d/{name}.xml",
            DESCRIPTOR.format(name=name, provider=provider,
                              enabled=str(enabled).lower(),
                              parts="\n".join(parts)))

    def webhook(self, name: str, url: str, content: str = MAP,
                extra: str = "", delivery: str = "", enabled: bool = True,
                **settings: Any) -> Path:
        """A custom-api; api_key is the setting api-key."""
        extra += f"<delivery>{delivery}</delivery>" if delivery else ""
        given = {key.replace("_", "-"): value
                 for key, value in settings.items()}
        return self.integration(name, "custom-api",
                                {"endpoint": url, **given}, content, extra,
                                enabled)

    def mailer(self, name: str, port: int, content: str = MAIL,
               delivery: str = "", password: Optional[str] = "sandbox",
               login: str = "herald", enabled: bool = True, extra: str = "",
               **settings: Any) -> Path:
        """An smtp at localhost; no password: no login either."""
        extra += f"<delivery>{delivery}</delivery>" if delivery else ""
        given: Dict[str, Any] = {"host": "localhost", "port": port}
        if password is not None:
            given["login"] = login
            given["password"] = self.secret(f"{name}.password", password)
            self.hide(f"\0{login}\0{password}", f"{login}:{password}")
        given.update((key.replace("_", "-"), value)
                     for key, value in settings.items())
        return self.integration(name, "smtp", given, content, extra, enabled)

    # Running.

    def command(self, *arguments: Any, before: Iterable[str] = ()
                ) -> List[str]:
        return [program("HERALD"), "--config", str(self.etc), "--plugins",
                str(self.plugins), "--state", str(self.state), *before,
                *(str(one) for one in arguments)]

    def run(self, *arguments: Any, stdin: bytes = b"",
            env: Optional[Mapping[str, str]] = None,
            before: Iterable[str] = (), **options: Any) -> Result:
        """Run it to its end; options are those of subprocess.run ()."""
        done = subprocess.run(
            self.command(*arguments, before=before), input=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS,
            cwd=self.directory, env={**os.environ, **(env or {})}, **options)
        return self.checked(done.returncode, done.stdout, done.stderr)

    def send(self, events: Iterable[Any], *arguments: Any,
             **options: Any) -> Result:
        """herald send --json with these events on standard input."""
        return self.run("send", "--json", *arguments, stdin=lines(events),
                        **options)

    def start(self, *arguments: Any, **options: Any) -> "Running":
        return Running(self, self.command(*arguments), **options)

    def prove(self, name: str) -> None:
        """A mailer's test e-mail, or it would be skipped."""
        result = self.run("test", name, "--to", "tester@example.com")
        if result.status != 0:
            raise AssertionError(f"test {name}: {result}")

    def checked(self, status: int, out: bytes, err: bytes) -> Result:
        for secret in self.hidden:
            if secret in out or secret in err:
                raise AssertionError(
                    "a secret is in the output: "
                    + (out + err).decode("utf-8", "replace"))
        if b"Sanitizer" in err or b"runtime error:" in err:
            raise AssertionError(err.decode("utf-8", "replace"))
        if status < 0:
            raise AssertionError(f"herald ended by signal {-status}: "
                                 + err.decode("utf-8", "replace"))
        return Result(status, out, err)


class Running:
    """A herald that has not ended yet.  Its output goes to files, so that a
    test can wait for a line of it."""

    def __init__(self, host: Host, command: List[str], **options: Any
                 ) -> None:
        self._host = host
        self._out = open(host.directory / "out", "w+b")
        self._err = open(host.directory / "err", "w+b")
        self.process = subprocess.Popen(
            command, stdin=options.pop("stdin", subprocess.PIPE),
            stdout=self._out, stderr=self._err, cwd=host.directory, **options)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self._out.close()
        self._err.close()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def wait_for(self, text: str) -> None:
        """Until it has said that on standard error."""
        path = self._host.directory / "err"
        wait_until(lambda: text.encode() in path.read_bytes()
                   or self.process.poll() is not None, f'"{text}"')
        if text.encode() not in path.read_bytes():
            raise AssertionError(f"it ended without saying \"{text}\"")

    def end(self) -> Result:
        """Wait for the end; standard input is closed."""
        if self.process.stdin:
            self.process.stdin.close()
        status = self.process.wait(SECONDS)
        directory = self._host.directory
        return self._host.checked(status, (directory / "out").read_bytes(),
                                  (directory / "err").read_bytes())


def read_lines(path: Path) -> List[Dict[str, Any]]:
    """The objects of an NDJSON file; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in
            path.read_text(encoding="utf-8").splitlines()]


class Case(unittest.TestCase):
    """A test with a host of its own: self.host."""

    def setUp(self) -> None:
        self.host = self.enter(self.make_host())

    def make_host(self) -> Host:
        return Host()

    def enter(self, manager: Any) -> Any:
        """As `with`, until the test is over."""
        made = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return made


def module_sandbox(*arguments: str) -> Sandbox:
    """For setUpModule (): a sandbox that ends with the module's tests."""
    directory = tempfile.TemporaryDirectory(prefix="herald-sandbox.")
    unittest.addModuleCleanup(directory.cleanup)
    sandbox = Sandbox(Path(directory.name), arguments).__enter__()
    unittest.addModuleCleanup(sandbox.stop)
    return sandbox
