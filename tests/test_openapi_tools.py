# SPDX-License-Identifier: Apache-2.0
"""/openapi.json in tools of others: a validator, and a client that is made of it and fetches a batch.
They come from npm into the build folder; where that is not to be had this is skipped."""
import json
import subprocess
import unittest

import daemon
import node_tools

STRICT = ("--strict", "--target", "es2022", "--module", "nodenext")


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tools = node_tools.install("openapi")
        folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(folder, "--count", "60,10", "--seed", "9", source="synthetic")
        cls.server = cls.enterClassContext(daemon.Daemon(folder))
        (cls.tools / "openapi.json").write_bytes(cls.server.get("/openapi.json").body)

    def run_tool(self, name, *words):
        done = subprocess.run([self.tools / "node_modules/.bin" / name, *words], cwd=self.tools,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_validator_finds_nothing_wrong(self):
        found = json.loads(self.run_tool("validate-api", "openapi.json"))
        self.assertEqual(found, {"valid": True})

    def test_a_client_that_is_made_of_it_fetches_a_batch(self):
        self.run_tool("openapi-typescript", "openapi.json", "-o", "api.d.ts")
        self.run_tool("tsc", *STRICT, "use.ts")
        done = subprocess.run(["node", "use.js", self.server.url], cwd=self.tools,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        pairs = self.server.get("/v1/splits/train/samples?kind=pair").json()["total"]
        batch = self.server.get("/v1/splits/train/epochs/1/0/batches/0.safetensors"
                                "?size=4&as=sparse&any=3,8")
        self.assertEqual(got["rows"], pairs)
        self.assertEqual(got["bytes"], len(batch.body))
        self.assertTrue(got["url"].startswith(self.server.url))
        self.assertEqual(got["code"], "no-such-split")


if __name__ == "__main__":
    unittest.main()
