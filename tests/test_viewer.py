# SPDX-License-Identifier: Apache-2.0
"""The web page in a real browser: what it shows, that it can be used with the keyboard alone, that it asks
nobody else, and that it can be read."""
import hashlib
import http.server
import io
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest
import urllib.request

import numpy as np

import browser
import daemon
import picture_rules as rules
import safetensors_reader
from fake_server import digest_of
from test_viewer_modules import mixed

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
BUILD = daemon.BUILD.resolve()
SIDE = 34
VIEWS = ["#/", "#/split/train", "#/samples/train?kind=pair", "#/sample/train/4?t=150000&trail=50",
         "#/pair/nmnist-train/42/1?t=120000", "#/mix/nmnist-train/0,40,80", "#/epoch/train?world=2&size=8"]
WIDTHS = (390, 820, 1440)
FRAMES = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 50))))"  # drawn anew

PIXELS = """(() => { const c = document.querySelectorAll('.player canvas')[%d];
    return {rgba: [...c.getContext('2d').getImageData(0, 0, 34, 34).data], ...c.dataset}; })()"""


class Prefix(http.server.BaseHTTPRequestHandler):
    """A proxy that has the daemon below /some/where/, and nothing else."""
    behind = ""

    def do_GET(self):
        if not self.path.startswith("/some/where/"):
            self.send_error(404)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        asked = urllib.request.Request(self.behind + self.path[len("/some/where"):], headers=headers, method=self.command)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("connection", "date"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *unused):
        pass


class Case(unittest.TestCase):
    """A daemon over synthetic recordings, and a browser."""

    @classmethod
    def setUpClass(cls):
        browser.program()
        folder = daemon.temporary_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.data = daemon.generate(folder.name, "--count", "120,12", "--seed", "5", source="synthetic")
        cls.server = daemon.Daemon(cls.data)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.stop)
        cls.browser = browser.Browser()
        cls.browser.__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    def tab(self, **look):
        page = self.browser.page(**look)
        self.addCleanup(page.close)
        return page

    def page(self, place, **look):
        page = self.tab(**look)
        page.go(f"{self.server.url}/{place}")
        return page

    def events(self, path):
        return np.load(io.BytesIO(self.server.get(path).body))

    def check_clean(self, page, prefix=None):
        page.run("new Promise((r) => setTimeout(r, 50))")  # what is still on its way
        self.assertEqual(page.faults, [])
        others = [url for url in page.requests if not url.startswith((prefix or self.server.url) + "/") and not url.startswith(("blob:", "data:"))]
        self.assertEqual(others, [])
        self.assertGreater(len(page.requests), 5)


class Viewer(Case):
    # ---- what it shows ----

    def test_every_view_loads_at_every_width_without_a_fault_and_within_it(self):
        for place in VIEWS:
            page = self.page(place)
            self.assertNotIn("can’t be shown", page.run("document.querySelector('h1').textContent"))
            for width in WIDTHS:
                with self.subTest(f"{place} at {width}"):
                    page.look(width=width)
                    self.assertLessEqual(page.run(f"{FRAMES}.then(() => document.documentElement.scrollWidth)"), width)
            self.check_clean(page)

    def test_figures_stand_in_a_row_where_there_is_room(self):
        page = self.page("#/split/train")
        columns = []
        for width in WIDTHS:
            page.look(width=width)
            columns.append(page.run(f"{FRAMES}.then(() => getComputedStyle(document.querySelector('.figures')).gridTemplateColumns.split(' ').length)"))
        self.assertEqual(columns, [2, 3, 6])

    def test_no_number_of_a_sample_is_cut_off(self):
        page = self.page("#/samples/train?kind=pair")
        for width in WIDTHS:
            page.look(width=width)
            page.run("document.querySelectorAll('.cell-words span').forEach((s) => { s.textContent = '#59999'; })")
            cut = page.run(f"{FRAMES}.then(() => [...document.querySelectorAll('.cell-words span')].filter((s) => s.scrollWidth > s.clientWidth).length)")
            self.assertEqual(cut, 0, width)

    def canvas(self, place):
        """RGB of the player's first canvas, and what it says of itself."""
        seen = self.page(place).run(PIXELS % 0)
        return np.array(seen["rgba"]).reshape(SIDE, SIDE, 4)[..., :3], seen

    def test_pixels_are_those_of_the_colour_rule(self):
        events = self.events("/v1/splits/train/samples/4.npy")
        whole, _ = self.canvas("#/sample/train/4?trail=all&t=999999")
        np.testing.assert_array_equal(whole, rules.colours(rules.counts(events)))
        part, said = self.canvas("#/sample/train/4?trail=50&t=150000")
        self.assertEqual((int(said["from"]), int(said["to"])), (100_000, 150_000))
        shown = events[(events["t"] >= 100_000) & (events["t"] < 150_000)]
        most = max(rules.counts(events[(events["t"] >= t) & (events["t"] < t + 50_000)]).max() for t in np.unique(events["t"]))
        self.assertEqual(int(said["largest"]), most)
        np.testing.assert_array_equal(part, rules.colours(rules.counts(shown), largest=most))

    def test_pixels_are_those_of_the_daemons_picture(self):
        for i in (0, 4, 9):
            whole, _ = self.canvas(f"#/sample/train/{i}?trail=all&t=999999")
            png = self.server.get(f"/v1/splits/train/samples/{i}.png?scale=1").body
            np.testing.assert_array_equal(whole, rules.read(png)[0])

    def test_it_is_there_while_others_pull_batches(self):
        ended, pulled = threading.Event(), []

        def pull(rank):
            while not ended.is_set():
                path = f"/v1/pairs/nmnist-train/{rank}/batches/{len(pulled)}.safetensors?size=64"
                pulled.append(len(self.server.get(path).body))

        pullers = [threading.Thread(target=pull, args=(rank,)) for rank in range(4)]
        for puller in pullers:
            puller.start()
        try:
            page = self.page("#/samples/train")
            painted = page.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        finally:
            ended.set()
            for puller in pullers:
                puller.join()
        print(f"# first paint after {painted:.0f} ms, beside {len(pulled)} batches of fresh pairs")
        self.assertGreater(painted, 0)
        self.assertGreater(len(pulled), 4)
        self.check_clean(page)

    def test_it_plays_and_space_stops_it(self):
        page = self.page("#/sample/train/0", still=False)
        time = "Number(document.querySelector('.scrub').value)"
        before = page.run(time)
        page.wait(f"{time} > {before + 3000}")
        page.key(" ")
        page.wait("document.querySelector('.play').textContent === 'Play'")
        stopped = page.run(time)
        page.run("new Promise((r) => setTimeout(r, 100))")
        self.assertEqual(page.run(time), stopped)
        self.check_clean(page)

    def test_somebody_who_wants_less_motion_has_none(self):
        page = self.page("#/sample/train/0", still=True)
        self.assertEqual(page.run("document.querySelector('.play').textContent"), "Play")
        self.assertEqual(page.run("document.querySelector('.scrub').value"), page.run("document.querySelector('.scrub').max"))

    def test_filters_show_the_samples_of_the_view(self):
        page = self.page("#/samples/train")
        page.run("[...document.querySelectorAll('.segments button')].find((b) => b.textContent === 'Two digits').click()")
        page.wait_moved("hash.includes('kind=pair')")
        page.run("document.querySelector('.chips[aria-label^=All] button:nth-of-type(4)').focus()")
        page.key(" ")
        page.wait_moved("hash.includes('all=3')")
        view = self.server.get("/v1/splits/train/indices.json?kind=pair&all=3").json()["indices"]
        shown = page.run("[...document.querySelectorAll('.cell')].map((c) => Number(c.getAttribute('aria-label').split(/[ :]/)[1]))")
        self.assertEqual(shown, view[:48])
        self.assertIn(f"{len(view)} sample", page.run("document.querySelector('.results').textContent"))
        page.wait("document.activeElement.matches('.chips[aria-label^=All] button:nth-of-type(4)')")
        self.check_clean(page)

    def test_a_view_without_samples_says_why(self):
        page = self.page("#/samples/train?kind=single&all=1,2")
        self.assertIn("kind", page.run("document.querySelector('.results .note').textContent"))
        page.go(self.server.url + "/#/sample/train/99999")
        self.assertIn("99999", page.run("document.querySelector('main .note').textContent"))
        page.go(self.server.url + "/#/split/none")
        self.assertIn("none", page.run("document.querySelector('main .note').textContent"))

    def test_an_address_of_nothing_shows_something(self):
        for place in ("#/split/%", "#/%E0%A4%A", "#/constructor", "#/samples/train?pictures=constructor"):
            with self.subTest(place):
                page = self.page(place)
                self.assertTrue(page.run("document.querySelector('main .note, .cards, .gallery') !== null"))
                self.check_clean(page)

    def test_a_number_that_is_none_is_not_taken(self):
        page = self.page("#/samples/train?per_class=2")
        change = ("(() => {{ const i = document.querySelector('.filters input'); i.value = '{}';"
                  " i.dispatchEvent(new Event('change')); return [i.value, location.hash]; }})()")
        for text in ("0", "-1", "1e3", "2147483648", "x"):
            self.assertEqual(page.run(change.format(text)), ["2", "#/samples/train?per_class=2"])
        page.run(change.format(""))
        page.wait("location.hash === '#/samples/train'")

    def test_a_split_that_was_replaced_is_looked_for_anew(self):
        with daemon.temporary_folder() as folder:
            data = daemon.generate(folder, "--count", "30,4", "--seed", "3", source="synthetic")
            with daemon.Daemon(data, "--watch-interval-s", "1") as server:
                page = self.tab()
                page.go(f"{server.url}/#/split/train")
                before = page.run("document.querySelector('.facts code').textContent")
                daemon.generate(folder, "--count", "30,4", "--seed", "4", source="synthetic")
                daemon.wait_until(lambda: server.get("/v1/splits/train").json()["revision"] != before)
                page.run("location.hash = '#/sample/train/1'")
                page.wait("document.querySelector('main .note:not(.quiet)')")
                page.run("location.hash = '#/split/train'")
                page.wait(f"document.querySelector('.facts code') && document.querySelector('.facts code').textContent !== '{before}'")

    def test_fields_of_the_heat_map_lead_to_what_they_count(self):
        page = self.page("#/split/train")
        n, hash_ = page.run("(() => { const a = document.querySelector('table.heat td:not(.alone) a'); return [Number(a.textContent), a.getAttribute('href')]; })()")
        page.go(self.server.url + "/" + hash_)
        self.assertIn(f"{n} sample", page.run("document.querySelector('.results').textContent"))

    def test_what_is_counted_of_a_view_leads_to_its_samples(self):
        for view in ("folds=4&fold=1&part=held", "any=3,8", "all=3&none=1", "kind=single"):
            links = self.page(f"#/split/train?{view}").run(
                "[...document.querySelectorAll('table.heat td a, .digits a')].map((a) => [a.getAttribute('href'), a.getAttribute('aria-label')])")
            self.assertGreater(len(links), 3)
            for link, label in links:
                total = self.server.get(link.replace("#/samples/train", "/v1/splits/train/samples") + "&length=1").json()["total"]
                self.assertIn(f": {total} sample", label, link)

    def test_next_is_the_next_sample_of_the_view(self):
        view = self.server.get("/v1/splits/train/indices.json?kind=pair").json()["indices"]
        page = self.page(f"#/sample/train/{view[1]}?kind=pair")
        for key, i in (("n", 2), ("p", 1), ("p", 0)):
            page.key(key)
            page.wait(f"location.hash === '#/sample/train/{view[i]}?kind=pair' && document.querySelector('h1').textContent.startsWith('Sample {view[i]}:')")
        self.assertIsNone(page.run("document.querySelector('[data-key=p]')"))
        self.check_clean(page)

    def test_the_forms_tell_their_size(self):
        page = self.page("#/sample/train/4")
        page.wait("[...document.querySelectorAll('.form .size')].every((s) => s.textContent.endsWith('bytes)'))")
        told = page.run("[...document.querySelectorAll('.form')].map((f) => [f.querySelector('.query a').href, Number(f.querySelector('.size').textContent.replace(/.*\\(|[^0-9]/g, ''))])")
        self.assertEqual(len(told), 16)
        for url, size in told:
            self.assertEqual(len(self.server.get(url[len(self.server.url):]).body), size, url)
            self.assertEqual(page.requests.count(url), 1)
        self.assertEqual(page.run("[...document.querySelectorAll('.form .strip')].filter((s) => !s.querySelector('canvas')).length"), 0)
        self.check_clean(page)

    def test_a_split_in_the_published_order_has_all_forms(self):
        with daemon.temporary_folder() as folder:
            data = daemon.generate(folder, "--count", "60,10", "--seed", "5", "--order", "published", source="synthetic")
            with daemon.Daemon(data) as server:
                pair = server.get("/v1/splits/train/indices.json?kind=pair").json()["indices"][0]
                page = self.tab()
                page.go(f"{server.url}/#/sample/train/{pair}")
                page.wait("[...document.querySelectorAll('.form .size')].every((s) => s.textContent !== '…')")
                self.assertEqual(page.run("[...document.querySelectorAll('.form .size')].map((s) => s.textContent).filter((s) => !s.endsWith('bytes)'))"), [])
                self.check_clean(page, server.url)

    def test_what_is_in_space_can_be_turned(self):
        page = self.page("#/sample/train/4")
        look = "document.querySelector('.spacetime').toDataURL()"
        first = page.run(look)
        page.run("document.querySelector('.spacetime').focus()")
        page.key("ArrowLeft")
        self.assertNotEqual(page.run(look), first)
        page.key("Home")
        self.assertEqual(page.run(look), first)

    # ---- the mixer ----

    def lines(self, page, name):
        page.run(f"document.getElementById('code-{name}').click()")
        return page.run("document.querySelector('#code-panel pre').textContent")

    def check_lines(self, place, path, server=None, base="/"):
        """Each of the lines gives the very events."""
        server, page = server or self.server, self.tab()
        page.go(server.url + base + place)
        self.assertIn("the same events, one by one", page.run("document.querySelector('main').innerText"))
        packed = server.get(path + ".bin").body
        array = np.load(io.BytesIO(server.get(path + ".npy").body))
        with daemon.temporary_folder() as folder:
            self.assertEqual(urllib.request.urlopen(self.lines(page, "URL"), timeout=60).read(), server.get(path + ".npy").body)
            if shutil.which("curl"):
                subprocess.run(["sh", "-c", self.lines(page, "curl").replace("curl ", "curl -s ")], cwd=folder, check=True)
                np.testing.assert_array_equal(np.load(pathlib.Path(folder) / "sample.npy"), array)
            np.testing.assert_array_equal(self.in_python(self.lines(page, "NumPy"), "events"), array)
            if "twonmnist" not in (python := self.lines(page, "Python")):
                events = self.in_python(python, "events")
                self.assertEqual(events, list(zip(*(array[name].tolist() for name in "txyp"))))
            elif (BUILD / ".libs/libtwonmnist.so.0").exists():
                np.testing.assert_array_equal(self.in_python(python, "events"), array)
            self.check_c(self.lines(page, "C"), folder, packed)
        self.check_clean(page, server.url)

    @staticmethod
    def in_python(lines, name):
        import pickle
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "TWONMNIST_LIBRARY": str(BUILD / ".libs/libtwonmnist.so.0"),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, "-c", f"{lines}\nimport pickle, sys\nsys.stdout.buffer.write(pickle.dumps({name}))"],
                              stdout=subprocess.PIPE, env=environment, check=True)
        return pickle.loads(done.stdout)

    def check_c(self, lines, folder, packed):
        compiler, library = shutil.which("cc") or shutil.which("gcc"), BUILD / ".libs/libtwonmnist.so"
        if compiler is None or not library.exists():
            return
        head, _, body = lines.partition("\n\n")
        source = pathlib.Path(folder) / "lines.c"
        source.write_text(f"#include <stdio.h>\n{head}\nint main(void)\n{{\n{body}\n"
                          "fwrite(events, 5, tnm_batch_n_events(batch), stdout);\nreturn 0;\n}\n", encoding="utf-8")
        program = pathlib.Path(folder) / "lines"
        subprocess.run([compiler, "-Wall", "-Werror", f"-I{ROOT / 'client'}", source, "-o", program, library, f"-Wl,-rpath,{library.parent}"], check=True)
        self.assertEqual(subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout, packed)

    def test_a_fresh_pair_and_the_lines_that_give_it(self):
        index = 2 ** 64 - 2  # the largest that the client's library asks for
        self.check_lines(f"#/pair/nmnist-train/7/{index}", f"/v1/pairs/nmnist-train/7/{index}")

    def test_chosen_recordings_and_the_lines_that_give_their_mix(self):
        labels = [row["labels"][0] for row in self.server.get("/v1/sources/nmnist-train/samples?length=120").json()["samples"]]
        chosen = [labels.index(digit) for digit in (3, 8, 1)]
        path = ",".join(map(str, chosen))
        self.check_lines(f"#/mix/nmnist-train/{path}", f"/v1/mix/nmnist-train/{path}")

    def test_the_lines_go_below_a_base_path_of_the_daemon(self):
        with daemon.Daemon(self.data, "--base-path", "/some/where") as server:
            self.check_lines("#/mix/nmnist-train/0,40", "/v1/mix/nmnist-train/0,40", server, "/some/where")

    def test_rates_of_recordings_that_play_the_same_way_stand_on_each_other(self):
        page = self.page("#/mix/nmnist-train/0,40,80")
        batch = [self.events(f"/v1/sources/nmnist-train/samples/{i}.npy") for i in (0, 40, 80)]
        rows, which = mixed([np.stack([events[name] for name in "txyp"], 1).astype(np.int64) for events in batch])
        at, which = np.array(rows)[:, 0] // 3000, np.array(which)
        most = max(np.bincount(at[which % 2 == way]).max() for way in (0, 1)) / 3
        alone = max(np.bincount(at[which == i]).max() for i in range(3)) / 3
        nice = lambda value: next(step * 10 ** (len(str(int(value))) - 1) for step in (1, 2, 3, 4, 5, 8, 10)
                                  if step * 10 ** (len(str(int(value))) - 1) >= value)
        self.assertGreater(nice(most), nice(alone))
        self.assertIn(f"up to {nice(most)} events per millisecond", page.run("document.querySelector('svg.rate').getAttribute('aria-label')"))
        ends = page.run("[...document.querySelectorAll('svg.rate .area')].map((p) => [p.getBBox().y, p.getBBox().y + p.getBBox().height])")
        self.assertLess(ends[2][0], ends[0][0])  # above what it stands on

    def test_a_view_has_the_size_of_its_own_events(self):
        page = self.page("#/split/train?kind=single")
        events = self.server.get("/v1/splits/train/statistics?kind=single").json()["events"]
        figures = page.run("[...document.querySelectorAll('.figures div')].map((d) => d.textContent)")
        self.assertIn(f"of packed events{5 * events / 1e6:.1f} MB", figures)

    def test_next_and_random_go_to_other_pairs(self):
        page = self.page("#/pair/nmnist-train/42/8")
        page.key("n")
        page.wait_moved("hash.startsWith('#/pair/nmnist-train/42/9')")
        page.run("[...document.querySelectorAll('.filters button')].find((b) => b.textContent === 'Random').click()")
        page.wait_moved("!hash.includes('/42/')")
        page.wait("document.querySelectorAll('.player canvas').length === 3")
        self.check_clean(page)

    # ---- epochs ----

    def test_a_batch_of_an_epoch_is_that_of_its_numbers(self):
        page = self.page("#/epoch/train?seed=3&epoch=2&k=1&size=16&rank=1&world=2&kind=single")
        view = np.array(self.server.get("/v1/splits/train/indices.json?kind=single").json()["indices"])
        expected = view[np.random.RandomState([3, 2]).permutation(len(view))[16:32][1::2]]
        shown = page.run("[...document.querySelectorAll('.cell')].map((c) => Number(c.getAttribute('aria-label').split(/[ :]/)[1]))")
        self.assertEqual(shown, expected.tolist())
        self.assertEqual(page.run("document.querySelectorAll('.shares .own').length"), 8)
        np.testing.assert_array_equal(self.in_python(self.lines(page, "NumPy"), "samples"), expected)
        self.check_clean(page)

    def test_the_lines_of_a_batch_give_it(self):
        total = self.server.get("/v1/splits/train.json").json()["samples"]
        last = (total - 1) // 7
        for words in ("k=1&size=16&rank=1&world=2&any=3,8", f"k={last}&size=7&rank=0&world=2", "k=0&size=5"):
            with self.subTest(words):
                page = self.page(f"#/epoch/train?seed=3&epoch=2&{words}")
                blob = self.server.get("/v1/splits/train/epochs/3/2/batches/" + words.removeprefix("k=").replace("&", ".safetensors?", 1)).body
                tensors, _ = safetensors_reader.read(blob)
                with daemon.temporary_folder() as folder:
                    if shutil.which("curl"):
                        subprocess.run(["sh", "-c", self.lines(page, "curl").replace("curl ", "curl -s ")], cwd=folder, check=True)
                        got = (pathlib.Path(folder) / "batch.safetensors").read_bytes()
                        self.assertEqual(safetensors_reader.read(got)[0]["events"].tobytes(), tensors["events"].tobytes())
                    self.check_c(self.lines(page, "C"), folder, tensors["events"].tobytes())
                    if (BUILD / ".libs/libtwonmnist.so.0").exists():
                        labels = self.in_python(self.lines(page, "Python"), "__import__('numpy').asarray(labels)")
                        np.testing.assert_array_equal(labels, tensors["labels"])
                self.check_clean(page)

    # ---- who uses it how ----

    def test_keys_move_among_samples_and_pages(self):
        page = self.page("#/samples/train")
        page.run("document.querySelector('.cell').focus()")
        page.key("ArrowRight")
        page.key("ArrowDown")
        page.key("ArrowLeft")
        label = page.run("document.activeElement.getAttribute('aria-label')")
        columns = page.run("getComputedStyle(document.querySelector('.gallery')).gridTemplateColumns.split(' ').length")
        self.assertTrue(label.startswith(f"Sample {columns}:"), label)
        page.key("n")
        page.wait_moved("hash.includes('page=1')")
        self.assertTrue(page.run("document.querySelector('.cell').getAttribute('aria-label')").startswith("Sample 48:"))
        page.key("p")
        page.wait_moved("hash.includes('page=0')")
        page.run("document.querySelector('.cell').focus()")
        page.key("Enter")
        page.wait("location.hash.startsWith('#/sample/train/0')")
        page.key("?")
        page.wait("document.querySelector('dialog[open]')")
        page.key("Escape")
        page.wait("!document.querySelector('dialog')")

    def test_pages_are_no_larger_than_the_server_allows(self):
        with daemon.Daemon(self.data, "--max-batch-size", "10") as server:
            page = self.tab()
            page.go(server.url + "/#/samples/train")
            page.key("n")
            page.wait("document.querySelector('.cell')?.getAttribute('aria-label').startsWith('Sample 10:')")
            self.assertEqual(page.run("document.querySelectorAll('.cell').length"), 10)
            page.go(server.url + "/#/epoch/train")
            self.assertEqual(page.run("document.querySelectorAll('.cell').length"), 10)
            page.go(server.url + "/#/epoch/train?size=20&world=2")
            self.assertEqual(page.run("document.querySelectorAll('.cell').length"), 10)
            self.check_clean(page, server.url)

    def test_it_works_below_a_prefix(self):
        Prefix.behind = self.server.url
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prefix)
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            prefix = f"http://127.0.0.1:{proxy.server_port}/some/where"
            page = self.tab()
            for place in ("#/", "#/sample/train/4", "#/pair/nmnist-train/42/1"):
                page.go(f"{prefix}/{place}")
                page.wait("document.querySelector('.player canvas')")
            self.assertTrue(self.lines(page, "URL").startswith(f"{prefix}/v1/pairs/"))
            self.check_clean(page, prefix)
        finally:
            proxy.shutdown()
            proxy.server_close()
            thread.join()

    def test_a_token_is_asked_for_and_kept(self):
        with daemon.temporary_folder() as folder:
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text("me " + hashlib.sha256(b"secret").hexdigest() + "\n", encoding="ascii")
            tokens.chmod(0o600)
            with daemon.Daemon(self.data, "--token-file", tokens) as server:
                page = self.tab()
                page.call("Page.navigate", url=server.url + "/#/sample/train/4")
                for word in ("wrong", "secret"):
                    page.wait("document.querySelector('dialog[open] input')")
                    page.run(f"document.querySelector('dialog input').value = '{word}'; document.querySelector('dialog [type=submit]').click()")
                page.wait("document.querySelector('.player canvas')")
                page.go(server.url + "/#/split/train")
                self.assertFalse(page.run("document.querySelector('dialog') !== null"))
                self.assertEqual(page.run("localStorage.length"), 0)

    def told_after(self, script, words):
        """That the page says so, and shows nothing, where a script has been at what arrives."""
        page = self.page("#/")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        page.call("Page.navigate", url="about:blank")
        page.call("Page.navigate", url=self.server.url + "/#/sample/train/4")
        page.wait(f"document.body && document.body.textContent.includes('{words}')")
        self.assertFalse(page.run("document.querySelector('.player') !== null"))

    def test_what_arrives_damaged_is_told_and_not_shown(self):
        self.told_after("""{ const real = Response.prototype.arrayBuffer;
            Response.prototype.arrayBuffer = async function () { const bytes = await real.call(this);
                new Uint8Array(bytes)[bytes.byteLength - 1] ^= 1; return bytes; }; }""", "arrived damaged")

    def test_what_arrives_without_its_digest_is_told_and_not_shown(self):
        self.told_after("""{ const real = Headers.prototype.get; Headers.prototype.get = function (name) {
            return name === 'Repr-Digest' ? null : real.call(this, name); }; }""", "without its CRC-32C")

    def test_a_file_is_kept_and_what_fails_is_told(self):
        page = self.page("#/mix/nmnist-train/0,40")
        button = "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Download .%s')"
        kept = ("new Promise((r) => { let blob; URL.createObjectURL = (it) => { blob = it; return 'blob:'; };"
                " HTMLAnchorElement.prototype.click = function () { r([this.download, blob.size]); }; %s.click(); })")
        name, size = page.run(kept % (button % "bin"))
        self.assertRegex(name, r"^mix-nmnist-train@[0-9a-f]{12}-0-40\.bin$")
        self.assertEqual(size, len(self.server.get("/v1/mix/nmnist-train/0,40.bin").body))
        self.check_clean(page)
        page.run(f"fetch = async () => {{ throw new Error('no network'); }}; {button % 'npy'}.click()")
        page.wait("document.querySelector('dialog[open]')?.textContent.includes('no network')")

    # ---- a newcomer ----

    def test_a_newcomer_finds_mixes_copies_and_runs(self):
        """From the first page with a mouse: a sample of 3 and 8, how it was mixed, two others, the line, the same bytes."""
        page = self.page("#/")
        click = "[...document.querySelectorAll('{}')].find((e) => e.textContent.trim() === '{}').click()"
        shown = "document.querySelector('h1')?.textContent.startsWith('{}') && !document.querySelector('[aria-busy]')"
        page.run(click.format("h3 a", "train"))
        page.wait("document.querySelector('table.heat')")
        page.run("document.querySelector('table.heat a[aria-label^=\"3 and 8:\"]').click()")
        page.wait(shown.format("Samples") + " && document.querySelector('.cell')")
        page.run("document.querySelector('.cell').click()")
        page.wait(shown.format("Sample ") + " && document.querySelector('.player')")
        self.assertIn("3 and 8", page.run("document.querySelector('h1').textContent"))
        page.run(click.format("a", "see how it was mixed"))
        page.wait(shown.format("Mixer") + " && document.querySelectorAll('.player canvas').length === 3")
        before = page.run("location.hash")
        page.run(click.format("button", "Random"))
        page.wait(f"location.hash !== '{before}' && document.querySelector('#code-panel pre')?.textContent.endsWith(location.hash.split('/').pop() + '.npy')")
        self.assertIn("the same events, one by one", page.run("document.querySelector('main').innerText"))
        digest = page.run("fetch(document.querySelector('#code-panel pre').textContent, {method: 'HEAD'}).then((a) => a.headers.get('Repr-Digest'))")
        page.run("document.getElementById('code-curl').click()")
        self.browser.call("Browser.grantPermissions", {"origin": self.server.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        page.call("Page.bringToFront")
        page.run("document.querySelector('.copy').click()")
        page.wait("document.querySelector('.copy').textContent === 'Copied'")
        line = page.run("navigator.clipboard.readText()")
        self.check_clean(page)
        if not shutil.which("curl"):
            self.skipTest("curl is not there")
        with daemon.temporary_folder() as folder:
            subprocess.run(["sh", "-c", line.replace("curl ", "curl -s ")], cwd=folder, check=True)
            body = (pathlib.Path(folder) / "sample.npy").read_bytes()
        path = page.run("location.hash").split("?")[0].replace("#/mix/", "/v1/mix/")
        self.assertEqual(body, self.server.get(path + ".npy").body)
        self.assertEqual(digest_of(body), digest or self.server.get(path + ".npy").headers["Repr-Digest"])


if __name__ == "__main__":
    unittest.main()
