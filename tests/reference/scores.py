"""The score and the accuracy of predictions."""


def quotient(numerator, denominator):
    return numerator / denominator if denominator else 0.0


def mean(values):
    values = list(values)
    return quotient(sum(values), len(values))


def accuracy(predicted, actual):
    return mean(int(p == a) for p, a in zip(predicted, actual))


def macro_f_beta(predicted, actual, beta):
    """F beta of the classes' mean precision and mean recall, as Rubix ML has it; a class that nobody names is left
    out."""
    precisions, recalls = [], []
    for label in set(predicted) | set(actual):
        right = sum(p == a == label for p, a in zip(predicted, actual))
        precisions.append(quotient(right, predicted.count(label)))
        recalls.append(quotient(right, actual.count(label)))
    precision, recall = mean(precisions), mean(recalls)
    return quotient((1 + beta**2) * precision * recall, beta**2 * precision + recall)
