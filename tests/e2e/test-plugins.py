#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins that can't be used: why, in one sentence, and nothing else stops.
"""

import os
import shutil
import stat
import unittest
from pathlib import Path

from host import MAP, Case, event, needs
from receiver import Receiver

MODULES = Path(os.environ.get("TEST_MODULES", "none"))


class Plugins(Case):
    """A directory of plugins with custom-api and one that is bad."""

    def setUp(self):
        needs("custom-api")
        super().setUp()
        good = Path(self.host.plugins) / "custom-api.so"
        self.plugins = self.host.directory / "plugins"
        self.plugins.mkdir()
        self.copy(good, "custom-api")
        self.host.plugins = str(self.plugins)
        self.receiver = self.enter(Receiver())
        self.host.webhook("good", self.receiver.url)

    def copy(self, source, name):
        target = self.plugins / f"{name}.so"
        shutil.copyfile(source, target)
        target.chmod(0o755)
        return target

    def module(self, name):
        if not (MODULES / f"{name}.so").exists():
            self.skipTest(f"the test module {name} is not built")
        return self.copy(MODULES / f"{name}.so", name)

    def refused(self, name, *texts):
        path = self.host.integration("x", name, {}, MAP)
        for command, status in ((["check"], 1), (["providers"], 1),
                                (["describe", name], 3),
                                (["list"], 0)):
            result = self.host.run(*command)
            self.assertEqual(result.status, status, (command, str(result)))
            if command == ["check"]:
                self.assertIn(f"{path}:2: ", result.err)
            for text in texts if command != ["list"] else ["broken"]:
                self.assertIn(text, result.out + result.err)
        result = self.host.send([event(1)])
        self.assertEqual(result.lane("good")["delivered"], 1, result)
        self.assertEqual(result.lane("x")["state"], "skipped")

    def test_not_a_shared_object(self):
        path = self.plugins / "bad.so"
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        self.refused("bad", str(path), "it can't be loaded: ")

    def test_an_empty_file(self):
        (self.plugins / "bad.so").touch(0o755)
        self.refused("bad", "can't be loaded")

    def test_no_plugin(self):
        self.module("no-abi")
        self.refused("no-abi", "it is no herald plugin")

    def test_another_abi(self):
        self.module("other-major")
        self.refused("other-major", "it was built for plugin ABI")

    def test_a_newer_abi(self):
        self.module("newer-minor")
        self.refused("newer-minor", "install a newer herald")

    def test_a_function_that_nothing_has(self):
        self.module("missing-function")
        self.refused("missing-function", "it can't be loaded: ", "undefined")

    def test_a_library_that_is_not_there(self):
        # The name of a library it needs, changed in place.
        path = self.copy(self.plugins / "custom-api.so", "lacking")
        data = path.read_bytes()
        names = [name for name in (b"libc.so.6\0", b"libm.so.6\0",
                                   b"libasan.so") if name in data]
        if not names:
            self.skipTest("the plugin needs no library known here")
        path.write_bytes(data.replace(names[0],
                                      b"libq" + names[0][4:]))
        self.refused("lacking", "can't be loaded: libq", "cannot open")

    def test_another_name_than_its_file(self):
        self.copy(self.plugins / "custom-api.so", "telegraph")
        self.refused("telegraph", "custom-api")

    def test_others_may_write_to_it(self):
        path = self.copy(self.plugins / "custom-api.so", "telegraph")
        path.chmod(path.stat().st_mode | stat.S_IWOTH)
        self.refused("telegraph", "others may write to it; run: chmod o-w")

    def test_others_may_write_to_the_directory(self):
        self.plugins.chmod(0o777)
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertIn("its directory is not safe", result.err)

    def test_an_older_plugin_works(self):
        self.module("older")
        self.assertEqual(self.host.run("describe", "older").status, 0)
        self.assertIn("older", self.host.run("providers").out)

    def test_no_directory_of_plugins(self):
        self.host.plugins = str(self.host.directory / "none")
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertIn('there is no provider "custom-api"', result.err)
        result = self.host.run("providers")
        self.assertEqual(result.status, 0, result)
        self.assertIn("there is no plugin in", result.err)


if __name__ == "__main__":
    unittest.main()
