#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python binding against a daemon that asks who it is: TLS, tokens, client certificates."""
import errno
import hashlib
import pickle
import signal
import unittest

import certificates
import daemon
import twonmnist

TOKEN = "a-training-knows-this-token"


def setUpModule():
    global folder, data, authority
    certificates.need_openssl()
    folder = unittest.enterModuleContext(daemon.temporary_folder())
    data = daemon.generate(f"{folder}/data", "--count", "400,30", source="synthetic")
    authority = certificates.Authority(folder)
    authority.issue("server")
    authority.issue("client", purpose="clientAuth")


def let_in(token):
    with open(f"{folder}/tokens", "w", encoding="ascii") as lines:
        lines.write(f"training {hashlib.sha256(token.encode()).hexdigest()}\n")


class Access(unittest.TestCase):
    def setUp(self):
        let_in(TOKEN)
        self.server = self.enterContext(daemon.Daemon(
            data, "--tls-certificate", f"{folder}/server.pem", "--tls-key", f"{folder}/server.key",
            "--tls-client-ca", authority.path, "--token-file", f"{folder}/tokens"))
        self.url = self.server.url.replace("http:", "https:")
        self.options = {"ca_file": str(authority.path), "token": TOKEN,
                        "certificate_file": f"{folder}/client.pem",
                        "key_file": f"{folder}/client.key"}

    def refused(self, words, **options):
        with self.assertRaises(PermissionError) as raised:
            twonmnist.Split(self.url, "train", **{**self.options, **options})
        self.assertEqual(raised.exception.errno, errno.EACCES)
        self.assertIn(words, str(raised.exception))
        self.assertIn(self.url, str(raised.exception))
        self.assertNotIn(TOKEN, str(raised.exception))

    def test_keywords_are_the_librarys_options(self):
        split = twonmnist.Split(self.url, "train", **self.options)
        self.assertGreater(len(split[0][0]), 0)
        self.assertGreater(len(pickle.loads(pickle.dumps(split))[1][0]), 0)
        self.assertNotIn(TOKEN, repr(split))
        self.refused("HTTP status 401", token=None)
        self.refused("HTTP status 401", token=TOKEN + "x")
        self.refused("certificate", ca_file=None)
        self.refused("wants another certificate", certificate_file=None, key_file=None)

    def test_a_token_that_is_taken_back_ends_a_stream(self):
        split = twonmnist.Split(self.url, "train", **self.options)
        batches = iter(twonmnist.loader(split, 4, form="packed", tensors=False))
        next(batches)
        let_in("another-knows-this-token")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for("tokens in")
        with self.assertRaises(PermissionError) as raised:
            for _ in batches:
                pass
        self.assertIn(f"{self.url}: HTTP status 401", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
