"""The networks of runner in numpy: what `model.safetensors` and the `network` part of `model.json` mean."""
import math
from statistics import NormalDist

import numpy as np

quantile = np.vectorize(NormalDist().inv_cdf)
sigmoid = lambda x: 1 / (1 + np.exp(-x))
ACTIVATIONS = dict(
    relu=lambda x: np.maximum(x, 0), tanh=np.tanh, silu=lambda x: x * sigmoid(x), mish=lambda x: x * np.tanh(np.logaddexp(0, x)),
    gelu=lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    selu=lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))))


def scale(x, kind, **p):
    """A numeric column, imputed, as the network sees it."""
    if kind == "standard":
        return (x - p["mean"]) / p["deviation"]
    if kind == "robust":
        x = (x - p["center"]) * p["factor"]
        return x / np.sqrt(1 + (x / 3) ** 2)
    q = np.array(p["quantiles"])
    rank = np.linspace(0, 1, len(q))
    share = (np.interp(x, q, rank) - np.interp(-x, -q[::-1], -rank[::-1])) / 2
    return quantile(np.clip(share, .5 / len(q), 1 - .5 / len(q)))


def inputs(recipe, columns):
    """One matrix for each branch, from columns by name: numbers (NaN for missing) and lists of vectors."""
    numbers, marks = [], []
    for column in recipe["inputs"]["numeric"]:
        x = np.asarray(columns[column["name"]], float)
        numbers.append(scale(np.where(np.isnan(x), column["median"], x), **column["scale"]))
        marks += [np.isnan(x).astype(float)] if column["indicator"] else []
    branches = [np.stack(numbers + marks, 1)] if numbers else []
    return branches + [np.asarray(columns[column["name"]]) * column["factor"] for column in recipe["inputs"]["text"]]


def probabilities(tensor, recipe, branches):
    """Class probabilities, one row for each row of the branches' matrices."""
    net = recipe["network"]
    activation = ACTIVATIONS[net["activation"]]

    def stack(x, prefix, depth):
        for at in (f"{prefix}.layers.{i}." for i in range(depth)):
            x = x @ tensor[at + "linear.weight"].T + tensor.get(at + "linear.bias", 0)
            if net["batch_norm"]:
                mean, variance = tensor[at + "norm.running_mean"], tensor[at + "norm.running_var"]
                x = (x - mean) / np.sqrt(variance + net["batch_norm_epsilon"]) * tensor[at + "norm.weight"] + tensor[at + "norm.bias"]
            x = activation(x)
        return x

    joined = [stack(x, "branches." + branch["key"], len(branch["layers"])) for branch, x in zip(net["branches"], branches)]
    logits = stack(np.concatenate(joined, 1), "trunk", len(net["trunk"])) @ tensor["head.weight"].T + tensor["head.bias"]
    logits = logits / recipe["temperature"]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)
