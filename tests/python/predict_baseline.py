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


def codes(a, x, category):
    """The bin of every value: how many cuts lie below it; 255 for a missing one. Then the places of the categories."""
    ends = np.cumsum(a["cut_counts"].astype("i8"))
    columns = [np.searchsorted(a["cuts"][end - count:end], x[:, j], side="left") for j, (end, count) in enumerate(zip(ends, a["cut_counts"].astype("i8")))]
    return np.hstack([np.where(np.isnan(x), 255, np.stack(columns, 1)), category])


def encoded(a, x, category):
    """Numbers and categories as the model was fitted on them: rates and columns of 0 and 1 behind the numbers, or rates alone and the places of the
    values. `category` holds the numbers of the values, 0 for an unknown one. Naive Bayes has no encoding."""
    if "category_columns" not in a:
        return x, category
    rates, columns, places, value, rate = [], [], [], 0, 0
    for j, (count, shares, rated) in enumerate(zip(*(a[name].astype("i8") for name in ("category_values", "category_shares_place", "category_rated")))):
        own = a["category_places"][value:value + count].astype("i8") - 1
        known = np.where(category[:, j] < count, category[:, j], 0)
        place = np.where(category[:, j] < count, own[known], -1)
        place = np.where(place < 0, own.max() + 1 if shares else 255, place)
        places.append(place)
        columns.append((place[:, None] == np.arange(own.max() + 1 + shares)).astype("d"))
        rates.append(a["category_rates"][rate:rate + count * rated].reshape(count, rated)[known].astype("d"))
        value, rate = value + count, rate + count * rated
    if a["category_columns"][0]:
        return np.hstack([x, *rates, *columns]), None
    return np.hstack([x, *rates]), np.stack(places, 1)


def leaves(a, code):
    """For each tree the values of the leaf that every row falls into. Nodes lie level by level: the children of the n-th split are nodes
    2n + 1 and 2n + 2. A split of categories has a set of the codes that go left."""
    sets = np.unpackbits(a["set_codes"].reshape(-1, 32), axis=1, bitorder="little") if "sets" in a else np.zeros((1, 256))
    set_of = a["sets"].astype("i8") if "sets" in a else np.zeros(len(a["cut_codes"]), "i8")
    first_node = first_split = first_leaf = 0
    for size in a["trees"].astype("i8"):
        column = a["columns"][first_node:first_node + size].astype("i8") - 1
        split, leaf = np.cumsum(column >= 0) - 1, np.cumsum(column < 0) - 1
        at = np.zeros(len(code), "i8")
        while (column[at] >= 0).any():
            inner = column[at] >= 0
            own = code[np.arange(len(code)), column[at]]
            number = split[at] + first_split
            number = np.minimum(number, len(a["cut_codes"]) - 1)
            cut = np.where(own == 255, a["missing_left"][number] == 1, own <= a["cut_codes"][number])
            left = np.where(set_of[number] > 0, sets[np.maximum(set_of[number] - 1, 0), own] == 1, cut)
            at = np.where(inner, 2 * split[at] + np.where(left, 1, 2), at)
        yield a["leaf_values"][a["leaves"][leaf[at] + first_leaf]]
        first_node, first_split, first_leaf = first_node + size, first_split + split[-1] + 1, first_leaf + leaf[-1] + 1


def logistic(a, x, category, p):
    return softmax(np.column_stack([scaled(a, x).astype("d"), np.ones(len(x))]) @ a["weights"].T)


def knn(a, x, category, p):
    votes = np.eye(a["labels"].max() + 1)
    distance = ((scaled(a, x)[:, None, :].astype("d") - a["rows"][None].astype("d")) ** 2).sum(2)
    nearest = np.argsort(distance, 1, kind="stable")[:, :p["k"]]
    return votes[a["labels"][nearest]].mean(1)


def naive_bayes(a, x, category, p):
    terms = -0.5 * np.log(a["variances"]) - 0.5 * (x[:, None, :].astype("d") - a["means"]) ** 2 / a["variances"]
    scores, first = a["log_priors"] + np.nansum(terms, 2), 0
    for j, count in enumerate(a.get("values", np.zeros(0)).astype("i8")):
        scores += a["log_shares"][first + np.where(category[:, j] < count, category[:, j], 0)]
        first += count
    return softmax(scores)


def random_forest(a, x, category, p):
    return np.mean(list(leaves(a, codes(a, x, category))), 0)


def boosting(a, x, category, p):
    values = np.stack([leaf[:, 0].astype("d") for leaf in leaves(a, codes(a, x, category))], 1)
    return softmax(a["start"] + values.reshape(len(x), -1, len(a["start"])).sum(1))


for kind in sys.argv[2:]:
    recipe = json.load(open(study / f"baseline/{kind}.json"))["baseline"]
    names = recipe["inputs"]["numeric"]
    x = np.stack([rows[name].cast(pa.float64()).to_numpy() for name in names], 1)
    category = np.zeros((len(x), 0), "i8")
    for column in recipe["inputs"].get("categories", []):
        number = {value: place for place, value in enumerate(column["values"], 1)}
        number[None] = len(column["values"]) + 1 if column.get("missing") else 0
        own = [number.get(value, 0) for value in rows[column["name"]].cast(pa.string()).to_pylist()]
        category = np.column_stack([category, own]).astype("i8")
    arrays = load_file(study / f"baseline/{kind}.safetensors")
    ours = globals()[kind](arrays, *encoded(arrays, x, category), recipe["model"][kind])
    expected = pa.ipc.open_file(study / f"new_{kind}/rows.arrow").read_all()
    theirs = np.stack([expected["runner.p_" + name].to_numpy() for name in recipe["classes"]], 1)
    # A neighbour more or less where two are equally far.
    differing = (np.abs(ours - theirs).max(1) > 1e-5).mean()
    assert differing <= (0.005 if kind == "knn" else 0), f"{kind}: {differing:.4f} of the rows differ"
    print(f"{kind}: {len(x)} rows, {differing:.4f} differ")
