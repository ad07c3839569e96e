"""Repeats the predictions of baselines in numpy: python predict_baseline.py STUDY_FOLDER KIND...

Reads baseline/KIND.safetensors and baseline/KIND.json only, and compares with the stages `new_KIND`; nothing else of runner is needed to use
a baseline elsewhere."""
import json, pathlib, sys

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file

study = pathlib.Path(sys.argv[1])
rows = pa.ipc.open_file(study / "songs/rows.arrow").read_all()


def softmax(scores):
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def scaled(a, x):
    median, mean, deviation = a["scaling"].T
    return ((np.where(np.isnan(x), median, x.astype("d")) - mean) / deviation).astype("f")


def codes(a, x):
    """The bin of every value: how many cuts lie below it; 255 for a missing one."""
    ends = np.cumsum(a["cut_counts"].astype("i8"))
    columns = [np.searchsorted(a["cuts"][end - count:end], x[:, j], side="left") for j, (end, count) in enumerate(zip(ends, a["cut_counts"].astype("i8")))]
    return np.where(np.isnan(x), 255, np.stack(columns, 1))


def leaves(a, code):
    """For each tree the values of the leaf that every row falls into. Nodes lie level by level: the children of the n-th split are nodes
    2n + 1 and 2n + 2."""
    first_node = first_split = first_leaf = 0
    for size in a["trees"].astype("i8"):
        column = a["columns"][first_node:first_node + size].astype("i8") - 1
        split, leaf = np.cumsum(column >= 0) - 1, np.cumsum(column < 0) - 1
        at = np.zeros(len(code), "i8")
        while (column[at] >= 0).any():
            inner = column[at] >= 0
            own = code[np.arange(len(code)), column[at]]
            number = split[at] + first_split
            left = np.where(own == 255, a["missing_left"][np.minimum(number, len(a["missing_left"]) - 1)] == 1,
                            own <= a["cut_codes"][np.minimum(number, len(a["cut_codes"]) - 1)])
            at = np.where(inner, 2 * split[at] + np.where(left, 1, 2), at)
        yield a["leaf_values"][a["leaves"][leaf[at] + first_leaf]]
        first_node, first_split, first_leaf = first_node + size, first_split + split[-1] + 1, first_leaf + leaf[-1] + 1


def logistic(a, x, p):
    return softmax(np.column_stack([scaled(a, x).astype("d"), np.ones(len(x))]) @ a["weights"].T)


def knn(a, x, p):
    votes = np.eye(a["labels"].max() + 1)
    distance = ((scaled(a, x)[:, None, :].astype("d") - a["rows"][None].astype("d")) ** 2).sum(2)
    nearest = np.argsort(distance, 1, kind="stable")[:, :p["k"]]
    return votes[a["labels"][nearest]].mean(1)


def naive_bayes(a, x, p):
    terms = -0.5 * np.log(a["variances"]) - 0.5 * (x[:, None, :].astype("d") - a["means"]) ** 2 / a["variances"]
    return softmax(a["log_priors"] + np.nansum(terms, 2))


def random_forest(a, x, p):
    return np.mean(list(leaves(a, codes(a, x))), 0)


def boosting(a, x, p):
    values = np.stack([leaf[:, 0].astype("d") for leaf in leaves(a, codes(a, x))], 1)
    return softmax(a["start"] + values.reshape(len(x), -1, len(a["start"])).sum(1))


for kind in sys.argv[2:]:
    recipe = json.load(open(study / f"baseline/{kind}.json"))["baseline"]
    names = recipe["inputs"]["numeric"]
    x = np.stack([rows[name].cast(pa.float64()).to_numpy() for name in names], 1)
    ours = globals()[kind](load_file(study / f"baseline/{kind}.safetensors"), x, recipe["model"][kind])
    expected = pa.ipc.open_file(study / f"new_{kind}/rows.arrow").read_all()
    theirs = np.stack([expected["runner.p_" + name].to_numpy() for name in recipe["classes"]], 1)
    # A neighbour more or less where two are equally far.
    differing = (np.abs(ours - theirs).max(1) > 1e-5).mean()
    assert differing <= (0.005 if kind == "knn" else 0), f"{kind}: {differing:.4f} of the rows differ"
    print(f"{kind}: {len(x)} rows, {differing:.4f} differ")
