# SPDX-License-Identifier: Apache-2.0
"""etc/k8s: what the manifests say is what the image, the daemon and the alerts are; and they are of the form
that Kubernetes takes, where a validator of its schemas is to be had."""
import json
import os
import pathlib
import re
import subprocess
import unittest

import daemon
import node_tools
from test_container import of, stages

try:
    import yaml
except ImportError:
    raise unittest.SkipTest("there is no PyYAML (Debian: python3-yaml)") from None

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
FOLDER = ROOT / "etc/k8s"
LABEL = "app.kubernetes.io/name"


def documents():
    """File -> its documents."""
    return {path.name: list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
            for path in sorted(FOLDER.glob("*.yaml"))}


def kinds():
    """(kind, name) -> document."""
    return {(each["kind"], each["metadata"]["name"]): each
            for some in documents().values() for each in some if "metadata" in each}


class Manifests(unittest.TestCase):
    def setUp(self):
        self.all = kinds()
        self.image = stages()[1]
        self.set = self.all["StatefulSet", "twonmnist"]["spec"]
        self.pod = self.set["template"]["spec"]
        (self.main,) = self.pod["containers"]
        (self.pull,) = self.pod["initContainers"]
        self.ports = {port["name"]: port["containerPort"] for port in self.main["ports"]}

    def test_all_files_are_applied_and_no_others(self):
        (listed,) = documents()["kustomization.yaml"]
        self.assertEqual(sorted(listed["resources"]),
                         sorted(set(documents()) - {"kustomization.yaml"}))
        self.assertEqual({kind for kind, _ in self.all},
                         {"StatefulSet", "Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"})

    def test_every_selector_finds_the_pods(self):
        labels = self.set["template"]["metadata"]["labels"]
        selectors = [self.set["selector"]["matchLabels"],
                     self.all["PodDisruptionBudget", "twonmnist"]["spec"]["selector"]["matchLabels"],
                     self.all["NetworkPolicy", "twonmnist"]["spec"]["podSelector"]["matchLabels"],
                     *(each["spec"]["selector"] for (kind, _), each in self.all.items() if kind == "Service"),
                     *(each["labelSelector"]["matchLabels"] for each in self.pod["topologySpreadConstraints"])]
        for selector in selectors:
            self.assertTrue(selector.items() <= labels.items(), selector)

    def test_ports_are_the_images_and_services_lead_there(self):
        self.assertEqual(str(self.ports["http"]), of(self.image, "EXPOSE")[0])
        entry = json.loads(of(self.image, "ENTRYPOINT")[0])
        own = entry[entry.index("--admin-listen") + 1]
        self.assertEqual(str(self.ports["admin"]), own.rpartition(":")[2])
        for (kind, name), each in self.all.items():
            for port in each["spec"]["ports"] if kind == "Service" else ():
                self.assertEqual(self.ports[port["targetPort"]], port["port"], name)
        headless = self.all["Service", self.set["serviceName"]]
        self.assertEqual(headless["spec"]["clusterIP"], "None")
        policy = self.all["NetworkPolicy", "twonmnist"]["spec"]
        self.assertEqual({port["port"] for rule in policy["ingress"] for port in rule["ports"]},
                         set(self.ports))

    def test_probes_ask_what_the_daemon_answers_to_anybody(self):
        for name, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
            self.assertEqual(self.main[name]["httpGet"], {"path": path, "port": "admin"})
        reference = subprocess.run([daemon.DAEMON, "--reference"], check=True, capture_output=True, text=True).stdout
        for path in "/readyz", "/healthz", "/metrics":
            self.assertIn(path, reference)

    def test_they_run_as_the_images_user_and_may_do_and_write_nothing(self):
        user, group = map(int, of(self.image, "USER")[0].split(":"))
        context = self.pod["securityContext"]
        self.assertEqual((context["runAsUser"], context["runAsGroup"], context["fsGroup"], context["runAsNonRoot"]),
                         (user, group, group, True))
        self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
        for container in self.main, self.pull:
            self.assertEqual(container["securityContext"],
                             {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                              "capabilities": {"drop": ["ALL"]}})
        writable = [(container["name"], mount["name"]) for container in (self.main, self.pull)
                    for mount in container["volumeMounts"] if not mount.get("readOnly")]
        self.assertEqual(writable, [("pull", "data")])
        self.assertIs(self.pod["automountServiceAccountToken"], False)

    def test_the_splits_are_where_the_image_looks_for_them_and_volumes_are_there(self):
        volume = of(self.image, "VOLUME")[0]
        names = {each["name"] for each in self.pod["volumes"]}
        for container in self.main, self.pull:
            self.assertIn(volume, [mount["mountPath"] for mount in container["volumeMounts"]])
            self.assertLessEqual({mount["name"] for mount in container["volumeMounts"]}, names)
        self.assertIn(f" {volume} ", self.pull["args"][0])
        self.assertEqual(self.main["image"], self.pull["image"])

    def test_the_daemon_takes_its_arguments_behind_the_images(self):
        with daemon.temporary_folder() as folder:
            (pathlib.Path(folder) / "tokens").touch()
            entry = json.loads(of(self.image, "ENTRYPOINT")[0])
            words = [*entry[1:], *self.main["args"]]
            files = {"/etc/twonmnist/twonmnistd.conf": ROOT / "etc/twonmnistd.conf",
                     "/etc/twonmnist/tokens/tokens": pathlib.Path(folder) / "tokens"}
            self.assertLess(set(files), set(words))
            said = subprocess.run([daemon.DAEMON, *(files.get(word, word) for word in words), "--check-config"],
                                  check=False, capture_output=True, text=True)
            self.assertEqual(said.returncode, 0, said.stderr)
            data = daemon.generate(folder + "/data", "--count", "20,5", source="synthetic")
            with daemon.Daemon(data, "--admin-listen", f"unix:{folder}/none/of/it", "--admin-listen",
                               "127.0.0.1:0") as server:  # of two the last one counts
                self.assertIn("127.0.0.1", server.wait_for("health and metrics on"))

    def test_a_stop_ends_before_it_is_made_to(self):
        table = (ROOT / "server/settings.h").read_text(encoding="utf-8")
        stop_s = int(re.search(r'stop_timeout_s,\s+"(\d+)"', table)[1])
        command = self.main["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual(command[0], "/bin/sleep")
        self.assertLess(int(command[1]) + stop_s, self.pod["terminationGracePeriodSeconds"])

    def test_the_alerts_look_for_the_job_that_the_monitor_gives(self):
        monitor = self.all["ServiceMonitor", "twonmnist"]["spec"]
        service = self.all["Service", self.set["serviceName"]]
        labels = service["metadata"]["labels"]
        self.assertTrue(monitor["selector"]["matchLabels"].items() <= labels.items())
        rules = (ROOT / "etc/prometheus-alerts.yml").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r'job="(\w+)"', rules)), {labels[monitor["jobLabel"]]})
        ports = {port["name"] for port in service["spec"]["ports"]}
        self.assertLessEqual({each["port"] for each in monitor["endpoints"]}, ports)


class Schemas(unittest.TestCase):
    def test_kubernetes_takes_them(self):
        tools = node_tools.install("k8s")
        for name, some in documents().items():
            for each in some:
                if each["kind"] == "Kustomization":
                    continue
                with self.subTest(file=name, kind=each["kind"]):
                    done = subprocess.run(["node", "validate.mjs"], cwd=tools, input=json.dumps(each), text=True,
                                          capture_output=True, timeout=120)
                    self.assertEqual(done.returncode, 0, done.stderr)
        broken = kinds()["StatefulSet", "twonmnist"]
        broken["spec"]["replicas"] = "three"
        done = subprocess.run(["node", "validate.mjs"], cwd=tools, input=json.dumps(broken), text=True,
                              capture_output=True, timeout=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("replicas", done.stderr)


if __name__ == "__main__":
    unittest.main()
