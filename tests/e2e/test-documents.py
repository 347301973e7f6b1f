# SPDX-License-Identifier: MIT
"""test-documents.py - what the documents claim is so.

The README's integration is set up as written, its plugin compiled, the
samples of conf.d checked, the manuals' tables held against herald.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Dict, List

from host import needs

TOP = Path(os.environ.get("top_srcdir", Path(__file__).resolve().parents[2]))
HERALD = os.environ["HERALD"]
PLUGINS = os.environ["HERALD_PLUGINS"]


def run(*arguments: str, config: str = "/nonexistent", status: int = 0,
        text: str = "") -> str:
    """What herald prints on both channels; it must exit with status."""
    done = subprocess.run(
        [HERALD, "--config", config, "--plugins", PLUGINS,
         "--state", config + "/state", *arguments],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, timeout=60)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: exit {done.returncode}, not "
                             f"{status}:\n{done.stdout}")
    return done.stdout


def blocks(path: Path, language: str) -> List[str]:
    """The fenced blocks of a Markdown file."""
    found = re.findall(r"^( *)```" + language + r"\n(.*?)^ *```$",
                       path.read_text(), re.S | re.M)
    return [re.sub("(?m)^" + indent, "", body) for indent, body in found]


def plain(path: Path) -> str:
    """A manual page's source without its markup, good enough to search."""
    return re.sub(r"(?m)^\.(\w\w) ?", "", path.read_text())


class Readme(unittest.TestCase):
    readme = TOP / "README.md"

    def setUp(self) -> None:
        needs("custom-api")
        self.root = Path(tempfile.mkdtemp())
        os.chmod(self.root, 0o700)
        self.addCleanup(shutil.rmtree, self.root)

    def test_integration(self) -> None:
        herald_xml, descriptor, _ = blocks(self.readme, "xml")
        shell = blocks(self.readme, "sh")
        conf = self.root / "conf.d"
        conf.mkdir()
        for path, body in ((self.root / "herald.xml", herald_xml),
                           (conf / "crm.xml", descriptor)):
            path.write_text(body)
            os.chmod(path, 0o644)
        subprocess.run(["sh", "-c", shell[0].replace("/etc/herald",
                                                     str(self.root))],
                       check=True)
        self.assertEqual((conf / "crm.token").stat().st_mode & 0o777, 0o600)
        self.assertIn("1 integration in order, 0 broken, 0 errors, "
                      "0 warnings", run("check", config=str(self.root)))
        event = re.search(r"<<'END'\n(.*?)END\n", shell[2], re.S).group(1)
        text = run("explain", "-", config=str(self.root), text=event)
        self.assertIn("crm: yes", text)
        self.assertIn('"full_name":"Ada Lovelace"', text)
        self.assertIn("POST https://api.example.com/players", text)
        self.assertNotIn("the token", text)

    def test_service(self) -> None:
        """The tokens and herald.xml of the service are in order."""
        (self.root / "conf.d").mkdir()
        (self.root / "herald.xml").write_text(
            blocks(self.readme, "xml")[2])
        for path in (self.root / "herald.xml", self.root / "conf.d"):
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
        config = str(self.root)
        with self.assertRaises(AssertionError):
            run("check", config=config)                 # no tokens yet
        tokens, _ = (one for one in blocks(self.readme, "sh")
                     if "token" in one and "crm" not in one)
        subprocess.run(["sh", "-c", tokens.replace("/etc/herald", config)],
                       check=True)
        self.assertIn("0 errors, 0 warnings", run("check", config=config))

    def test_add(self) -> None:
        (self.root / "conf.d").mkdir()
        (self.root / "herald.xml").write_text(
            blocks(self.readme, "xml")[0])
        for path in (self.root / "herald.xml", self.root / "conf.d"):
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
        run("add", "custom-api", "crm", "endpoint=https://api.example.com",
            "auth=bearer", "api-key=file:crm.token", config=str(self.root))
        self.assertIn("crm", run("list", config=str(self.root)))

    def test_plugin(self) -> None:
        body, = blocks(self.readme, "c")
        self.assertLessEqual(len(body.strip().splitlines()), 30)
        (self.root / "tiny.c").write_text(body)
        compiler = os.environ.get("CC", "cc").split()[0]
        if shutil.which(compiler) is None:
            self.skipTest(f"{compiler} is missing")
        subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Wextra",
                        "-Werror", f"-I{TOP}/sdk", "-o",
                        str(self.root / "tiny.so"),
                        str(self.root / "tiny.c")], check=True)
        os.chmod(self.root / "tiny.so", 0o755)
        done = subprocess.run(
            [HERALD, "--plugins", str(self.root), "describe", "tiny"],
            stdout=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertIn("API Endpoint", done.stdout)

    def test_paths(self) -> None:
        """Every path of the tree that the README names is there."""
        text = self.readme.read_text()
        for name in re.findall(r"`((?:core|sdk|plugins|conf\.d|tests)"
                               r"/[\w./-]*)`", text):
            if "NAME" not in name and name != "conf.d/crm.xml":
                self.assertTrue((TOP / name).exists(), name)


class Samples(unittest.TestCase):
    def test_conf_d(self) -> None:
        """Each sample is in order once its secrets are there, and off."""
        root = Path(tempfile.mkdtemp())
        os.chmod(root, 0o700)
        self.addCleanup(shutil.rmtree, root)
        (root / "conf.d").mkdir()
        shutil.copyfile(TOP / "conf.d/herald.xml.sample",
                        root / "herald.xml")
        os.chmod(root / "herald.xml", 0o644)
        names = []
        for sample in sorted((TOP / "conf.d").glob("*.xml")):
            if not (Path(PLUGINS) / (sample.stem + ".so")).exists():
                continue
            names.append(sample.stem)
            target = root / "conf.d" / sample.name
            shutil.copyfile(sample, target)
            os.chmod(target, 0o644)
            for path in re.findall(r'from="file"\s+path="([^"]+)"',
                                   sample.read_text()):
                secret = root / "conf.d" / path
                secret.write_text("user:secret\n")
                os.chmod(secret, 0o600)
        self.assertTrue(names)
        self.assertIn(f"{len(names)} integration", run("check",
                                                       config=str(root)))
        for row in json.loads(run("list", "--json", config=str(root))):
            self.assertFalse(row["enabled"], row["name"])


class Manuals(unittest.TestCase):
    def test_commands(self) -> None:
        """herald(1) knows every command and option that --help knows."""
        manual = plain(TOP / "core/man/herald.1")
        help_text = run("--help")
        commands = re.findall(r"(?m)^  ([a-z]+)  +\w", help_text)
        self.assertIn("send", commands)
        for command in commands:
            self.assertIn(f"Cm {command}", manual)
            for option in re.findall(r"--([a-z-]+)",
                                     run(command, "--help")):
                if option != "help":
                    self.assertRegex(manual, rf"(-|Fl -){option}\b",
                                     f"{command} --{option}")

    def test_settings(self) -> None:
        """Each provider's manual has every setting with its label."""
        for provider in json.loads(run("providers", "--json")):
            name = provider["name"]
            manual = plain(TOP / f"plugins/{name}/herald-{name}.7")
            told: Dict[str, object] = json.loads(run("describe", "--json",
                                                     name))
            for field in told["settings"]:
                self.assertIn(field["name"], manual)
                self.assertIn(field["label"], manual, field["name"])
                for choice in field.get("choices", []):
                    self.assertIn(choice["value"], manual, field["name"])

    def test_lint(self) -> None:
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is missing")
        pages = [str(page) for pattern in ("core/man/*.[1-8]",
                                           "sdk/man/*.[1-8]",
                                           "plugins/*/*.7")
                 for page in TOP.glob(pattern)]
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                               *pages], stdout=subprocess.PIPE,
                              universal_newlines=True)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    if not os.path.exists(HERALD):
        sys.exit(f"{HERALD} is missing")
    unittest.main()
