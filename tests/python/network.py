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
    """One matrix for each branch: numbers (NaN for missing), vectors, codes of categories (0 for what training did not see; a missing text is None).

    `columns` holds numbers and lists of vectors by name, and the texts of categories by (name, "category")."""
    numbers, marks = [], []
    for column in recipe["inputs"]["numeric"]:
        x = np.asarray(columns[column["name"]], float)
        numbers.append(scale(np.where(np.isnan(x), column["median"], x), **column["scale"]))
        marks += [np.isnan(x).astype(float)] if column["indicator"] else []
    branches = [np.stack(numbers + marks, 1)] if numbers else []
    for column in recipe["inputs"]["text"]:
        x = np.asarray(columns[column["name"]], float)
        if column.get("normalize"):
            length = np.linalg.norm(x, axis=1, keepdims=True)
            x = x / np.where(length > 0, length, 1)
        branches.append(x * column["factor"])
    for column in recipe["inputs"].get("categories", []):
        code = {value: i + 1 for i, value in enumerate(column["values"])}
        if column.get("missing"):
            code[None] = len(code) + 1
        branches.append(np.array([[code.get(value, 0)] for value in columns[column["name"], "category"]]))
    return branches


def probabilities(tensor, recipe, branches):
    """Class probabilities, one row for each row of the branches' matrices."""
    net = recipe["network"]
    activation = ACTIVATIONS[net["activation"]]
    members = net.get("members", 1)
    softmax = lambda x: np.exp(x - x.max(-1, keepdims=True)) / np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)

    def linear(x, at):
        weight = tensor[at + "weight"]
        factor = weight.shape[1] ** -.5 if net.get("parametrization") == "ntk" else 1
        return x @ weight.T * factor + tensor.get(at + "bias", 0)

    def stack(x, prefix, depth, skips=False):
        for at in (f"{prefix}layers.{i}." for i in range(depth)):
            y = linear(x, at + "linear.")
            if net["batch_norm"]:
                mean, variance = tensor[at + "norm.running_mean"], tensor[at + "norm.running_var"]
                y = (y - mean) / np.sqrt(variance + net["batch_norm_epsilon"]) * tensor[at + "norm.weight"] + tensor[at + "norm.bias"]
            y = activation(y)
            x = x + y if skips and x.shape == y.shape else y
        return x

    def embed(x, branch):
        at, kind = f"branches.{branch['key']}.", branch.get("embedding", {}).get("kind")
        own = lambda name: tensor[at + "embedding." + name]
        if kind == "table":
            x = own("table")[x[:, 0]]
        elif kind:
            numbers = x.shape[1]
            if kind == "periodic":
                features = np.cos(2 * np.pi * (x[:, :, None] * own("frequencies") + own("phases")))
            else:
                bins = branch["embedding"]["bins"]
                edge = np.array([-3.] + [NormalDist().inv_cdf(i / bins) for i in range(1, bins)] + [3.])
                share = (x[:, :, None] - edge[:-1]) / np.diff(edge)
                low, high = np.zeros(bins), np.ones(bins)
                low[0], high[-1] = -np.inf, np.inf
                features = np.clip(share, low, high)
            vectors = (np.einsum("bnf,nwf->bnw", features, own("weight")) + own("bias")).reshape(len(x), -1)
            x = np.concatenate([vectors, x], 1) if kind == "periodic" else vectors
        return x * tensor[at + "scale"] if branch.get("scale") else x

    def trunk(x, prefix):
        """Probabilities' logarithms up to a constant, rows × members × classes."""
        kind, depth = net.get("trunk_kind", "mlp"), len(net["trunk"])
        if kind != "tabm":
            return linear(stack(x, f"trunk.{prefix}", depth, kind == "residual"), f"head.{prefix}")[:, None]
        x = np.repeat(x[:, None], members, 1)
        for at in (f"trunk.{prefix}layers.{i}." for i in range(depth)):
            x = activation(linear(x * tensor[at + "adapter"], at + "linear.") * tensor[at + "scale"] + tensor[at + "shift"])
        return np.einsum("bmw,cmw->bmc", x, tensor[f"head.{prefix}weight"]) + tensor[f"head.{prefix}bias"].T

    joined = [stack(embed(x, branch), f"branches.{branch['key']}.", len(branch["layers"])) for branch, x in zip(net["branches"], branches)]
    fusion = net.get("fusion", "concat")
    if fusion == "late":
        logits = sum(trunk(x, branch["key"] + ".") for x, branch in zip(joined, net["branches"])) / len(joined)
    elif fusion == "gated":
        gates = softmax(linear(np.concatenate(joined, 1), "fusion.gate."))
        parts = [np.tanh(linear(x, f"fusion.branches.{branch['key']}.")) for x, branch in zip(joined, net["branches"])]
        logits = trunk(sum(gates[:, [i]] * part for i, part in enumerate(parts)), "")
    else:
        logits = trunk(np.concatenate(joined, 1), "")
    return calibrated(recipe, softmax(logits).mean(1))


def calibrated(recipe, mean):
    """The model's probabilities from the raw ones: the logits are divided by the temperature, then each class' bias is added."""
    odds = mean ** (1 / recipe["temperature"]) * np.exp(recipe.get("bias") or 0)
    return odds / odds.sum(1, keepdims=True)


def predicted(recipe, probabilities):
    """The index of the class that is predicted of each row: the likeliest, unless the model weighs classes or mistakes have costs."""
    if recipe.get("costs"):
        return (probabilities @ np.array(recipe["costs"])).argmin(1)
    return (np.log(np.maximum(probabilities, 1e-38)) + (recipe.get("decision") or 0)).argmax(1)
