# SPDX-License-Identifier: Apache-2.0
"""How the daemon serves its web page: headers, validators, compression, tokens, and for programs a list."""
import gzip
import hashlib
import os
import pathlib
import unittest

import daemon

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def files():
    """Path in the URL -> the file behind it."""
    return {"/" if path.suffix == ".html" else f"/viewer/{path.name}": path
            for path in sorted((ROOT / "viewer").iterdir()) if path.suffix in TYPES}


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = daemon.temporary_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.data = daemon.generate(folder.name, "--count", "30,4", "--seed", "3", source="synthetic")
        cls.server = daemon.Daemon(cls.data)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.stop)

    def test_every_file_is_served_as_it_is_and_as_gzip(self):
        self.assertGreater(len(files()), 20)
        for path, file in files().items():
            with self.subTest(path):
                plain = self.server.get(path)
                self.assertEqual((plain.status, plain.body), (200, file.read_bytes()))
                self.assertEqual(plain.headers["Content-Type"], TYPES[file.suffix])
                self.assertEqual(plain.headers["Content-Security-Policy"], POLICY)
                self.assertEqual(plain.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(plain.headers["Cache-Control"], "no-cache")
                small = self.server.get(path, Accept_Encoding="gzip")
                self.assertEqual(small.headers["Content-Encoding"], "gzip")
                self.assertEqual(gzip.decompress(small.body), plain.body)
                self.assertNotEqual(small.headers["ETag"], plain.headers["ETag"])

    def test_the_tag_is_of_the_content(self):
        for path, file in files().items():
            with self.subTest(path):
                tag = self.server.get(path).headers["ETag"]
                self.assertIn(hashlib.sha256(file.read_bytes()).hexdigest()[:16], tag)
                again = self.server.get(path, If_None_Match=tag)
                self.assertEqual((again.status, again.body), (304, b""))
                self.assertEqual(again.headers["ETag"], tag)
                self.assertEqual(self.server.get(path, If_None_Match='"other"').status, 200)

    def test_a_head_tells_the_length(self):
        head = self.server.get("/viewer/app.css", method="HEAD")
        self.assertEqual(int(head.headers["Content-Length"]), (ROOT / "viewer/app.css").stat().st_size)
        self.assertEqual(head.body, b"")

    def test_no_other_file_is_there(self):
        for path in ("/viewer/none.js", "/viewer/app.html", "/viewer/embed.sh", "/viewer/..%2fapp.js", "/viewer/index.js",
                     "/viewer/" + 300 * "a" + ".js", "/viewer/app.css/x.css"):
            with self.subTest(path):
                self.assertIn(self.server.get(path).status, (404, 406))

    def test_programs_are_told_where_the_paths_are(self):
        answer = self.server.get("/", Accept="application/json")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        paths = {row["path"]: row["help"] for row in answer.json()["paths"]}
        self.assertIn("./v1/splits/{split}/samples/{i}", paths)
        self.assertTrue(all(path.startswith("./") and text for path, text in paths.items()))
        for wish, kind in (("text/html,*/*;q=0.8", "text/html"), ("*/*", "text/html"), ("application/json, text/html;q=0.5", "application/json")):
            self.assertTrue(self.server.get("/", Accept=wish).headers["Content-Type"].startswith(kind), wish)

    def test_it_can_be_switched_off(self):
        with daemon.Daemon(self.data, "--viewer", "no") as server:
            for path in ("/", "/viewer/app.js"):
                answer = server.get(path)
                self.assertEqual((answer.status, answer.json()["code"]), (404, "no-such-path"))
            self.assertIn("paths", server.get("/", Accept="application/json").json())

    def test_it_is_open_where_all_else_wants_a_token(self):
        tokens = pathlib.Path(self.data) / "tokens"
        tokens.write_text("me " + hashlib.sha256(b"secret").hexdigest() + "\n", encoding="ascii")
        tokens.chmod(0o600)
        with daemon.Daemon(self.data, "--token-file", tokens) as server:
            for path, file in files().items():
                self.assertEqual(server.get(path).body, file.read_bytes())
            for path in ("/v1/splits", "/v1/splits/train", "/metrics", "/viewer"):
                self.assertEqual(server.get(path).status, 401, path)


if __name__ == "__main__":
    unittest.main()
