# SPDX-License-Identifier: Apache-2.0
"""twonmnist.metrics: small cases by hand, and random ones against scikit-learn."""
import itertools
import unittest

import numpy as np

from twonmnist import metrics

try:
    import sklearn.metrics as sklearn
except ImportError:
    sklearn = None
try:
    import torch
except ImportError:
    torch = None

INFINITY = float("inf")
# Four samples of three labels; label 2 is in none of them.
TARGETS = [[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]
SCORES = [[.9, .8, .1], [.7, .6, .0], [.2, .5, .4], [.6, .1, .3]]


def random_case(seed, n=300, n_labels=10, rare=()):
    """Multi-hot targets of one or two labels, and scores that know something of them; few distinct
    ones in every other case. `rare`: labels that are never there."""
    random = np.random.default_rng(seed)
    often = [i for i in range(n_labels) if i not in rare]
    targets = np.zeros((n, n_labels), np.float32)
    for row in targets:
        row[random.choice(often, random.integers(1, 3), replace=False)] = 1
    scores = targets + random.normal(0, 0.7, targets.shape)
    return targets, np.round(scores, 1) if seed % 2 else scores


class ByHand(unittest.TestCase):
    def test_rates_are_those_counted_by_hand(self):
        result = metrics.evaluate(TARGETS, SCORES, 0.5)
        # Predicted: 110, 110, 010, 100.
        self.assertEqual(result.confusion.tolist(),
                         [[[1, 0], [0, 3]], [[0, 1], [1, 2]], [[4, 0], [0, 0]]])
        self.assertEqual(result.support.tolist(), [3, 3, 0])
        self.assertEqual(result.precision.tolist(), [1, 2 / 3, 0])
        self.assertEqual(result.recall.tolist(), [1, 2 / 3, 0])
        self.assertEqual(result.f1.tolist(), [1, 2 / 3, 0])
        self.assertEqual((result.micro_precision, result.micro_recall, result.micro_f1),
                         (5 / 6,) * 3)
        self.assertAlmostEqual(result.macro_f1, 5 / 9)
        self.assertEqual((result.n_samples, result.exact_match), (4, 0.5))

    def test_pairs_are_the_two_largest_scores(self):
        result = metrics.evaluate(TARGETS, SCORES)
        self.assertEqual(result.pairs, ((0, 1), (0, 2), (1, 2)))
        self.assertEqual(result.pair_counts, {((0, 1), (0, 1)): 1, ((0, 1), (0, 2)): 1})
        self.assertEqual(result.pair_confusion.tolist(), [[1, 1, 0, 0], [0] * 4, [0] * 4])
        self.assertEqual((result.n_pairs, result.pair_accuracy), (2, 0.5))
        self.assertEqual(result.confused_pairs(), [((0, 1), (0, 2), 1)])

    def test_of_equal_scores_the_lower_labels_are_the_pair(self):
        result = metrics.evaluate([[0, 0, 1, 1]], [[.5, .5, .5, .5]])
        self.assertEqual(result.confused_pairs(), [((2, 3), (0, 1), 1)])

    def test_predictions_that_are_not_two_are_no_pair(self):
        targets = np.array([[1, 1, 0]] * 4)
        result = metrics.evaluate(targets, np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]]))
        self.assertEqual(result.pair_confusion[0].tolist(), [1, 0, 1, 2])
        self.assertEqual(result.confused_pairs(), [((0, 1), None, 2), ((0, 1), (1, 2), 1)])
        self.assertEqual(result.pair_accuracy, 0.25)
        self.assertIn("no pair", result.pair_table())

    def test_mistakes_come_by_how_frequent_they_are(self):
        targets, scores = random_case(8, 900)
        listed = metrics.evaluate(targets, scores).confused_pairs()
        counts = {}
        for wanted, seen in zip(targets, scores):
            if wanted.sum() == 2:
                pair = tuple(np.flatnonzero(wanted)), tuple(sorted(np.argsort(seen)[-2:]))
                if pair[0] != pair[1]:
                    counts[pair] = counts.get(pair, 0) + 1
        self.assertEqual({(pair, other): n for pair, other, n in listed}, counts)
        self.assertEqual([n for _, _, n in listed], sorted(counts.values(), reverse=True))

    def test_predictions_are_not_compared_with_thresholds(self):
        for predictions in ([[True, False, True]], np.array([[1, 0, 1]], np.uint8)):
            for threshold in (-3, 0.5, 3):
                self.assertEqual(metrics.predict(predictions, threshold).tolist(),
                                 [[True, False, True]])

    def test_a_score_at_its_threshold_counts(self):
        self.assertEqual(metrics.predict([[.5, .5, -INFINITY]], [.5, .6, -1]).tolist(),
                         [[True, False, False]])
        third = np.float32(1) / np.float32(3)
        self.assertEqual(metrics.predict(np.full((1, 1), third), float(third)).tolist(), [[True]])

    def test_batches_count_as_the_whole(self):
        targets, scores = random_case(3)
        whole, parts = metrics.evaluate(targets, scores, 0.3), metrics.Metrics(10, [0.3] * 10)
        for i in range(0, len(targets), 64):
            parts.add(targets[i:i + 64], scores[i:i + 64])
        parts.add(targets[:0], scores[:0])
        self.assertEqual(parts.result().table(9), whole.table(9))
        self.assertEqual(parts.result().pair_counts, whole.pair_counts)
        np.testing.assert_array_equal(parts.result().confusion, whole.confusion)
        parts.reset()
        with self.assertRaisesRegex(ValueError, "no samples were added"):
            parts.result()

    def test_a_result_stays_when_more_is_added(self):
        counted = metrics.Metrics(3)
        counted.add(TARGETS, SCORES)
        first = counted.result()
        before = first.confusion.tolist(), dict(first.pair_counts)
        counted.add(TARGETS, SCORES)
        self.assertEqual((first.confusion.tolist(), first.pair_counts), before)

    def test_one_label_alone_has_no_pairs(self):
        result = metrics.evaluate([[1], [0]], [[.9], [.8]])
        self.assertEqual(result.pair_confusion.shape, (0, 1))
        self.assertEqual((result.micro_f1, result.pairs, result.n_pairs), (2 / 3, (), 0))

    def test_a_table_for_a_paper(self):
        text = metrics.evaluate(TARGETS, SCORES).table(2)
        self.assertEqual(text, (
            "| label | precision | recall |   F1 | support |\n"
            "| ----: | --------: | -----: | ---: | ------: |\n"
            "|     0 |      1.00 |   1.00 | 1.00 |       3 |\n"
            "|     1 |      0.67 |   0.67 | 0.67 |       3 |\n"
            "|     2 |      0.00 |   0.00 | 0.00 |       0 |\n"
            "| micro |      0.83 |   0.83 | 0.83 |       6 |\n"
            "| macro |      0.56 |   0.56 | 0.56 |       6 |\n"
            "\n"
            "exact match 0.50 of 4 samples; both digits of a pair 0.50 of 2 pairs"))
        self.assertEqual(metrics.evaluate(TARGETS, SCORES).pair_table(), (
            "|  pair | taken for | samples | of |\n"
            "| ----: | --------: | ------: | -: |\n"
            "| 0 + 1 |     0 + 2 |       1 |  2 |"))

    def test_accuracy_of_single_digits(self):
        self.assertEqual(metrics.accuracy([0, 2, 1], [[.9, 0, 0], [.1, .1, .2], [.3, .3, .2]]),
                         2 / 3)
        self.assertEqual(metrics.accuracy(np.array([3, 7]), np.array([3, 1], np.uint8)), 0.5)
        self.assertEqual(metrics.accuracy([0], [[.5, .5]]), 1)  # the lower label


class Choosing(unittest.TestCase):
    def test_by_hand(self):
        chosen = metrics.choose_thresholds(SCORES, TARGETS)
        self.assertEqual(chosen.values, (.6, .1, INFINITY))
        self.assertAlmostEqual(chosen.f1, (1 + 6 / 7 + 0) / 3)
        self.assertEqual((chosen.n_samples, chosen.per_digit), (4, True))
        self.assertEqual(str(chosen), "0.6, 0.1, inf (macro F1 0.6190 on 4 samples)")
        one = metrics.choose_thresholds(SCORES, TARGETS, per_digit=False)
        self.assertEqual(one.values, (.5,) * 3)
        self.assertEqual(str(one), "0.5 (micro F1 0.8333 on 4 samples)")

    def test_of_equally_good_ones_the_highest(self):
        # At 0.8 one of two is found: 2·1 / (1 + 2); at 0.2 both, and two more: 2·2 / (4 + 2).
        chosen = metrics.choose_thresholds([[.8], [.6], [.4], [.2]], [[1], [0], [0], [1]])
        self.assertEqual((chosen.values, chosen.f1), ((.8,), 2 / 3))

    def test_equal_scores_are_not_parted(self):
        chosen = metrics.choose_thresholds([[.8], [.5], [.5], [.2]], [[0], [1], [0], [0]])
        self.assertEqual((chosen.values, chosen.f1), ((.5,), 0.5))

    def test_no_other_threshold_is_better(self):
        for seed in range(6):
            targets, scores = random_case(seed, 60, 5, rare=(3,))
            for per_digit in (True, False):
                chosen = metrics.choose_thresholds(scores, targets, per_digit)
                reached = metrics.evaluate(targets, scores, chosen)
                f1 = reached.macro_f1 if per_digit else reached.micro_f1
                self.assertAlmostEqual(chosen.f1, f1, 12)
                grid = np.unique(scores)
                if per_digit:
                    columns = [(targets[:, [i]], scores[:, [i]]) for i in range(5)]
                    best = np.mean([max(metrics.evaluate(*column, at).micro_f1 for at in grid)
                                    for column in columns])
                else:
                    best = max(metrics.evaluate(targets, scores, at).micro_f1 for at in grid)
                self.assertAlmostEqual(f1, best, 12)

    def test_the_choice_cannot_be_changed(self):
        chosen = metrics.choose_thresholds(SCORES, TARGETS)
        with self.assertRaises(AttributeError):
            chosen.values = (0, 0, 0)
        with self.assertRaises(TypeError):
            chosen.values[0] = 0


class Errors(unittest.TestCase):
    def refused(self, words, function, *arguments):
        with self.assertRaisesRegex(ValueError, words):
            function(*arguments)

    def test_what_is_wrong_is_named(self):
        nan, counted = float("nan"), metrics.Metrics(3)
        for words, targets, scores in (
                (r"^targets of shape \[3\]; it has to be \[n, 3\]", [1, 0, 1], SCORES),
                (r"^targets of shape \[1, 2\]; it has to be \[n, 3\]", [[1, 0]], [[.1, .2]]),
                (r"^scores of shape \[1, 3\]; targets are \[4, 3\]", TARGETS, SCORES[:1]),
                (r"^scores of shape \[3\]; it has to be", TARGETS[:1], SCORES[0]),
                (r"^targets\[1, 2\] is 2; it has to be 0 or 1", [[0, 1, 0], [0, 1, 2]], SCORES[:2]),
                (r"^targets\[0, 0\] is 0.5; it has to be 0 or 1", [[.5, 0, 0]], SCORES[:1]),
                (r"^targets\[0, 0\] is nan", [[nan, 0, 0]], SCORES[:1]),
                (r"^scores\[0, 1\] is nan; it has to be a number", [[1, 0, 0]], [[.1, nan, .2]]),
                (r"^scores\[0, 2\] is inf", [[1, 0, 0]], [[.1, .1, INFINITY]]),
                (r"^scores\[0, 0\] is -1; it has to be 0 or 1", [[1, 0, 0]], [[-1, 0, 1]]),
                (r"^scores of type <U1; it has to be numbers", [[1, 0, 0]], [["a", "b", "c"]])):
            self.refused(words, counted.add, targets, scores)
        self.refused("no samples were added", counted.result)  # nothing of them was counted

    def test_thresholds_and_numbers_of_labels(self):
        self.refused(r"^thresholds of shape \[2\]; .* one number, or \[3\]",
                     metrics.Metrics, 3, [1, 2])
        self.refused(r"^thresholds\[1\] is nan", metrics.Metrics, 3, [1, float("nan"), 2])
        self.refused("^n_labels 257; it has to be 1 to 256", metrics.Metrics, 257)
        self.refused("chosen on floats", metrics.choose_thresholds, TARGETS, TARGETS)
        self.refused("nothing to choose on", metrics.choose_thresholds, np.zeros((0, 3)),
                     np.zeros((0, 3)))
        self.refused(r"^scores of shape \[3\]", metrics.predict, SCORES[0], 0.5)

    def test_accuracy(self):
        for words, targets, scores in (
                (r"^targets are float64 \[2\]; they have to be ints \[n\]", [.5, 1.], [1, 2]),
                (r"^targets are int64 \[1, 2\]", [[1, 2]], [1, 2]),
                (r"^targets\[1\] is 3; it has to be a label below 3", [0, 3], SCORES[:2]),
                (r"^targets\[0\] is -1", [-1, 2], SCORES[:2]),
                (r"^scores of shape \[4, 3\]; targets are \[2, 3\]", [0, 1], SCORES),
                (r"^scores\[0, 0\] is nan", [0], [[float("nan"), 1]]),
                (r"^scores are int64 \[3\]; .* or ints \[2\]", [0, 1], [1, 2, 3]),
                (r"^scores are float64 \[2\]", [0, 1], [.5, .5]),
                ("^no samples were given", np.zeros(0, int), np.zeros((0, 3)))):
            self.refused(words, metrics.accuracy, targets, scores)


@unittest.skipUnless(sklearn, "scikit-learn is not installed")
class ScikitLearn(unittest.TestCase):
    CASES = [(random_case(seed, rare=rare), threshold) for seed, rare, threshold in (
        (0, (), 0.5), (1, (), 0.5), (2, (4, 9), 0.5), (3, (0,), 0.4), (4, (), 9), (5, (), -9),
        (6, range(2, 10), 0.6))]
    CASES += [((np.full((5, 3), value),) * 2, 0.5) for value in (0.0, 1.0)]

    def test_rates_are_its_own(self):
        for (targets, scores), threshold in self.CASES:
            result, there = metrics.evaluate(targets, scores, threshold), scores >= threshold
            np.testing.assert_array_equal(metrics.predict(scores, threshold), there)
            columns = sklearn.precision_recall_fscore_support(targets, there, zero_division=0)
            for ours, theirs in zip((result.precision, result.recall, result.f1, result.support),
                                    columns):
                np.testing.assert_allclose(ours, theirs, rtol=1e-14)
            for average in ("micro", "macro"):
                ours = [getattr(result, f"{average}_{rate}")
                        for rate in ("precision", "recall", "f1")]
                theirs = sklearn.precision_recall_fscore_support(targets, there, average=average,
                                                                 zero_division=0)
                np.testing.assert_allclose(ours, theirs[:3], rtol=1e-14)
            self.assertEqual(result.exact_match, sklearn.accuracy_score(targets, there))
            np.testing.assert_array_equal(result.confusion,
                                          sklearn.multilabel_confusion_matrix(targets, there))

    def test_confusion_of_pairs_is_its_own(self):
        for (targets, scores), _ in self.CASES[:5]:
            result, two = metrics.evaluate(targets, scores), targets.sum(1) == 2
            numbers = {pair: i for i, pair in enumerate(itertools.combinations(range(10), 2))}
            wanted = [numbers[tuple(np.flatnonzero(row))] for row in targets[two]]
            seen = [numbers[tuple(sorted(np.argsort(-row, kind="stable")[:2]))]
                    for row in scores[two]]
            np.testing.assert_array_equal(
                result.pair_confusion[:, :45],
                sklearn.confusion_matrix(wanted, seen, labels=range(45)))
            self.assertEqual(result.pair_accuracy, sklearn.accuracy_score(wanted, seen))

    def test_thresholds_reach_the_top_of_its_curve(self):
        for (targets, scores), _ in self.CASES[:4]:
            chosen = metrics.choose_thresholds(scores, targets)
            for i in np.flatnonzero(targets.any(0)):
                precision, recall, _ = sklearn.precision_recall_curve(targets[:, i], scores[:, i])
                top = np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-300))
                reached = sklearn.f1_score(targets[:, i], scores[:, i] >= chosen.values[i])
                self.assertAlmostEqual(reached, top, 12)

    def test_accuracy_is_its_own(self):
        random = np.random.default_rng(7)
        targets, scores = random.integers(0, 10, 200), random.normal(size=(200, 10))
        scores[np.arange(200), targets] += 1
        self.assertEqual(metrics.accuracy(targets, scores),
                         sklearn.accuracy_score(targets, scores.argmax(1)))


@unittest.skipUnless(torch, "PyTorch is not installed")
class Tensors(unittest.TestCase):
    def test_tensors_count_as_arrays(self):
        targets, scores = random_case(1)
        expected = metrics.evaluate(targets, scores.astype(np.float32), 0.4).table(9)
        tensor = torch.tensor(scores, dtype=torch.float32, requires_grad=True)
        labels = torch.tensor(targets)
        for wanted in (labels, labels > 0, labels.int()):
            self.assertEqual(metrics.evaluate(wanted, tensor, torch.tensor(0.4)).table(9), expected)
        half = tensor.bfloat16()
        self.assertEqual(metrics.predict(half, 0.4).tolist(), (half.double() >= 0.4).tolist())
        self.assertEqual(metrics.accuracy(torch.tensor([1, 0]), torch.tensor([[0., 1], [0, 1]])),
                         0.5)

    def test_thresholds_of_tensors_hold_for_them_exactly(self):
        targets, scores = (torch.tensor(part, dtype=torch.float32) for part in random_case(2))
        chosen = metrics.choose_thresholds(scores, targets)
        self.assertAlmostEqual(metrics.evaluate(targets, scores, chosen).macro_f1, chosen.f1, 12)


if __name__ == "__main__":
    unittest.main()
