#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a small spiking network on 2NMNIST from a running daemon.

    python3 train.py http://localhost:8642 --epochs 5

34·34·2 inputs, 256 leaky integrate-and-fire neurons, 10 outputs, a surrogate gradient; the loss is
that of the dataset's authors (Jurado, Dunn, Shapero, "Spikemoid", IJCNN 2023): sigmoid((rate - θ)/α)
of each output's firing rate, with binary cross-entropy against the multi-hot label. A checkpoint
holds the place in the epoch, so that --resume goes on with the identical next batch.
"""
import argparse
import os
import pathlib
import sys

import torch
from torch import nn

import twonmnist

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


class Scores:
    """Loss, exact match and F1 over the batches of an epoch.

    tp, fp, fn: [10], of each digit. F1 = 2·tp / (2·tp + fp + fn), 0 where that is 0/0.
    micro: of the sums over all digits; macro: the mean of the digits' own.
    exact: share of samples all of whose ten answers are right.
    """

    def __init__(self, state=None):
        zero = torch.zeros(DIGITS, dtype=torch.float64)
        self.state = state or {"tp": zero, "fp": zero.clone(), "fn": zero.clone(), "loss": 0.0,
                               "exact": 0, "n": 0}

    def add(self, loss, is_there, labels):
        """loss: mean of the batch; is_there, labels: bool [B, 10]."""
        for name, seen in (("tp", is_there & labels), ("fp", is_there & ~labels),
                           ("fn", ~is_there & labels)):
            self.state[name] += seen.sum(0).cpu()
        self.state["exact"] += int((is_there == labels).all(1).sum())
        self.state["loss"] += loss * len(labels)
        self.state["n"] += len(labels)

    def summary(self):
        def f1(tp, fp, fn):
            return torch.nan_to_num(2 * tp / (2 * tp + fp + fn))
        tp, fp, fn = (self.state[name] for name in ("tp", "fp", "fn"))
        n = max(self.state["n"], 1)
        return {"loss": self.state["loss"] / n, "exact": self.state["exact"] / n,
                "micro F1": float(f1(tp.sum(), fp.sum(), fn.sum())),
                "macro F1": float(f1(tp, fp, fn).mean())}


class Training:
    """The network, where it is in the data, and what was reached so far."""

    def __init__(self, options):
        torch.manual_seed(options.seed)
        self.options = options
        self.network = Network(options.hidden, options.decay).to(options.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate)
        form = {"axes": "TBCHW", "timestep": options.timestep, "bins": options.bins}
        if options.device != "cpu":  # frames are made there, which are too large to be moved there
            form["device"] = options.device
        self.train = twonmnist.loader(twonmnist.Split(options.urls, "train"), options.batch_size,
                                      seed=options.seed, last="drop", **form)
        self.test = twonmnist.loader(twonmnist.Split(options.urls, "test"), options.batch_size,
                                     shuffle=False, **form)
        self.n_batches = min(len(self.train), options.limit or len(self.train))
        self.epoch, self.batch, self.scores, self.history = 0, 0, Scores(), []

    def save(self):
        """Write the checkpoint: the old one stays until the new one is whole."""
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "loader": self.train.state_dict(), "random": torch.get_rng_state(),
                 "epoch": self.epoch, "batch": self.batch, "scores": self.scores.state,
                 "history": self.history}
        partial = self.options.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.options.checkpoint)

    def resume(self, path):
        state = torch.load(path, map_location=self.options.device)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.train.load_state_dict(state["loader"])
        torch.set_rng_state(state["random"].cpu())
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.scores, self.history = Scores(state["scores"]), state["history"]

    def answer(self, frames, labels):
        """The batch's loss, and which digits the network sees."""
        frames, labels = frames.to(self.options.device), labels.to(self.options.device)
        logits = spikemoid_logits(self.network(frames), self.options.theta, self.options.alpha)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels), logits > 0, labels > 0

    def step(self, frames, labels):
        self.optimizer.zero_grad()
        loss, is_there, wanted = self.answer(frames, labels)
        loss.backward()
        self.optimizer.step()
        self.scores.add(loss.item(), is_there, wanted)
        self.batch += 1

    def train_epoch(self):
        self.train.set_epoch(self.epoch)
        if self.batch < self.n_batches:
            for frames, labels in self.train:
                self.step(frames, labels)
                if self.batch == self.n_batches:
                    break
                if self.batch % self.options.checkpoint_every == 0:
                    self.save()
                    if self.options.stop_after and self.batch >= self.options.stop_after:
                        raise KeyboardInterrupt
        return self.scores.summary()

    @torch.no_grad()
    def test_epoch(self):
        scores = Scores()
        for frames, labels in self.test:
            scores.add(*(part if i else part.item()
                         for i, part in enumerate(self.answer(frames, labels))))
        return scores.summary()

    def run(self):
        while self.epoch < self.options.epochs:
            row = {"train": self.train_epoch(), "test": self.test_epoch()}
            self.history.append(row)
            print(f"epoch {self.epoch}  " + "   ".join(
                f"{name}: " + " ".join(f"{key} {value:.3f}" for key, value in part.items())
                for name, part in row.items()), flush=True)
            self.epoch, self.batch, self.scores = self.epoch + 1, 0, Scores()
            self.train.set_epoch(self.epoch)
            self.save()
            draw(self.history, self.options.curve)


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
    for name, style in (("train", "--"), ("test", "-")):
        left.plot(epochs, [row[name]["loss"] for row in history], style, marker="o", label=name)
        for key, colour in (("micro F1", "C0"), ("macro F1", "C1"), ("exact", "C2")):
            right.plot(epochs, [row[name][key] for row in history], style, marker="o",
                       color=colour, label=f"{key}, {name}")
    left.set(xlabel="epochs", ylabel="loss")
    right.set(xlabel="epochs", ylim=(0, 1))
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
            ("theta", float, 0.2, "firing rate at which a digit counts as there"),
            ("alpha", float, 0.08, "width of the spikemoid, in spikes a step"),
            ("learning-rate", float, 0.001, "of Adam"),
            ("seed", int, 1, "of the weights and of the epochs' order"),
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
