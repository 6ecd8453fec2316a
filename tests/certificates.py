# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl when they are wanted."""
import pathlib
import shutil
import ssl
import subprocess
import unittest


def need_openssl():
    """Skip, saying so, where there is no openssl to make certificates with."""
    if shutil.which("openssl") is None:
        raise unittest.SkipTest("there is no openssl to make certificates with")


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """`issue("server")` makes server.pem and server.key in the folder, which ca.pem vouches for."""

    def __init__(self, folder, name="ca"):
        self.folder, self.path = pathlib.Path(folder), pathlib.Path(folder) / f"{name}.pem"
        self._key = self.folder / f"{name}.key"
        _openssl("req", "-x509", *self._new_key(self._key), "-out", self.path, "-days", 2, "-subj",
                 f"/CN=authority {name}", "-addext", "basicConstraints=critical,CA:TRUE")

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                path]

    def issue(self, name, alternative="IP:127.0.0.1", purpose="serverAuth", days=2):
        """Days of -1: it has expired yesterday."""
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        request, words = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        _openssl("req", *self._new_key(key), "-out", request, "-subj", f"/CN={name}")
        words.write_text(f"subjectAltName={alternative}\nextendedKeyUsage={purpose}\n",
                         encoding="ascii")
        _openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self._key, "-days",
                 days, "-extfile", words, "-out", certificate)
        return certificate, key

    def context(self, client=None):
        """Of a client that trusts this authority alone, and may have a certificate."""
        context = ssl.create_default_context(cafile=self.path)
        if client:
            context.load_cert_chain(*client)
        return context
