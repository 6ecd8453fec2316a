#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a small spiking network on 2NMNIST from a running daemon.

    python3 train.py http://localhost:8642 --epochs 5

34·34·2 inputs, 256 leaky integrate-and-fire neurons, 10 outputs, a surrogate gradient; the loss is
that of the dataset's authors (Jurado, Dunn, Shapero, "Spikemoid", IJCNN 2023): sigmoid((rate - θ)/α)
of each output's firing rate, with binary cross-entropy against the multi-hot label. A checkpoint
holds the place in the epoch, so that --resume goes on with the identical next batch.

A fold of the training split is held out for validation. All that is selected, the epoch whose weights
are kept and the threshold of each digit, is selected on it; the test split is opened once, when all
is decided. The table at the end names the data, so that anybody can ask for the same.
"""
import argparse
import copy
import os
import pathlib
import sys

import torch
from torch import nn

import twonmnist
from twonmnist import metrics

INPUTS, DIGITS = 2 * 34 * 34, 10


class Spike(torch.autograd.Function):
    """A step at 0, whose gradient is that of a fast sigmoid: 1 / (1 + slope·|v|)²."""

    SLOPE = 5.0

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        return gradient / (1 + Spike.SLOPE * v.abs()) ** 2


class Layer(nn.Module):
    """Leaky integrate-and-fire neurons: currents [T, B, n_in] to spikes [T, B, n_out]."""

    def __init__(self, n_in, n_out, decay):
        super().__init__()
        self.weights, self.decay = nn.Linear(n_in, n_out), decay

    def forward(self, inputs):
        currents = self.weights(inputs)
        v, spikes = torch.zeros_like(currents[0]), []
        for current in currents:
            v = self.decay * v + current
            spike = Spike.apply(v - 1)
            v = v - spike.detach()  # a spike takes the threshold away
            spikes.append(spike)
        return torch.stack(spikes)


class Network(nn.Module):
    """Frames [T, B, 2, 34, 34] to firing rates [B, 10], spikes per step."""

    def __init__(self, hidden, decay):
        super().__init__()
        self.layers = nn.Sequential(Layer(INPUTS, hidden, decay), Layer(hidden, DIGITS, decay))

    def forward(self, frames):
        return self.layers(frames.flatten(2)).mean(0)


def spikemoid_logits(rates, theta, alpha):
    """(rate - θ)/α; its sigmoid is the probability that the digit is there."""
    return (rates - theta) / alpha


class Data:
    """Loaders of the training samples, of those held out of them, and, when it comes to it, of the
    test samples."""

    def __init__(self, options):
        self.options = options
        self.form = {"axes": "TBCHW", "timestep": options.timestep, "bins": options.bins}
        if options.device != "cpu":  # frames are made there, which are too large to be moved there
            self.form["device"] = options.device
        split = twonmnist.Split(options.urls, "train")
        self.rest, self.held = split.folds(options.folds, options.fold_seed)[options.fold]
        self.train = twonmnist.loader(self.rest, options.batch_size, seed=options.seed, last="drop",
                                      **self.form)
        self.validation = self.in_order(self.held)

    def in_order(self, split):
        return twonmnist.loader(split, self.options.batch_size, shuffle=False, **self.form)

    def open_test(self):
        return twonmnist.Split(self.options.urls, "test")

    def url_of(self, split):
        """Where anybody gets the list of the split's samples."""
        words = f"?{split.view_words}" if split.view_words else ""
        return (f"{self.options.urls[0]}/v1/splits/{split.name}@{split.revision[:12]}"
                f"/indices.json{words}")


class Training:
    """The network, where it is in the data, and what was reached so far."""

    def __init__(self, options):
        torch.manual_seed(options.seed)
        self.options = options
        self.network = Network(options.hidden, options.decay).to(options.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate)
        self.data = Data(options)
        self.n_batches = min(len(self.data.train), options.limit or len(self.data.train))
        self.epoch, self.batch, self.loss, self.history = 0, 0, 0.0, []
        self.best = None  # {"epoch", "network", "thresholds"} of the largest macro F1 at validation

    def save(self):
        """Write the checkpoint: the old one stays until the new one is whole."""
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "loader": self.data.train.state_dict(), "random": torch.get_rng_state(),
                 "epoch": self.epoch, "batch": self.batch, "loss": self.loss,
                 "history": self.history, "best": self.best}
        partial = self.options.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.options.checkpoint)

    def resume(self, path):
        state = torch.load(path, map_location=self.options.device)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.data.train.load_state_dict(state["loader"])
        torch.set_rng_state(state["random"].cpu())
        self.epoch, self.batch, self.loss = state["epoch"], state["batch"], state["loss"]
        self.history, self.best = state["history"], state["best"]

    def logits(self, frames):
        return spikemoid_logits(self.network(frames), self.options.theta, self.options.alpha)

    def step(self, frames, labels):
        self.optimizer.zero_grad()
        loss = loss_of(self.logits(frames), labels.to(self.options.device))
        loss.backward()
        self.optimizer.step()
        self.loss += loss.item()
        self.batch += 1

    def train_epoch(self):
        """The mean loss of the epoch's batches."""
        self.data.train.set_epoch(self.epoch)
        if self.batch < self.n_batches:
            for frames, labels in self.data.train:
                self.step(frames, labels)
                if self.batch == self.n_batches:
                    break
                if self.batch % self.options.checkpoint_every == 0:
                    self.save()
                    if self.options.stop_after and self.batch >= self.options.stop_after:
                        raise KeyboardInterrupt
        return self.loss / self.batch

    @torch.no_grad()
    def scores_of(self, loader):
        """Logits and labels of all samples, [n, 10] each."""
        parts = [(self.logits(frames).cpu(), labels.cpu()) for frames, labels in loader]
        return tuple(torch.cat(part) for part in zip(*parts))

    def validate(self):
        """What is reached on the held-out samples; the best weights and thresholds are kept."""
        scores, labels = self.scores_of(self.data.validation)
        chosen = metrics.choose_thresholds(scores, labels)
        result = metrics.evaluate(labels, scores, chosen)
        row = {"loss": loss_of(scores, labels).item(), "exact": result.exact_match,
               "micro F1": result.micro_f1, "macro F1": result.macro_f1}
        if self.best is None or row["macro F1"] > self.best["macro F1"]:
            self.best = {"epoch": self.epoch, "macro F1": row["macro F1"],
                         "thresholds": list(chosen.values),
                         "network": copy.deepcopy(self.network.state_dict())}
        return row

    def run(self):
        while self.epoch < self.options.epochs:
            row = {"train": {"loss": self.train_epoch()}, "validation": self.validate()}
            self.history.append(row)
            print(f"epoch {self.epoch}  " + "   ".join(
                f"{name}: " + " ".join(f"{key} {value:.3f}" for key, value in part.items())
                for name, part in row.items()), flush=True)
            self.epoch, self.batch, self.loss = self.epoch + 1, 0, 0.0
            self.data.train.set_epoch(self.epoch)
            self.save()
            draw(self.history, self.options.curve)
        self.report()

    def report(self):
        """Open the test split, for the first and only time, and say how it went, and of what."""
        self.network.load_state_dict(self.best["network"])
        test = self.data.open_test()
        scores, labels = self.scores_of(self.data.in_order(test))
        result = metrics.evaluate(labels, scores, self.best["thresholds"])
        sets = (("train", self.data.rest), ("validation", self.data.held), ("test", test))
        print(f"\nThe test split, opened once, with the weights of epoch {self.best['epoch']} and the "
              f"thresholds\nthat were best at validation (seed {self.options.seed}, "
              f"{self.options.bins} bins of {self.options.timestep} us):\n\n{result.table()}\n\n"
              "| set | samples | indices |\n|---|---|---|")
        for name, split in sets:
            print(f"| {name} | {len(split)} | {self.data.url_of(split)} |")


def loss_of(logits, labels):
    return nn.functional.binary_cross_entropy_with_logits(logits, labels)


def draw(history, path):
    """The curves as a PNG."""
    try:
        import matplotlib
    except ImportError:
        print("no curve is drawn: matplotlib is not installed", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), constrained_layout=True)
    epochs = range(1, len(history) + 1)
    for name, style in (("train", "--"), ("validation", "-")):
        left.plot(epochs, [row[name]["loss"] for row in history], style, marker="o", label=name)
    for key in ("micro F1", "macro F1", "exact"):
        right.plot(epochs, [row["validation"][key] for row in history], marker="o", label=key)
    left.set(xlabel="epochs", ylabel="loss")
    right.set(xlabel="epochs", ylabel="validation", ylim=(0, 1))
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description="Train a small spiking network on 2NMNIST from running daemons.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("urls", nargs="+", metavar="URL", help="servers with the same data")
    for name, kind, default, text in (
            ("epochs", int, 5, "how many times to go through the training data"),
            ("limit", int, 0, "batches in an epoch at most; 0: all"),
            ("batch-size", int, 32, "samples in a batch"),
            ("bins", int, 30, "time steps of the network"),
            ("timestep", int, 10000, "µs in a bin"),
            ("hidden", int, 256, "hidden neurons"),
            ("decay", float, 0.9, "what a step leaves of a neuron's potential"),
            ("theta", float, 0.2, "firing rate at which a digit is as likely there as not"),
            ("alpha", float, 0.08, "width of the spikemoid, in spikes a step"),
            ("learning-rate", float, 0.001, "of Adam"),
            ("seed", int, 1, "of the weights and of the epochs' order"),
            ("folds", int, 10, "the training samples are dealt into so many"),
            ("fold", int, 0, "which of them is held out for validation"),
            ("fold-seed", int, 0, "of the folds"),
            ("device", str, "cpu", "cpu, cuda, …: where the network and the frames are made"),
            ("checkpoint", pathlib.Path, pathlib.Path("checkpoint.pt"), "where to save"),
            ("checkpoint-every", int, 20, "batches between two checkpoints"),
            ("curve", pathlib.Path, pathlib.Path("curve.png"), "where to draw loss and F1"),
            ("stop-after", int, 0, "stop at the first checkpoint from this batch on; 0: never")):
        parser.add_argument(f"--{name}", type=kind, default=default, help=text)
    parser.add_argument("--resume", type=pathlib.Path, help="checkpoint to go on from")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    try:
        if options.epochs < 1:
            raise ValueError(f"epochs {options.epochs}; it has to be 1 or more")
        training = Training(options)
        if options.resume:
            training.resume(options.resume)
        training.run()
    except KeyboardInterrupt:
        print(f"stopped; --resume {options.checkpoint} goes on from the last checkpoint",
              file=sys.stderr)
        return 130
    except (OSError, ValueError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
