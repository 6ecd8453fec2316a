# SPDX-License-Identifier: Apache-2.0
"""`twonmnist play` in terminals: their size, their colours, their keys, and that each is given back."""
import base64
import os
import re
import signal
import subprocess
import sys
import unittest

import numpy as np

import daemon
from pseudo_terminal import Terminal, frames, plain

CLIENT = daemon.COMMAND_LINE
TAKEN, GIVEN_BACK = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
COOKED, RAW = (True, True), (False, False)
FRAME = r"\x1b\[H.*\x1b\[H"

# A shell with one job: it runs it in the foreground of the terminal, says when it stops, and lets it
# go on at a line of its input.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
words, said, heard = sys.argv[3:], int(sys.argv[1]), int(sys.argv[2])
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(1, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(words[0], words)
while True:
    status = os.waitpid(job, os.WUNTRACED)[1]
    os.tcsetpgrp(1, os.getpgrp())
    if not os.WIFSTOPPED(status):
        break
    os.write(said, b"stopped")
    os.read(heard, 1)
    os.tcsetpgrp(1, job)
    os.killpg(job, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""

DEAF = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


def setUpModule():
    global server
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))


class Play(unittest.TestCase):
    def terminal(self, *options, before=(), **more):
        return self.enterContext(Terminal([*before, CLIENT, "play", "train", "0", *options],
                                          TWONMNIST_SERVER=server.url, **more))

    def round(self, **more):
        """The frames of one round, and all that was written."""
        terminal = self.terminal("--once", "--speed", "4", **more)
        status, output = terminal.wait()
        self.assertEqual(status, 0, output)
        self.given_back(terminal)
        seen = frames(output.partition(GIVEN_BACK)[0])
        self.assertGreater(len(seen), 2)
        return seen, output

    def given_back(self, terminal):
        self.assertIn(TAKEN, terminal.output)
        self.assertTrue(terminal.output.rstrip().endswith(GIVEN_BACK), terminal.output[-200:])
        self.assertEqual(terminal.modes(), COOKED)


class Windows(Play):
    def test_a_frame_fits_into_any_window(self):
        signs = {"NO_COLOR": "1"}
        for columns, rows, more in ((200, 60, {}), (80, 40, signs), (34, 20, {}), (34, 20, signs),
                                    (20, 12, {"LC_ALL": "C"}), (5, 5, {}), (5, 5, signs)):
            with self.subTest(columns=columns, rows=rows, **more):
                for lines in self.round(columns=columns, rows=rows, **more)[0]:
                    self.assertLessEqual(len(lines), rows)
                    self.assertLessEqual(max(map(len, lines)), columns)
                    self.assertTrue("".join(lines).isprintable())

    def test_the_picture_is_as_large_as_there_is_room(self):
        for size, picture in (((80, 40), (34, 68)), ((80, 24), (17, 34)), ((34, 20), (17, 34)),
                              ((33, 24), (9, 17)), ((80, 12), (9, 17)), ((80, 3), (0, 0))):
            lines = self.round(columns=size[0], rows=size[1])[0][1][1:-2]
            self.assertEqual((len(lines), max(map(len, lines), default=0)), picture, size)

    def test_it_follows_the_window(self):
        terminal = self.terminal()
        terminal.wait_for("▀")
        at = len(terminal.output)
        terminal.resize(80, 50)
        terminal.wait_for(r"\x1b\[2J" + FRAME, at)
        self.assertEqual(len(frames(terminal.output)[-2]), 1 + 34 + 2)
        terminal.type("q")
        self.assertEqual(terminal.wait()[0], 0)

    def test_what_is_told_of_a_sample_stands_above_and_below(self):
        lines = self.round()[0][-1]
        self.assertRegex(lines[0], r"^train 0: [\d,]+ events, digits( \d)+$")
        self.assertRegex(lines[-2], "^━{50,60}─{0,10}$")
        self.assertRegex(lines[-1], r"^\d+\.\d ms  saccade 3  .*ON.*OFF  q ends$")


class Colours(Play):
    def test_on_and_off_are_coloured(self):
        output = self.round()[1]
        for colour in (178, 74):  # of the palette's 256 those next to the two of the pictures
            self.assertRegex(output, rf"\x1b\[[34]8;5;{colour}m")

    def test_a_terminal_of_all_colours_gets_those_of_the_pictures(self):
        output = self.round(COLORTERM="truecolor")[1]
        for colour in ("230;159;0", "86;180;233"):
            self.assertRegex(output, rf"\x1b\[[34]8;2;{colour}m")
        self.assertNotIn("8;5;", output)

    def test_without_colours_they_are_signs(self):
        seen, output = self.round(NO_COLOR="1")
        self.assertNotRegex(output, r"\x1b\[[\d;]*m")
        pictures = "".join("".join(lines[1:-2]) for lines in seen)
        self.assertEqual(set(pictures), set(" +-"))

    def test_without_unicode_nothing_else_is_sent(self):
        for more in ({}, {"NO_COLOR": "1"}):
            self.assertTrue(self.round(LC_ALL="C", **more)[1].isascii())

    def test_a_terminal_that_does_not_obey_gets_text(self):
        for name in ("dumb", ""):
            status, output = self.terminal(TERM=name).wait()
            self.assertEqual(status, 0)
            self.assertNotIn("\x1b", output)
            self.assertEqual(output.count("saccade"), 3)
            self.assertEqual(len(output.splitlines()), 1 + 3 * 35)


def kitty_pixels(output):
    """The last whole picture of kitty's protocol: [height, width, 3]."""
    pictures = re.findall(r"\x1b_Ga=T,f=24,[^;]*s=(\d+),v=(\d+),[^;]*;(.*?)\x1b_Gm=0;", output, re.DOTALL)
    width, height, text = pictures[-1]
    pixels = base64.b64decode(re.sub(r"\x1b\\(\x1b_Gm=1;)?", "", text), validate=True)
    return np.frombuffer(pixels, np.uint8).reshape(int(height), int(width), 3)


def sixel_pixels(output):
    """The last picture of sixels, each as its colour's number, and the colours in percent."""
    text = re.findall(r"\x1bP0;1;0q(.*?)\x1b\\", output, re.DOTALL)[-1]
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', text).groups())
    colours = {int(n): tuple(map(int, rgb.split(";"))) for n, rgb in re.findall(r"#(\d+);2;([\d;]+)", text)}
    seen = np.full((height + 5, width), -1)
    x = y = colour = 0
    for one in re.finditer(r"#(\d+);2;[\d;]+|#(\d+)|!(\d+)(.)|([$-])|([?-~])", text.partition("#")[1] + text.partition("#")[2]):
        if one[2]:
            colour = int(one[2])
        elif one[5]:
            x, y = 0, y + 6 * (one[5] == "-")
        elif one[3] or one[6]:
            n, bits = int(one[3] or 1), ord(one[4] or one[6]) - ord("?")
            for row in range(6):
                if bits >> row & 1:
                    seen[y + row, x:x + n] = colour
            x += n
    assert (seen[height:] == -1).all()
    return seen[:height], colours


class Graphics(Play):
    """Terminals that say that they can show pictures."""
    KITTY, CELL, SIXEL, NEITHER = "\x1b_Gi=31;OK\x1b\\", "\x1b[6;20;10t", "\x1b[?62;4;6c", "\x1b[?62;22c"

    def shown(self, answers, *options, **more):
        terminal = self.terminal("--once", "--speed", "4", *options, **more)
        if answers:
            terminal.wait_for(r"\x1b\[c")
            terminal.type(answers)
        status, output = terminal.wait()
        self.assertEqual(status, 0, output[-500:])
        self.given_back(terminal)
        return output

    def test_kitty_gets_pixels_as_large_as_there_is_room(self):
        output = self.shown(self.KITTY + self.CELL + self.NEITHER)
        self.assertNotIn("▀", output)
        pixels = kitty_pixels(output)
        self.assertEqual(pixels.shape, (136, 136, 3))
        # 21 rows of 20 pixels are 12 for each of the sensor's: 408 of them, in cells of 10 x 20
        self.assertIn("c=41,r=21,", output)
        self.assertTrue((pixels == pixels[::4, ::4].repeat(4, 0).repeat(4, 1)).all())
        self.assertTrue(output.partition(GIVEN_BACK)[0].endswith("\x1b_Ga=d,d=I,i=1,q=2;\x1b\\"))

    def test_sixels_show_the_same(self):
        first = self.shown(self.KITTY + self.NEITHER)
        seen, colours = sixel_pixels(self.shown(self.CELL + self.SIXEL))
        self.assertEqual(seen.shape, (408, 408))
        self.assertTrue((seen >= 0).all())
        self.assertGreater(len(np.unique(seen)), 5)
        palette = np.array([colours[i] for i in range(15)])
        same = kitty_pixels(first)[::4, ::4].astype(int) * 100 // 255
        self.assertTrue((palette[seen[::12, ::12]] == same).all())
        self.assertEqual(colours[14], (90, 62, 0))

    def test_one_that_cannot_or_says_nothing_gets_characters(self):
        for answers in (self.NEITHER, None):
            output = self.shown(answers)
            self.assertIn("▀", output)
            self.assertNotIn("\x1b_Ga=T", output)

    def test_who_knows_is_not_asked(self):
        for options, more, sign in ((("--graphics", "blocks"), {}, "▀"), (("--graphics", "sixel"), {}, "\x1bP0;1;0q"),
                                    (("--graphics", "kitty"), {}, "\x1b_Ga=T"), ((), {"NO_COLOR": "1"}, "+")):
            output = self.shown(None, *options, **more)
            self.assertIn(sign, output)
            self.assertNotIn("\x1b[c", output)

    def test_a_window_without_room_shows_what_it_can(self):
        output = self.shown(None, "--graphics", "kitty", rows=3)
        self.assertNotIn("\x1b_Ga=T", output)
        self.assertIn("train 0", plain(output))


class Keys(Play):
    def test_q_or_escape_ends_and_an_arrow_does_not(self):
        for key in ("q", "Q", "\x1b"):
            terminal = self.terminal()
            terminal.wait_for(FRAME)
            self.assertEqual(terminal.modes(), RAW)
            terminal.type("\x1b[A")
            terminal.wait_for(FRAME, len(terminal.output))
            terminal.type(key)
            self.assertEqual(terminal.wait()[0], 0)
            self.given_back(terminal)
            self.assertNotIn("^[", terminal.output)  # no key echoes

    def test_the_space_bar_pauses(self):
        terminal = self.terminal()
        terminal.wait_for(FRAME)
        terminal.type(" ")
        terminal.wait_for("paused")
        at = len(terminal.output)
        terminal.wait_for(FRAME, at)  # drawn anew now and then, and the same
        times = {re.match(" *[0-9.]+ ms", lines[-1]).group()
                 for lines in frames(terminal.output[at:])[:-1]}
        self.assertEqual(len(times), 1)
        terminal.type(" ")
        terminal.wait_for(r"ms  saccade \d  [^p]", at, plain)
        terminal.type("q")
        self.assertEqual(terminal.wait()[0], 0)

    def test_without_a_keyboard_it_plays(self):
        terminal = self.terminal("--once", "--speed", "4", stdin=subprocess.DEVNULL)
        self.assertEqual(terminal.wait()[0], 0)
        self.given_back(terminal)


class Ends(Play):
    def test_a_signal_ends_it_when_the_terminal_is_as_it_was(self):
        for end in ("\x03", "\x1c", signal.SIGTERM, signal.SIGHUP):
            terminal = self.terminal()
            terminal.wait_for(FRAME)
            if isinstance(end, str):
                terminal.type(end)
            else:
                terminal.process.send_signal(end)
            number = {"\x03": signal.SIGINT, "\x1c": signal.SIGQUIT}.get(end, end)
            self.assertEqual(terminal.wait()[0], -number)
            self.given_back(terminal)

    def test_a_terminal_that_goes_away_ends_it(self):
        terminal = self.terminal()
        terminal.wait_for(FRAME)
        terminal.hang_up()
        self.assertIn(terminal.process.wait(timeout=60), (1, -signal.SIGHUP))

    def test_output_that_does_not_arrive_ends_it(self):
        """Its terminal goes away, and it ignores the signal, as under nohup."""
        terminal = self.terminal(before=[sys.executable, "-ISc", DEAF])
        terminal.wait_for(FRAME)
        terminal.hang_up()
        self.assertEqual(terminal.process.wait(timeout=60), 1)

    def test_ctrl_z_stops_it_and_it_goes_on(self):
        said, say = os.pipe()
        heard, hear = os.pipe()
        for descriptor in (say, heard):
            os.set_inheritable(descriptor, True)
        for descriptor in (said, say, heard, hear):
            self.addCleanup(os.close, descriptor)
        terminal = self.terminal(before=[sys.executable, "-ISc", SHELL, say, heard],
                                 pass_fds=(say, heard))
        terminal.wait_for(FRAME)
        for _ in range(2):
            at = len(terminal.output)
            terminal.type("\x1a")
            terminal.wait_for(re.escape(GIVEN_BACK), at)
            self.assertEqual(os.read(said, 7), b"stopped")
            self.assertEqual(terminal.modes(), COOKED)
            at = len(terminal.output)
            os.write(hear, b"\n")
            terminal.wait_for(re.escape(TAKEN) + ".*" + FRAME, at)
            self.assertEqual(terminal.modes(), RAW)
        terminal.type("q")
        self.assertEqual(terminal.wait()[0], 0)
        self.given_back(terminal)

    def test_it_takes_the_terminal_again_after_a_stop_that_cannot_be_caught(self):
        terminal = self.terminal()
        terminal.wait_for(FRAME)
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(re.escape(TAKEN) + ".*" + re.escape(TAKEN) + ".*" + FRAME)
        terminal.type("q")
        self.assertEqual(terminal.wait()[0], 0)


if __name__ == "__main__":
    unittest.main()
