# SPDX-License-Identifier: Apache-2.0
"""Heavy requests wait in one queue: it is bounded, fair, and nobody's once nobody waits."""
import json
import os
import select
import unittest

import daemon
import wire

HEAVY = "/v1/splits/train/batch.json?indices=" + ",".join(["0"] * 200)  # some 0.1 s of a worker
ATTACKER = "127.0.0.2"


def setUpModule():
    global folder
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                             "60,20", source="synthetic")


def cpu_s(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Queue(unittest.TestCase):
    def send(self, server, n, source="127.0.0.1"):
        connections = []
        for _ in range(n):
            connections.append(self.enterContext(wire.connect(server, source=source)))
            connections[-1].sendall(wire.request(HEAVY))
        return connections

    def answers(self, connections):
        """(status, code) of each answer."""
        answers = []
        for connection in connections:
            status, _, body = wire.receive_answer(connection)
            answers.append((status, json.loads(body)["code"] if status != 200 else None))
        return answers

    def test_a_queue_that_one_address_fills_has_room_for_another(self):
        with daemon.Daemon(folder, "--threads", 1, "--queue-length", 8) as server:
            attackers = self.send(server, 40, ATTACKER)
            select.select(attackers, [], [], wire.STALL_S)  # refused, since it is full
            self.assertEqual(server.get(HEAVY).status, 200)
            answers = self.answers(attackers)
            self.assertEqual({code for _, code in answers}, {None, "busy"})
            self.assertGreaterEqual(answers.count((200, None)), 7)

    def test_the_queue_is_bounded_by_what_it_costs(self):
        with daemon.Daemon(folder, "--threads", 1, "--queue-cost-ms", 1) as server:
            answers = self.answers(self.send(server, 10))
            self.assertIn((200, None), answers)
            self.assertIn((503, "busy"), answers)
            self.assertEqual(server.get(HEAVY).status, 200)  # one alone may cost more

    def test_limits_are_told(self):
        with daemon.Daemon(folder, "--queue-cost-ms", 1234) as server:
            limits = server.get("/v1/splits").json()["limits"]
            self.assertEqual(limits["queue_cost_ms"], 1234)
            self.assertIn("least_rate", limits)

    def test_nothing_is_made_for_clients_that_have_left(self):
        with daemon.Daemon(folder, "--threads", 1) as server:
            server.get(HEAVY)
            before = cpu_s(server.process)
            for _ in range(3):
                server.get(HEAVY)
            one = (cpu_s(server.process) - before) / 3
            before = cpu_s(server.process)
            for _ in range(60):
                with wire.connect(server) as connection:
                    connection.sendall(wire.request(HEAVY))
            server.get(HEAVY)  # comes behind them
            self.assertLess(cpu_s(server.process) - before, max(30 * one, 0.5))

    def test_a_stop_answers_what_it_cannot_make_in_time(self):
        with daemon.Daemon(folder, "--threads", 1, "--stop-timeout-s", 0) as server:
            clients = self.send(server, 30)
            server.get("/healthz")  # so that all of them have arrived
            server.process.terminate()
            answers = self.answers(clients)
            self.assertEqual(server.stop(), 0)
        self.assertIn((503, "stopping"), answers)
        self.assertLess(answers.count((200, None)), 30)


if __name__ == "__main__":
    unittest.main()
