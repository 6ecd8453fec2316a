# SPDX-License-Identifier: Apache-2.0
"""doc/deploy.md: its commands, with a folder in place of the system's; its pieces of configuration, by
the programs that they are for. (test_deploy_boot.py does the same in a system that is booted.)"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

import certificates
import daemon
import deployment
import documents
import programs
import prometheus

# Stands for the programs that change the system. What is not among these words is an error.
MANAGER = r"""
serve() {
    stop
    twonmnistd --config "$ROOT/etc/twonmnist/twonmnistd.conf" --data "$ROOT/var/lib/twonmnist" \
        --listen "127.0.0.1:$PORT" --access-log stderr $admin 2>>"$ROOT/log" &
    served=$!
    until (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do
        kill -0 "$served" || { cat "$ROOT/log"; exit 1; }
        sleep 0.05
    done
}
stop() {
    [ -z "$served" ] || { kill "$served" && wait "$served"; }
    served=
}
systemctl() {
    case "$*" in
    daemon-reload) ;;
    "enable --now twonmnistd-admin.socket") admin="--admin-listen 127.0.0.1:$ADMIN_PORT"; serve ;;
    "enable --now twonmnistd.socket" | "restart twonmnistd."*) serve ;;
    "stop twonmnistd.service") stop ;;
    "reload twonmnistd.service")
        twonmnistd --config "$ROOT/etc/twonmnist/twonmnistd.conf" --check-config && kill -HUP "$served" ;;
    "status --no-pager twonmnistd."*) kill -0 "$served" ;;
    *) echo "what is systemctl $*?" >&2; return 1 ;;
    esac
}
apt() {
    [ "$1" = install ] || return 1
    for file in "${@:2}"; do
        case $file in
        ./*_\*.deb) grep -qx "Package: $(basename "${file%_\*.deb}")" "$SOURCE/debian/control" ;;
        --reinstall) ;;
        *) return 1 ;;
        esac
    done
}
journalctl() { cat "$ROOT/log"; }
set -euo pipefail
served='' admin=''
trap stop EXIT
"""


def free_ports(n):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


class Document(unittest.TestCase):
    def test_each_piece_is_in_a_language_that_is_tested(self):
        for block in deployment.blocks():
            with self.subTest(line=block.line):
                self.assertIn(block.language, deployment.LANGUAGES)
                self.assertIn(block.needs, deployment.NEEDS)
        self.assertEqual(documents.n_fences(deployment.PATH), 2 * len(deployment.blocks()))

    def test_files_that_it_names_are_there(self):
        text = deployment.PATH.read_text(encoding="utf-8")
        for name in re.findall(r"\]\((\S+?)\)|`(tests/\S+?)`", text):
            place = deployment.ROOT / "doc" / name[0] if name[0] else deployment.ROOT / name[1]
            self.assertTrue(place.exists(), name)
        for name in "prometheus-alerts.yml", "grafana-dashboard.json":
            self.assertIn(name, text)
            self.assertTrue((deployment.ROOT / "etc" / name).exists())
        examples = (deployment.ROOT / "debian/twonmnist-doc.examples").read_text(encoding="utf-8")
        self.assertIn("etc/prometheus-alerts.yml\n", examples)

    def test_who_runs_a_server_is_led_to_it(self):
        for name in "README.md", "doc/security.md":
            self.assertIn("deploy.md", (deployment.ROOT / name).read_text(encoding="utf-8"), name)


class Commands(unittest.TestCase):
    def setUp(self):
        certificates.need_openssl()
        missing = [name for name in ("bash", "curl") if shutil.which(name) is None]
        if missing:
            self.skipTest(f"there is no {', '.join(missing)}")
        self.root = pathlib.Path(self.enterContext(daemon.temporary_folder())).resolve()
        for name in "etc/twonmnist", "etc/systemd/system", "var/lib", "work", "bin":
            (self.root / name).mkdir(parents=True)
        shutil.copy(deployment.ROOT / "etc/twonmnistd.conf", self.root / "etc/twonmnist")
        for program in "twonmnistd", "twonmnist-generate", "twonmnist":
            (self.root / "bin" / program).symlink_to((daemon.BUILD / program).resolve())
        authority = certificates.Authority(self.root / "work")
        certificate, key = authority.issue("server")
        shutil.copy(certificate, self.root / "work/fullchain.pem")
        shutil.copy(key, self.root / "work/privkey.pem")

    def run_script(self, script, **environment):
        return documents.bash(
            script, self.root / "work", said=self.root / "said", ROOT=str(self.root),
            SOURCE=str(deployment.ROOT), PATH=f"{self.root / 'bin'}:{os.environ['PATH']}",
            **environment)

    def test_they_do_what_they_say(self):
        port, admin_port = free_ports(2)
        commands = deployment.script([
            ("check /srv/N-MNIST", "check --help"),
            ("--from /srv/N-MNIST", "--from synthetic --count 40,10"),
            ("/var/lib/twonmnist", f"{self.root}/var/lib/twonmnist"),
            ("/etc/", f"{self.root}/etc/"),
            (" -g twonmnist ", " "),
            (f"https://{deployment.HOST}:8642", f"https://127.0.0.1:{port}"),
            ("http://127.0.0.1:9642", f"http://127.0.0.1:{admin_port}")])
        status, said = self.run_script(
            MANAGER + commands, PORT=str(port), ADMIN_PORT=str(admin_port),
            TWONMNIST_SERVER=f"http://127.0.0.1:{port}")
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("4 splits, served by twonmnistd "), 3, said)
        self.assertIn("the settings are right", said)
        self.assertIn("twonmnist_build_info", said)
        log = (self.root / "log").read_text(encoding="utf-8")
        self.assertIn('"token":"alice"', log)
        self.assertIn("reloaded", log)
        revisions = (self.root / "work/revisions").read_text(encoding="utf-8")
        self.assertRegex(revisions, r"(?m)\btrain\b.*\b[0-9a-f]{12}")
        token = (self.root / "work/alice.token").read_text(encoding="ascii").strip()
        tokens = (self.root / "etc/twonmnist/tokens").read_text(encoding="ascii")
        self.assertNotIn(token, log + said + tokens)
        for secret in "etc/twonmnist/tokens", "etc/twonmnist/tls/server.key", "work/alice.token":
            self.assertEqual((self.root / secret).stat().st_mode & 0o007, 0, secret)

    def test_what_fails_in_the_middle_is_seen(self):
        status, said = self.run_script(MANAGER + "systemctl explode\necho '## on'")
        self.assertEqual(status, 1)
        self.assertIn("what is systemctl explode?", said)
        self.assertNotIn("## on", said)

    def test_a_release_is_installed_where_the_document_and_the_units_look(self):
        source = next(each for each in deployment.blocks() if each.needs == "source")
        self.assertIn("--prefix=/usr --sysconfdir=/etc", source.text)
        made = self.root / "made"
        subprocess.run(["make", "-s", "-C", daemon.BUILD, f"DESTDIR={made}", "prefix=/usr",
                        "sysconfdir=/etc", "install-dist_confDATA", "install-man"], check=True,
                       capture_output=True, env={**os.environ, "MAKEFLAGS": "", "MFLAGS": ""})
        self.assertTrue((made / "etc/twonmnist/twonmnistd.conf").exists())
        self.assertTrue((made / "usr/share/man/man5/twonmnistd.conf.5").exists())


class Proxied(unittest.TestCase):
    def setUp(self):
        certificates.need_openssl()
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.authority = certificates.Authority(self.folder)
        self.certificate, self.key = self.authority.issue("server")
        self.data = daemon.generate(self.folder / "data", "--count", "40,10", source="synthetic")
        self.port, *self.others = free_ports(3)

    def start(self, *words):
        """A proxy that stays in the foreground, until the test ends; waits until it listens."""
        log = self.enterContext(open(self.folder / "log", "wb"))
        process = subprocess.Popen([*map(str, words)], stdout=log, stderr=log,
                                   env=programs.environment(words[0]))
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.terminate)

        def listens():
            self.assertIsNone(process.poll(), (self.folder / "log").read_text(encoding="utf-8"))
            with socket.socket() as asking:
                return asking.connect_ex(("127.0.0.1", self.port)) == 0
        daemon.wait_until(listens)

    def compare(self, server):
        """Small and large answers are the same through it; what it should not tell, it does not."""
        context = self.authority.context()
        for path in ("/v1/splits/train/labels", "/v1/splits/train.safetensors",
                     "/v1/splits/train/batch.safetensors?indices=0,1&as=frames"):
            url = f"https://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, context=context, timeout=60) as answer:
                body = answer.read()
                digest = answer.headers["Repr-Digest"]
            own = server.get(path)
            self.assertEqual((body, digest), (own.body, own.headers["Repr-Digest"]), path)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"https://127.0.0.1:{self.port}/metrics", context=context, timeout=60)
        with refused.exception as answer:
            self.assertIn(answer.code, (403, 404))
            self.assertNotIn(b"twonmnist_", answer.read())

    def test_nginx_passes_on_what_the_daemon_says(self):
        nginx = programs.program("nginx", "nginx-light")
        path = self.folder / "twonmnistd.socket"
        site = deployment.replaced(deployment.block("nginx"), [
            ("/run/twonmnistd.socket", str(path)), ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("/etc/twonmnist/tls/server.pem", str(self.certificate)),
            ("/etc/twonmnist/tls/server.key", str(self.key))])
        temporary = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        config = self.folder / "nginx.conf"
        config.write_text(f"{user}daemon off;\npid {self.folder}/nginx.pid;\nerror_log stderr;\n"
                          f"worker_processes 1;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}"
                          f"{site}}}\n", encoding="utf-8")
        words = [nginx, "-e", "stderr", "-c", config]
        tested = subprocess.run([*words, "-t"], check=False, capture_output=True, text=True,
                                env=programs.environment(nginx))
        self.assertEqual(tested.returncode, 0, tested.stderr)
        self.assertNotIn("[warn]", tested.stderr)
        with daemon.Daemon(self.data, "--listen", f"unix:{path}") as server:
            self.start(*words)
            self.compare(server)

    def test_haproxy_passes_on_what_daemons_say(self):
        haproxy = programs.program("haproxy", "haproxy")
        both = self.folder / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        config = self.folder / "haproxy.cfg"
        config.write_text(deployment.replaced(deployment.block("haproxy"), [
            ("bind :443 ", f"bind 127.0.0.1:{self.port} "),
            ("/etc/haproxy/twonmnist.pem", str(both)),
            ("127.0.0.1:8642", f"127.0.0.1:{self.others[0]}"),
            ("127.0.0.1:8643", f"127.0.0.1:{self.others[1]}")]), encoding="utf-8")
        tested = subprocess.run([haproxy, "-c", "-f", config], check=False, capture_output=True,
                                text=True, env=programs.environment(haproxy))
        self.assertEqual(tested.returncode, 0, tested.stderr)
        self.assertNotRegex(tested.stderr, r"\[WARNING\]|\[ALERT\]")
        with daemon.Daemon(self.data, listen=f"127.0.0.1:{self.others[0]}") as server, \
                daemon.Daemon(self.data, listen=f"127.0.0.1:{self.others[1]}"):
            self.start(haproxy, "-db", "-f", config)
            self.compare(server)


class Beside(unittest.TestCase):
    def test_prometheus_takes_its_piece(self):
        promtool = prometheus.promtool(self)
        with daemon.temporary_folder() as folder:
            path = pathlib.Path(folder) / "prometheus.yml"
            path.write_text(deployment.replaced(deployment.block("yaml"), [
                ("/usr/share/doc/twonmnist/examples", str(deployment.ROOT / "etc"))]), encoding="utf-8")
            checked = subprocess.run([promtool, "check", "config", path], check=False,
                                     capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_the_alerts_look_for_the_job_that_it_names(self):
        job = re.search(r"job_name: (\w+)", deployment.block("yaml"))[1]
        rules = (deployment.ROOT / "etc/prometheus-alerts.yml").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r'job="(\w+)"', rules)), {job})

    def test_nft_takes_the_rules(self):
        nft = os.environ.get("TWONMNIST_NFT") or shutil.which("nft")
        if not nft:
            self.skipTest("there is no nft (Debian: nftables)")
        with daemon.temporary_folder() as folder:
            path = pathlib.Path(folder) / "rules"
            path.write_text(deployment.block("nft"), encoding="utf-8")
            checked = subprocess.run([nft, "-c", "-f", path], check=False, capture_output=True,
                                     text=True)
            if "Operation not permitted" in checked.stderr or "initialization" in checked.stderr:
                self.skipTest("nft: " + checked.stderr.strip().splitlines()[0])
            self.assertEqual(checked.returncode, 0, checked.stderr)


if __name__ == "__main__":
    unittest.main()
