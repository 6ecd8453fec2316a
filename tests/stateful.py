# SPDX-License-Identifier: Apache-2.0
"""What torchdata's StatefulDataLoader asks of a dataset, in the order in which it does."""
import unittest.mock


class Worker:
    """One worker process's side, in this process: its own copy of the dataset."""

    def __init__(self, dataset, state, info):
        self.dataset, self.info = dataset, info
        with self.inside():
            if state is not None:
                self.dataset.load_state_dict(state)
            self.iterator = iter(self.dataset)
            self.state = self.dataset.state_dict()

    def inside(self):
        return unittest.mock.patch("twonmnist.workers.get_worker_info", return_value=self.info)

    def resume(self):
        """Of persistent workers, at the beginning of every further pass."""
        with self.inside():
            self.iterator = iter(self.dataset)
            self.state = self.dataset.state_dict()

    def fetch(self):
        """A batch, or None at the end, and the state after it."""
        with self.inside():
            batch = next(self.iterator, None)
            return batch, self.dataset.state_dict()


class StatefulDataLoader:
    """Without workers, or with some: batches in turn, the states of the workers as of the batches
    that were given. `copy` makes a worker's copy of the dataset."""

    n_iterators = 0

    def __init__(self, dataset, num_workers=0, persistent_workers=False, copy=None):
        self.dataset, self.num_workers, self.copy = dataset, num_workers, copy
        self.is_persistent = persistent_workers and num_workers > 0
        self.iterator, self.next_state = None, None

    def __iter__(self):
        if self.is_persistent and self.iterator is not None:
            self.iterator.reset()
        else:
            self.iterator = self.new_iterator()
        if self.iterator.is_finished:  # the state was the end of a pass: a fresh one
            if self.is_persistent:
                self.iterator.reset()
            else:
                self.iterator = self.new_iterator()
        return self.iterator

    def new_iterator(self):
        state, self.next_state = self.next_state, None
        return (Several if self.num_workers else Single)(self, state)

    def state_dict(self):
        if self.iterator is None:
            self.iterator = self.new_iterator()
        return self.iterator.state_dict()

    def load_state_dict(self, state):
        self.iterator, self.next_state = None, state  # loaded when it is iterated over


class Single:
    def __init__(self, owner, state):
        self.dataset = owner.dataset
        if state is not None:
            self.dataset.load_state_dict(state["dataset"])
        self.inner = iter(self.dataset)
        self.is_finished = state is not None and state["finished"]

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self.inner)
        except StopIteration:
            self.is_finished = True
            raise

    def state_dict(self):
        return {"dataset": self.dataset.state_dict(), "finished": self.is_finished}


class Several:
    def __init__(self, owner, state):
        StatefulDataLoader.n_iterators += 1
        seed = 1000 * StatefulDataLoader.n_iterators
        states = state["workers"] if state is not None else [None] * owner.num_workers
        assert len(states) == owner.num_workers
        self.workers = [
            Worker(owner.copy(owner.dataset), states[i],
                   unittest.mock.Mock(id=i, num_workers=owner.num_workers, seed=seed + i))
            for i in range(owner.num_workers)]
        self.begin(state["turn"] if state is not None else 0)
        self.is_finished = state is not None and state["finished"]

    def begin(self, turn):
        self.turn, self.has_ended = turn, [False] * len(self.workers)
        self.states = [worker.state for worker in self.workers]
        self.is_finished = False
        # Each fetches ahead, so that its own place is past what was given.
        self.ahead = [[worker.fetch() for _ in range(2)] for worker in self.workers]

    def reset(self):
        for worker in self.workers:
            worker.resume()
        self.begin(0)

    def __iter__(self):
        return self

    def __next__(self):
        while not all(self.has_ended):
            i, self.turn = self.turn, (self.turn + 1) % len(self.workers)
            if self.has_ended[i]:
                continue
            batch, self.states[i] = self.ahead[i].pop(0)
            if batch is not None:
                self.ahead[i].append(self.workers[i].fetch())
                return batch
            self.has_ended[i] = True
        self.is_finished = True
        raise StopIteration

    def state_dict(self):
        return {"workers": list(self.states), "turn": self.turn, "finished": self.is_finished}
