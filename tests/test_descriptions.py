# SPDX-License-Identifier: Apache-2.0
"""What the daemon says of itself to programs, held against the daemon: OpenAPI, Croissant, llms.txt."""
import csv
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

import daemon

SOURCE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
METHODS = ("get", "post")
DOCUMENTS = ("/openapi.json", "/croissant.json", "/croissant.jsonld", "/llms.txt")

# One value for each variable of a path, and for a parameter what has to stand beside it.
VALUES = {"split": "train", "source": "nmnist-train", "i": "3", "k": "0", "order_seed": "1",
          "epoch": "2", "seed": "7", "index": "9", "recordings": "0,250",
          "shard": "2nmnist-train-000000", "file": "app"}
BESIDE = {
    "bins": "as=frames", "binning": "as=frames", "overlap": "as=frames", "axes": "as=frames",
    "slice": "as=frames&events=100", "values": "as=frames", "timestep": "",
    "stride": "as=frames&slice=window", "incomplete": "as=frames&slice=window",
    "start": "as=frames&slice=window&end=8388608", "end": "as=frames&slice=window&start=0",
    "bin_overlap": "as=frames&slice=time-bins", "events": "as=frames&slice=event-count",
    "fold": "folds=1000&part=held", "folds": "part=held", "part": "folds=2",
    "fold_seed": "per_class=1", "rank": "world=65535", "t0": "t1=8388608",
}


def resolve(document, it):
    """What a reference stands for."""
    while "$ref" in it:
        at, it = it["$ref"].removeprefix("#/").split("/"), document
        for part in at:
            it = it[part]
    return it


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder)
        cls.server = cls.enterClassContext(daemon.Daemon(cls.folder))
        cls.server.wait_until_verified()  # Croissant names the files' hashes once they are known
        cls.openapi = cls.server.get("/openapi.json").json()

    def operations(self):
        for path, item in self.openapi["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def parameters(self, operation):
        return [resolve(self.openapi, it) for it in operation["parameters"]]

    def url_of(self, path, operation, **values):
        """The path with its variables set, and what it cannot be without."""
        values = {**VALUES, **values}
        url = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], path)
        names = [it["name"] for it in self.parameters(operation) if it["in"] == "query"]
        return url + ("?indices=0,3" if "indices" in names else
                      f"?split={values['split']}" if "split" in names else "")

    def ask(self, url, method="get"):
        body = b'{"indices": [0, 3]}' if method == "post" else None
        return self.server.get(url, method=method.upper(), body=body)


class OpenApi(Served):
    def test_it_says_what_it_is(self):
        self.assertEqual(self.openapi["openapi"], "3.1.0")
        self.assertEqual(set(self.openapi["info"]) & {"title", "version", "license"},
                         {"title", "version", "license"})
        self.assertEqual(self.server.get(self.openapi["externalDocs"]["url"]).status, 200)
        self.assertEqual(self.openapi["x-limits"], self.server.get("/v1/splits").json()["limits"])

    def test_every_reference_names_something_and_every_name_is_used(self):
        used = set(re.findall(r'"#/components/(\w+/[\w.-]+)"', json.dumps(self.openapi)))
        components = {f"{section}/{name}" for section, names in self.openapi["components"].items()
                      for name in names if section != "securitySchemes"}
        self.assertLessEqual(used, components)
        # A status of which every problem is one that no documented path has is described all the same.
        self.assertLessEqual(components - used, {"responses/problem-405"})

    def test_ids_are_words_and_each_is_one(self):
        ids = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(ids), len(set(ids)))
        for name in ids:
            self.assertRegex(name, r"^[a-z]\w+$")

    def test_every_variable_of_a_path_is_a_parameter_of_it(self):
        for path, method, operation in self.operations():
            inside = [it["name"] for it in self.parameters(operation) if it["in"] == "path"]
            self.assertEqual(sorted(inside), sorted(re.findall(r"\{(\w+)\}", path)))
            for it in self.parameters(operation):
                self.assertEqual(it.get("required", False), it["in"] == "path")
                self.assertTrue(it["description"])

    def test_it_has_the_paths_of_the_manual_and_no_others(self):
        manual = (SOURCE / "doc/twonmnistd.8").read_text(encoding="utf-8")
        told = re.findall(r"^\.It Pa (\S+)\n.*; formats ([\w, ]+)", manual, re.MULTILINE)
        self.assertGreater(len(told), 15)
        want = {path for path, _ in told} | {
            f"{path}.{ending}" for path, endings in told for ending in endings.split(", ")
            if path != "/"}
        self.assertEqual(set(self.openapi["paths"]), want)

    def test_parameters_are_those_of_the_manual(self):
        manual = (SOURCE / "doc/twonmnistd.8").read_text(encoding="utf-8")
        told = dict(re.findall(r"^\.It Pa (\S+)\n.*; parameters ([\w, ]+)", manual, re.MULTILINE))
        for path, parameters in told.items():
            operation = self.openapi["paths"][path]["get"]
            self.assertEqual([it["name"] for it in self.parameters(operation) if it["in"] == "query"],
                             parameters.split(", "))

    def test_every_path_answers_as_it_says(self):
        for path, method, operation in self.operations():
            with self.subTest(path=path, method=method):
                answer = self.ask(self.url_of(path, operation), method)
                if path.startswith("/metrics"):  # for a token, or at another address
                    self.assertEqual(answer.status, 404)
                    continue
                self.assertEqual(answer.status, 200, answer.body)
                kind = answer.headers["Content-Type"].split(";")[0]
                self.assertIn(kind, operation["responses"]["200"]["content"])
                for name in operation["responses"]["200"]["headers"]:
                    self.assertIsNotNone(answer.headers[name], name)

    def test_every_format_that_is_told_is_given(self):
        for path, method, operation in self.operations():
            if "." in path or path.startswith("/metrics"):
                continue
            for kind in operation["responses"]["200"]["content"]:
                with self.subTest(path=path, kind=kind):
                    url = self.url_of(path, operation)
                    body = b'{"indices": [0, 3]}' if method == "post" else None
                    answer = self.server.get(url, method=method.upper(), body=body, Accept=kind)
                    self.assertEqual(answer.headers["Content-Type"].split(";")[0], kind)

    def ask_with(self, path, operation, name, value, method="GET"):
        """The path with one parameter, and with what that needs."""
        url = self.url_of(path, operation, **({name: value} if f"{{{name}}}" in path else {}))
        if f"{{{name}}}" not in path:
            url = url.split("?")[0]
            words = [word for word in (f"{name}={value}", BESIDE.get(name, "")) if word]
            names = [it["name"] for it in self.parameters(operation) if it["in"] == "query"]
            words += [word for word in ("indices=0", "split=train")
                      if word.split("=")[0] in names and word.split("=")[0] != name]
            url += "?" + "&".join(words)
        return self.server.get(url, method=method)

    def bounds(self, schema):
        """(least, most) of a number, as text; of a list, of its items."""
        schema = schema.get("items", schema)
        most = schema.get("maximum", 2**64 - 1 if schema.get("format") == "uint64" else None)
        return schema["minimum"], most

    def refused(self, answer, name):
        self.assertEqual(answer.status, 400, answer.body)
        self.assertEqual(answer.json()["code"], "bad-parameter")
        self.assertIn(name, answer.json()["detail"])

    def one_of_each(self):
        """Each parameter with one path that takes it, the shortest that is no batch."""
        seen = {}
        for path, method, operation in sorted(self.operations(), key=lambda it: len(it[0])):
            for it in self.parameters(operation):
                if method == "get" and (it["name"], it["in"]) not in seen:
                    seen[it["name"], it["in"]] = (path, operation, it)
        return seen.values()

    def test_every_bound_of_a_parameter_is_where_it_says(self):
        seen = 0
        for path, operation, it in self.one_of_each():
            name, schema = it["name"], it["schema"]
            if schema["type"] not in ("integer", "array"):
                continue
            least, most = self.bounds(schema)
            with self.subTest(name=name, path=path):
                seen += 1
                self.refused(self.ask_with(path, operation, name, str(most + 1)), name)
                self.refused(self.ask_with(path, operation, name, str(least - 1)), name)
                for value in (least, most):
                    answer = self.ask_with(path, operation, name, str(value))
                    # In its range; whether there is such a thing is another question.
                    if answer.status == 400:
                        self.assertNotIn("it goes from", answer.json()["detail"])
                        self.assertNotIn("whole number", answer.json()["detail"])
                    else:
                        self.assertIn(answer.status, (200, 404, 413), answer.body)
        self.assertGreater(seen, 25)

    def test_as_many_recordings_are_mixed_as_it_says(self):
        schema = self.openapi["components"]["parameters"]["path-recordings"]["schema"]
        labels = self.server.get("/v1/splits/nmnist-train/labels.json").json()["labels"]
        chosen = [next(i for i, row in enumerate(labels) if row[digit]) for digit in range(10)]
        for n, status in ((schema["minItems"], 200), (schema["maxItems"], 200), (schema["minItems"] - 1, 400)):
            path = ",".join(map(str, chosen[:n]))
            self.assertEqual(self.server.get(f"/v1/mix/nmnist-train/{path}.bin").status, status, n)
        more = ",".join(map(str, (chosen + chosen)[:schema["maxItems"] + 1]))
        self.refused(self.server.get(f"/v1/mix/nmnist-train/{more}.bin"), f"a mix of {schema['maxItems'] + 1}")

    def test_every_choice_is_taken_and_no_other(self):
        seen = 0
        for path, operation, it in self.one_of_each():
            if "enum" not in it["schema"]:
                continue
            seen += 1
            self.refused(self.ask_with(path, operation, it["name"], "no-such-word"), it["name"])
            for word in it["schema"]["enum"]:
                with self.subTest(name=it["name"], word=word):
                    answer = self.ask_with(path, operation, it["name"], word)
                    detail = answer.json()["detail"] if answer.status >= 400 else ""
                    self.assertNotIn("it is one of", detail)
        self.assertGreater(seen, 10)

    def test_a_fraction_is_below_its_bound(self):
        found = [it for it in self.one_of_each() if it[2]["schema"]["type"] == "number"]
        self.assertTrue(found)
        for path, operation, it in found:
            self.assertEqual((it["schema"]["minimum"], it["schema"]["exclusiveMaximum"]), (0, 1))
            self.refused(self.ask_with(path, operation, it["name"], "1"), it["name"])
            for value in ("0", "0.999"):
                self.assertEqual(self.ask_with(path, operation, it["name"], value).status, 200)

    def test_defaults_are_what_holds_without_them(self):
        for path, operation, it in self.one_of_each():
            if "default" not in it["schema"] or it["schema"]["type"] == "number":
                continue
            name = it["name"]
            with self.subTest(name=name):
                given = self.ask_with(path, operation, name, it["schema"]["default"])
                beside = BESIDE.get(name, "")
                if given.status != 200 or name in beside:
                    continue  # what it is there for is not there
                url = self.url_of(path, operation).split("?")[0]
                words = [word for word in (beside, "indices=0" if "/batch" in path and "{k}" not in path
                                           else "split=train" if path == "/rows" else "") if word]
                self.assertEqual(self.server.get(url + "?" + "&".join(words)).body, given.body)

    def test_every_path_takes_the_parameters_that_it_tells(self):
        for path, method, operation in self.operations():
            if method == "post" or "." not in path or path.startswith("/metrics"):
                continue
            for it in self.parameters(operation):
                if it["in"] == "path":
                    continue
                schema = it["schema"]
                value = schema.get("default", schema.get("enum", [schema.get("minimum", 1)])[0])
                with self.subTest(path=path, name=it["name"]):
                    if self.ask_with(path, operation, it["name"], value, "HEAD").status in (400, 406):
                        answer = self.ask_with(path, operation, it["name"], value)
                        self.assertNotRegex(answer.json()["detail"], "goes with png|no parameter|in this form")

    def test_what_is_of_pictures_is_told_of_pictures(self):
        def names(path):
            return {it["name"] for it in self.parameters(self.openapi["paths"][path]["get"])}
        sample, page = "/v1/splits/{split}/samples/{i}", "/v1/splits/{split}/samples"
        pictured = {"scale", "strip", "frames"}
        self.assertLessEqual(pictured, names(sample) & names(sample + ".png"))
        self.assertFalse(pictured & (names(sample + ".npy") | names(sample + ".json")))
        self.assertFalse({"scale", "denoise", "order"} & (names(page + ".csv") | names(page + ".json")))
        self.assertLessEqual({"scale", "denoise", "order", "sort"}, names(page + ".png"))
        self.assertFalse({"bins", "slice", "axes"} & names(sample + ".png"))

    def test_every_path_takes_no_other_parameter(self):
        for path, method, operation in self.operations():
            if path.startswith("/metrics"):
                continue
            url = self.url_of(path, operation)
            url += ("&" if "?" in url else "?") + "no_such=1"
            with self.subTest(path=path, method=method):
                answer = self.ask(url, method)
                self.assertEqual(answer.status, 400)
                self.told(operation, answer)

    def told(self, operation, answer):
        """That the document says of the operation that it may answer so."""
        self.assertIn(str(answer.status), operation["responses"], answer.body)
        response = resolve(self.openapi, operation["responses"][str(answer.status)])
        schema = response["content"]["application/problem+json"]["schema"]["allOf"]
        problem = answer.json()
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertIn(problem["code"], schema[1]["properties"]["code"]["enum"])
        whole = resolve(self.openapi, schema[0])
        self.assertLessEqual(set(whole["required"]), set(problem))
        self.assertLessEqual(set(problem), set(whole["properties"]))
        types = {"string": str, "integer": int}
        for name, value in problem.items():
            self.assertIsInstance(value, types[whole["properties"][name]["type"]])

    def provoke(self, path, method, operation, status):
        """An answer of that status, or None where that takes more than a request."""
        names = [it["name"] for it in self.parameters(operation)]
        url = self.url_of(path, operation)
        body = b'{"indices": [0, 3]}' if method == "post" else None
        mark = "&" if "?" in url else "?"
        if status == 404 and "split" in names:
            return self.ask(self.url_of(path, operation, split="no-such"), method)
        if status == 404:
            variable = "file" if "file" in names else "source"
            return self.ask(self.url_of(path, operation, **{variable: "no-such"}), method)
        if status == 406 and "." not in path:
            return self.server.get(url, method=method.upper(), body=body, Accept="image/x-none")
        if status == 413 and "size" in names:
            return self.ask(f"{url}{mark}size=65537", method)
        if status == 413 and "length" in names and not path.endswith((".csv", ".jsonl")):
            return self.ask(f"{url}{mark}length=65537", method)
        if status == 413 and "indices" in names:
            return self.ask(url.split("?")[0] + "?indices=" + ",".join(["0"] * 1025), method)
        if status == 414:
            return self.ask(f"{url}{mark}x={'x' * 9000}", method)
        if status == 416:
            return self.server.get(url, Range="bytes=99999999999-")
        if status == 431:
            return self.server.get(url, X_Long="x" * 15800)
        return None

    def test_documented_errors_are_what_comes(self):
        provoked = set()
        for path, method, operation in self.operations():
            for status in operation["responses"]:
                if int(status) < 400 or path.startswith("/metrics"):
                    continue
                with self.subTest(path=path, method=method, status=status):
                    answer = self.provoke(path, method, operation, int(status))
                    if answer is None:
                        continue
                    self.assertEqual(answer.status, int(status), answer.body)
                    self.told(operation, answer)
                    provoked.add(int(status))
        self.assertEqual(provoked, {404, 406, 413, 414, 416, 431})

    def test_a_split_that_has_not_changed_is_told_so(self):
        for path, method, operation in self.operations():
            if "304" not in operation["responses"]:
                continue
            with self.subTest(path=path):
                url = self.url_of(path, operation)
                tag = self.server.get(url).headers["ETag"]
                self.assertEqual(self.server.get(url, If_None_Match=tag).status, 304)


class Closed(unittest.TestCase):
    """Errors that take another daemon."""

    def paths(self, server):
        return server.get("/openapi.json", Authorization="Bearer " + "s" * 32).json()

    def test_a_token_is_asked_for_where_it_says(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder)
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text("one " + hashlib.sha256(b"s" * 32).hexdigest() + "\n")
            tokens.chmod(0o600)
            with daemon.Daemon(folder, "--token-file", tokens) as server:
                document = self.paths(server)
                self.assertEqual(document["security"], [{"bearer": []}])
                for path, item in document["paths"].items():
                    operation = item["get"]
                    url = re.sub(r"\{(\w+)\}", lambda name: VALUES[name[1]], path)
                    with self.subTest(path=path):
                        status = server.get(url).status
                        self.assertEqual(status == 401, "401" in operation["responses"])
                        self.assertEqual(status == 401, operation.get("security") != [])

    def test_too_much_is_told_where_it_says(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder)
            with daemon.Daemon(folder, "--requests-per-second-per-address", 1) as server:
                document = server.get("/openapi.json").json()
                while server.get("/v1/splits").status == 200:
                    pass
                for path, item in document["paths"].items():
                    url = re.sub(r"\{(\w+)\}", lambda name: VALUES[name[1]], path)
                    with self.subTest(path=path):
                        self.assertEqual(server.get(url).status == 429,
                                         "429" in item["get"]["responses"])


class Croissant(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.wait_until_verified()
        cls.document = cls.server.get("/croissant.json").json()
        cls.files = {it["@id"]: it for it in cls.document["distribution"]}
        cls.sets = {it["@id"]: it for it in cls.document["recordSet"]}

    def test_it_has_what_the_specification_requires(self):
        for name in ("@context", "@type", "conformsTo", "description", "license", "name", "url",
                     "creator", "datePublished", "distribution"):
            self.assertTrue(self.document[name], name)
        self.assertEqual(self.document["@type"], "sc:Dataset")
        self.assertEqual(self.document["conformsTo"], "http://mlcommons.org/croissant/1.1")
        context = self.document["@context"]
        self.assertEqual((context["@vocab"], context["cr"], context["conformsTo"]),
                         ("http://schema.org/", "http://mlcommons.org/croissant/", "dct:conformsTo"))

    def test_every_term_is_of_the_vocabulary(self):
        known = set(self.document["@context"]) | {
            "@context", "@type", "@id", "name", "description", "url", "version", "datePublished", "creator",
            "license", "citation", "keywords", "sameAs", "distribution", "contentUrl", "contentSize",
            "encodingFormat", "sha256"}

        def terms(it):
            if isinstance(it, dict):
                for name, value in it.items():
                    if name not in ("@context", "data"):
                        yield name
                        yield from terms(value)
            elif isinstance(it, list):
                for value in it:
                    yield from terms(value)
        self.assertLessEqual(set(terms(self.document)), known)

    def test_licence_and_both_citations_are_there(self):
        recorded = self.server.get("/v1/splits/train").json()["origin"] == "recorded"
        licence = "CC-BY-SA-4.0" if recorded else "Apache-2.0"
        self.assertEqual(self.document["license"], [f"https://spdx.org/licenses/{licence}.html"])
        for doi in ("10.1109/IJCNN54540.2023.10191787", "10.3389/fnins.2015.00437"):
            self.assertIn(doi, self.document["citeAs"])
        for name in ("Jurado", "Dunn", "Shapero", "Orchard"):
            self.assertIn(name, [it["name"] for it in self.document["creator"]])

    def test_every_file_is_what_it_says(self):
        names = ("train", "test", "nmnist-train", "nmnist-test")
        self.assertEqual(set(self.files), {f"{name}{ending}" for name in names for ending in (".csv", ".safetensors")})
        for name, file in self.files.items():
            with self.subTest(name):
                self.assertTrue(file["contentUrl"].startswith(self.server.url + "/"))
                answer = self.server.get(file["contentUrl"].removeprefix(self.server.url))
                self.assertEqual(answer.status, 200)
                self.assertEqual(hashlib.sha256(answer.body).hexdigest(), file["sha256"])
                self.assertEqual(f"{len(answer.body)} B", file["contentSize"])
                self.assertEqual(answer.headers["Content-Type"].split(";")[0], file["encodingFormat"])
                self.assertIn("immutable", answer.headers["Cache-Control"])

    def test_every_field_is_a_column_with_such_values(self):
        for name, records in self.sets.items():
            if name == "splits":
                continue
            body = self.server.get(f"/v1/splits/{name}/samples.csv").body.decode("ascii")
            table = list(csv.DictReader(io.StringIO(body, newline="")))
            fields = {it["name"]: it for it in records["field"]}
            self.assertEqual(list(fields), [*table[0], "split"])
            for column, field in fields.items():
                with self.subTest(name=name, column=column):
                    self.assertEqual(field["@id"], f"{name}/{column}")
                    self.assertEqual(field["@type"], "cr:Field")
                    if column == "split":
                        self.assertEqual((field["value"], field["references"]),
                                         (name, {"@id": "splits/name"}))
                        continue
                    self.assertEqual(field["source"]["fileObject"], {"@id": f"{name}.csv"})
                    self.assertEqual(field["source"]["extract"], {"column": column})
                    values = [row[column] for row in table]
                    if field.get("isArray"):
                        between = field["source"]["transform"]["separator"]
                        values = [part for value in values for part in value.split(between) if part]
                    if "sc:Integer" in field["dataType"]:
                        for value in values:
                            int(value)

    def test_ids_are_one_each_and_references_lead_somewhere(self):
        ids, references = [], set()

        def walk(it):
            if isinstance(it, dict):
                if set(it) == {"@id"}:
                    references.add(it["@id"])
                elif "@id" in it:
                    ids.append(it["@id"])
                for name, value in it.items():
                    if name != "@context":
                        walk(value)
            elif isinstance(it, list):
                for value in it:
                    walk(value)
        walk(self.document)
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLessEqual(references, set(ids))
        self.assertIn("nmnist-train/index", references)

    def test_splits_are_training_and_test(self):
        splits = self.sets["splits"]
        self.assertEqual((splits["dataType"], splits["key"]), ("cr:Split", {"@id": "splits/name"}))
        self.assertEqual({row["splits/name"]: row["splits/url"] for row in splits["data"]},
                         {"train": "cr:TrainingSplit", "nmnist-train": "cr:TrainingSplit",
                          "test": "cr:TestSplit", "nmnist-test": "cr:TestSplit"})

    def test_both_endings_are_the_same_document(self):
        linked = self.server.get("/croissant.jsonld")
        self.assertEqual(linked.json(), self.document)
        self.assertEqual(linked.headers["Content-Type"],
                         'application/ld+json; profile="http://mlcommons.org/croissant/1.1"')
        asked = self.server.get("/croissant", Accept="application/ld+json")
        self.assertEqual(asked.headers["Content-Type"], linked.headers["Content-Type"])

    def test_other_data_is_another_version(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder, "--count", "20,10", "--seed", "9", source="synthetic")
            with daemon.Daemon(folder) as server:
                other = server.get("/croissant.json").json()
        self.assertNotEqual(other["version"], self.document["version"])
        self.assertEqual(other["license"], ["https://spdx.org/licenses/Apache-2.0.html"])

    def test_a_damaged_split_is_left_out(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder, "--count", "20,10", "--seed", "9", source="synthetic")
            with daemon.Daemon(folder, "--watch-interval-s", 0) as server:
                server.get("/croissant.json")
                path = pathlib.Path(folder) / "test.safetensors"
                with open(path, "r+b") as file:
                    file.seek(-1, os.SEEK_END)
                    byte = file.read(1)
                    file.seek(-1, os.SEEK_END)
                    file.write(bytes([byte[0] ^ 1]))
                daemon.wait_until(lambda: server.get("/v1/splits/test").status == 500)
                names = [it["@id"] for it in server.get("/croissant.json").json()["distribution"]]
                self.assertEqual([name for name in names if name.endswith(".csv")],
                                 ["nmnist-test.csv", "nmnist-train.csv", "train.csv"])
                self.assertNotIn("test.safetensors", names)

    def test_a_file_that_nobody_has_read_yet_is_not_named(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder, "--count", "20,10", "--seed", "9", source="synthetic")
            with daemon.Daemon(folder, "--scrub-interval-s", 0) as server:
                names = [it["@id"] for it in server.get("/croissant.json").json()["distribution"]]
                self.assertEqual(names, ["nmnist-test.csv", "nmnist-train.csv", "test.csv", "train.csv"])


class Llms(Served):
    def test_it_names_every_path_but_those_of_the_administrator(self):
        page = self.server.get("/llms.txt")
        self.assertEqual(page.headers["Content-Type"], "text/plain; charset=utf-8")
        text = page.body.decode()
        self.assertTrue(text.startswith("# "))
        paths = {path for path in self.openapi["paths"] if "." not in path} - {"/metrics"}
        self.assertEqual(set(re.findall(r"^- `(\S+)`", text, re.MULTILINE)), paths)

    def test_every_link_leads_somewhere(self):
        links = re.findall(r"\]\((\S+)\)", self.server.get("/llms.txt").body.decode())
        self.assertGreater(len(links), 4)
        for link in links:
            self.assertEqual(self.server.get(link.removeprefix(self.server.url)).status, 200, link)

    def test_every_example_runs(self):
        commands = re.findall(r"^    (curl .*)$", self.server.get("/llms.txt").body.decode(), re.MULTILINE)
        self.assertEqual(len(commands), 3)
        if not shutil.which("curl"):
            self.skipTest("curl is not there")
        with daemon.temporary_folder() as folder:
            for command in commands:
                words = shlex.split(command)
                subprocess.run([words[0], "--fail", *words[1:]], cwd=folder, check=True, timeout=60)
                self.assertGreater((pathlib.Path(folder) / words[-1]).stat().st_size, 100)


class Kept(Served):
    def test_documents_come_as_gzip_and_as_head(self):
        for path in DOCUMENTS:
            with self.subTest(path):
                plain = self.server.get(path)
                packed = self.server.get(path, Accept_Encoding="gzip")
                self.assertEqual(packed.headers["Content-Encoding"], "gzip")
                self.assertEqual(gzip.decompress(packed.body), plain.body)
                self.assertIn("Accept-Encoding", plain.headers["Vary"])
                head = self.server.get(path, method="HEAD")
                self.assertEqual((head.status, head.body), (200, b""))
                self.assertEqual(int(head.headers["Content-Length"]), len(plain.body))


class Places(unittest.TestCase):
    """Where documents say that the server is."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder, "--count", "20,10", "--seed", "9", source="synthetic")

    def said(self, server, **headers):
        """What OpenAPI, Croissant and llms.txt say."""
        openapi = server.get("/openapi.json", **headers).json()
        croissant = server.get("/croissant.json", **headers).json()
        llms = server.get("/llms.txt", **headers).body.decode()
        urls = {croissant["url"].removesuffix("/"),
                *(it["contentUrl"].split("/v1/")[0] for it in croissant["distribution"]),
                *(link.split("/v1/")[0].removesuffix("/openapi.json").removesuffix("/croissant.json")
                  for link in re.findall(r"\]\((\S+)\)", llms)),
                *(link.split("/v1/")[0] for link in re.findall(r"curl -s '(\S+)'", llms))}
        return openapi.get("servers"), urls

    def test_it_is_where_it_was_asked(self):
        with daemon.Daemon(self.folder) as server:
            self.assertEqual(self.said(server), (None, {server.url}))
            self.assertEqual(self.said(server, Host="data.example:80"), (None, {"http://data.example:80"}))
            bad = 'x"><script>'
            self.assertEqual(self.said(server, Host=bad), (None, {""}))

    def test_what_a_proxy_says_is_not_taken_from_everybody(self):
        says = {"X_Forwarded_Prefix": "/data", "X_Forwarded_Host": "a.example",
                "X_Forwarded_Proto": "https"}
        with daemon.Daemon(self.folder) as server:
            self.assertEqual(self.said(server, **says), (None, {server.url}))
        with daemon.Daemon(self.folder, "--trust-forwarded", "yes") as server:
            self.assertEqual(self.said(server, **says),
                             ([{"url": "/data"}], {"https://a.example/data"}))
            self.assertEqual(self.said(server), (None, {server.url}))
            for name, value in (("X_Forwarded_Prefix", "/a\"b"), ("X_Forwarded_Prefix", "a"),
                                ("X_Forwarded_Prefix", "/../x"), ("X_Forwarded_Host", "a b"),
                                ("X_Forwarded_Proto", "javascript"),
                                ("X_Forwarded_Prefix", "/" + "x" * 200)):
                self.assertEqual(self.said(server, **{name: value}), (None, {server.url}), value)
            first = {"X_Forwarded_Host": "a.example, b.example", "X_Forwarded_Prefix": "/x/"}
            self.assertEqual(self.said(server, **first), ([{"url": "/x"}], {"http://a.example/x"}))

    def test_a_base_path_stands_before_every_path_and_may_be_left_out(self):
        with daemon.Daemon(self.folder, "--base-path", "/data/2nmnist") as server:
            self.assertEqual(self.said(server), ([{"url": "/data/2nmnist"}],
                                                 {server.url + "/data/2nmnist"}))
            for path in ("/healthz", "/v1/splits", "/v1/splits/train/samples/0.bin", "/openapi.json"):
                here, there = server.get(path), server.get("/data/2nmnist" + path)
                self.assertEqual((here.status, here.body), (there.status, there.body))
                self.assertEqual(here.status, 200)
            for path in ("/data/2nmnistv1/splits", "/data/v1/splits", "/data/2nmnist",
                         "/data/2nmnist/data/2nmnist/v1/splits"):
                self.assertNotEqual(server.get(path + "?no_such=1").status, 200, path)

    def test_a_base_path_alone_leads_to_where_relative_addresses_are_right(self):
        with daemon.Daemon(self.folder, "--base-path", "/data/2nmnist") as server:
            for path in ("/data/2nmnist", "/data/2nmnist?"):
                for accept in ("text/html", "application/json"):
                    answer = self.unfollowed(server, path, accept)
                    self.assertEqual((answer.status, answer.getheader("Location"), answer.read()),
                                     (308, "2nmnist/", b""))
                    there = server.get("/data/2nmnist", Accept=accept)
                    self.assertEqual(there.body, server.get("/data/2nmnist/", Accept=accept).body)
            self.assertEqual(self.unfollowed(server, "/", "text/html").status, 200)
            page = server.get("/data/2nmnist", Accept="text/html").body.decode()
            for name in re.findall(r'(?:href|src)="(viewer/\S+)"', page):
                self.assertEqual(server.get("/data/2nmnist/" + name).status, 200)

    @staticmethod
    def unfollowed(server, path, accept):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", path, headers={"Accept": accept, "Connection": "close"})
        return connection.getresponse()

    def test_a_base_path_that_is_none_is_refused(self):
        for value in ("data", "/data/", "//data", "/da ta", "/a/../b", "/.", "/a?b", "/" + "x" * 128):
            with self.subTest(value):
                done = subprocess.run([daemon.DAEMON, "--base-path", value, "--check-config"],
                                      capture_output=True, text=True, timeout=60)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("base_path: ", done.stderr)
                self.assertIn("no prefix of paths as /a/b, of 128 characters at most", done.stderr)


class Origins(unittest.TestCase):
    """What the pages of other sites may read in a browser."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder, "--count", "20,10", "--seed", "9", source="synthetic")

    def preflight(self, server, path, method="GET"):
        return server.get(path, method="OPTIONS", Origin="https://page.example",
                          Access_Control_Request_Method=method,
                          Access_Control_Request_Headers="authorization")

    def test_answers_and_problems_may_be_read_with_our_headers(self):
        with daemon.Daemon(self.folder) as server:
            for path, status in (("/v1/splits", 200), ("/v1/splits/train/samples/0.bin", 200),
                                 ("/v1/splits/none", 404), ("/v1/splits/train.safetensors", 200)):
                for method in ("GET", "HEAD"):
                    answer = server.get(path, method=method, Origin="https://page.example")
                    self.assertEqual(answer.status, status)
                    self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
                    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
                    ours = {name for name in answer.headers if name.startswith("Twonmnist-")}
                    self.assertLessEqual(ours | {"Repr-Digest", "ETag"}, set(exposed))
                    if status == 200:
                        self.assertIn("Origin", answer.headers["Vary"].split(", "))
            plain = server.get("/v1/splits/train/samples/0.bin")
            self.assertIsNone(plain.headers["Access-Control-Allow-Origin"])
            self.assertEqual(plain.headers["Vary"], "Origin")
            tag = plain.headers["ETag"]
            again = server.get("/v1/splits/train/samples/0.bin", Origin="https://page.example",
                               If_None_Match=tag)
            self.assertEqual((again.status, again.headers["Access-Control-Allow-Origin"]), (304, "*"))

    def test_a_browser_is_told_what_it_may_ask_without_a_token(self):
        tokens = pathlib.Path(self.folder) / "tokens"
        tokens.write_text("one " + hashlib.sha256(b"s" * 32).hexdigest() + "\n")
        tokens.chmod(0o600)
        with daemon.Daemon(self.folder, "--token-file", tokens) as server:
            for path, methods in (("/v1/splits/train/samples", "GET, HEAD"),
                                  ("/v1/splits/train/batch.safetensors", "GET, HEAD, POST")):
                answer = self.preflight(server, path)
                self.assertEqual((answer.status, answer.body), (204, b""))
                self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
                self.assertEqual(answer.headers["Access-Control-Allow-Methods"], methods)
                self.assertIn("Authorization", answer.headers["Access-Control-Allow-Headers"])
            self.assertEqual(self.preflight(server, "/v1/none").status, 404)
            self.assertEqual(server.get("/v1/splits", method="OPTIONS").status, 401)
            refused = server.get("/v1/splits", Origin="https://page.example")
            self.assertEqual((refused.status, refused.headers["Access-Control-Allow-Origin"]), (401, "*"))

    def test_other_options_are_a_method_that_is_not_taken(self):
        with daemon.Daemon(self.folder) as server:
            self.assertEqual(server.get("/v1/splits", method="OPTIONS").status, 405)
            self.assertEqual(server.get("/v1/splits", method="OPTIONS", Origin="https://a").status, 405)

    def test_it_can_be_off(self):
        with daemon.Daemon(self.folder, "--allow-all-origins", "no") as server:
            answer = server.get("/v1/splits/train/samples/0.bin", Origin="https://page.example")
            self.assertEqual(answer.status, 200)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            self.assertIsNone(answer.headers["Vary"])
            self.assertEqual(self.preflight(server, "/v1/splits").status, 405)


if __name__ == "__main__":
    unittest.main()
