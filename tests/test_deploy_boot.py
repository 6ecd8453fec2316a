# SPDX-License-Identifier: Apache-2.0
"""The commands of doc/deploy.md as they stand there, in a Debian that has booted and has none of our
packages yet."""
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import certificates
import daemon
import deployment
import machine
import packages

WORK = "packages"  # where the commands are run: the packages lie there
# What a Debian that was installed has, and the smallest one has not.
BESIDE = ("curl", "openssl")


class Deployed(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        certificates.need_openssl()
        machine.make_base()
        files = sorted(packages.packages().values())
        folder = cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="deployed-", dir=packages.FOLDER))
        cls.machine = machine.Machine(folder, files)
        root = cls.machine.root
        machine.install_needs(root, files)
        packages.run("chroot", root, "apt-get", "-qq", "-o", "APT::Sandbox::User=root", "install", "-y",
                     "--no-install-recommends", *BESIDE,
                     env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        made = pathlib.Path(cls.enterClassContext(daemon.temporary_folder()))
        authority = certificates.Authority(made)
        certificate, key = authority.issue("server", alternative=f"DNS:{deployment.HOST}")
        for path, name in ((authority.path, "ca.pem"), (certificate, "fullchain.pem"),
                           (key, "privkey.pem")):
            shutil.copy(path, root / WORK / name)
        with open(root / "etc/hosts", "a", encoding="utf-8") as hosts:
            hosts.write(f"127.0.0.1 localhost {deployment.HOST}\n")
        commands = deployment.script([
            ("check /srv/N-MNIST", "check --help"),
            ("--from /srv/N-MNIST", "--from synthetic --count 40,10"),
            ("apt install", "apt install -y -q --no-install-recommends")])
        (root / WORK / "script").write_text(f"set -eu\ncd /{WORK}\n{commands}", encoding="utf-8")
        cls.enterClassContext(cls.machine)
        cls.said = cls.machine.run("sh", f"/{WORK}/script")
        packages.note("the commands are run")

    def test_all_of_them_succeed_and_do_what_the_document_says(self):
        self.assertEqual(self.said.count("4 splits, served by twonmnistd "), 3, self.said)
        self.assertIn("the settings are right", self.said)
        self.assertIn("twonmnist_build_info", self.said)
        self.assertRegex(self.said, r"Active: active \(running\)")
        lines = [each.line for each in deployment.blocks()
                 if each.language == "sh" and not each.needs]
        self.assertEqual(re.findall(r"(?m)^## (\d+)$", self.said), [str(line) for line in lines])

    def test_who_shows_no_token_or_speaks_no_tls_is_not_served(self):
        for words, expected in (
                (("--ca-file", f"/{WORK}/ca.pem", "--server", f"https://{deployment.HOST}:8642"), "401"),
                (("--server", "http://127.0.0.1:8642"), "speaks TLS")):
            said = self.machine.ask("twonmnist", "info", *words)
            self.assertRegex(said, f"(?s)ended with.*{expected}")

    def test_all_sockets_and_the_daemon_live(self):
        for unit in "twonmnistd.socket", "twonmnistd-admin.socket", "twonmnistd.service":
            self.assertEqual(self.machine.show(unit, "ActiveState")["ActiveState"], "active", unit)
        for unit in "twonmnistd.socket", "twonmnistd-admin.socket":
            self.assertEqual(self.machine.run("systemctl", "is-enabled", unit), "enabled")
        self.assertEqual(self.machine.run("systemd-analyze", "verify", "--man=no",
                                          "twonmnistd-admin.socket", "twonmnistd.service",
                                          "twonmnistd.socket"), "")
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend"), "")

    def test_the_journal_says_who_asked_and_never_the_token(self):
        journal = self.machine.run("journalctl", "--no-pager", "--output=cat", "-u",
                                   "twonmnistd.service")
        self.assertIn("alice", journal)
        token = (self.machine.root / WORK / "alice.token").read_text(encoding="ascii").strip()
        self.assertNotIn(token, journal + self.said)
        self.assertIn("reloaded", journal)

    def test_the_examples_of_the_manual_for_units_are_taken(self):
        page = (deployment.ROOT / "doc/twonmnistd.service.8").read_text(encoding="utf-8")
        section = page.partition("\n.Sh EXAMPLES\n")[2]
        examples = re.findall(r"\.Bd -literal -offset indent\n(.*?)\.Ed", section, re.DOTALL)
        self.assertEqual(len(examples), 4)
        places = ("twonmnistd.socket.d/example.conf", "twonmnistd-example.socket",
                  "twonmnistd.service.d/example.conf", "twonmnistd.service.d/place.conf")
        for place, text in zip(places, examples):
            path = self.machine.root / "etc/systemd/system" / place
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.addCleanup(path.unlink)
        self.machine.run("systemctl", "daemon-reload")
        self.addCleanup(self.machine.run, "systemctl", "daemon-reload")
        self.assertEqual(self.machine.run("systemd-analyze", "verify", "--man=no",
                                          "twonmnistd-example.socket", "twonmnistd.service",
                                          "twonmnistd.socket"), "")
        shown = self.machine.show("twonmnistd.service", "LogsDirectory", "RequiresMountsFor")
        self.assertEqual(shown["LogsDirectory"], "twonmnist")
        self.assertIn("/srv/twonmnist", shown["RequiresMountsFor"])

    def test_an_access_log_in_a_file_is_what_the_drop_in_allows(self):
        """The manual's pages say so."""
        root = self.machine.root
        config, place = root / "etc/twonmnist/twonmnistd.conf", \
            root / "etc/systemd/system/twonmnistd.service.d/log.conf"
        before = config.read_text(encoding="utf-8")
        place.parent.mkdir(exist_ok=True)
        place.write_text("[Service]\nLogsDirectory=twonmnist\n", encoding="utf-8")
        try:
            config.write_text(before + "access_log = /var/log/twonmnist/access.log\n", encoding="utf-8")
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "restart", "twonmnistd.service")
            self.machine.run("twonmnist", "info", "--server", f"https://{deployment.HOST}:8642",
                             "--ca-file", f"/{WORK}/ca.pem", "--token-file", f"/{WORK}/alice.token")
            log = root / "var/log/twonmnist/access.log"
            daemon.wait_until(lambda: log.exists() and "alice" in log.read_text(encoding="utf-8"))
        finally:
            config.write_text(before, encoding="utf-8")
            place.unlink()
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "restart", "twonmnistd.service")


if __name__ == "__main__":
    unittest.main()
