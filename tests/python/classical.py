"""The baselines of runner in numpy: what `KIND.safetensors` and the `baseline` part of `KIND.json` mean."""
import re

import numpy as np


def softmax(scores):
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def scaled(a, x):
    """Sparse columns, which come after the standardised ones, stay as they are."""
    median, mean, deviation = a["scaling"].T
    dense, sparse = x[:, :len(median)].astype("d"), x[:, len(median):]
    return np.hstack([(np.where(np.isnan(dense), median, dense) - mean) / deviation, sparse]).astype("f")


def codes(a, x, category):
    """The bin of every value: how many cuts lie below it; 255 for a missing one. Then the places of the categories."""
    ends = np.cumsum(a["cut_counts"].astype("i8"))
    columns = [np.searchsorted(a["cuts"][end - count:end], x[:, j], side="left") for j, (end, count) in enumerate(zip(ends, a["cut_counts"].astype("i8")))]
    return np.hstack([np.where(np.isnan(x), 255, np.stack(columns, 1)), category])


def grams(text, kind, shortest, longest):
    """The n-grams of a text: runs of words, or of characters within a word and a space at either end."""
    if kind == "words":
        words = re.findall(r"\w+", text)
        return [" ".join(words[i:i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)]
    found = []
    for word in (f" {word} " for word in text.split()):
        for n in range(shortest, longest + 1):
            found += [word[i:i + n] for i in range(max(len(word) - n, 0) + 1)]
            if n >= len(word):
                break
    return found


def counted(a, recipe, texts):
    """How often each n-gram of the model occurs in each row: one matrix for each kind of n-gram of each column."""
    names, counts, blocks = bytes(a["text_grams"]).decode().split("\n")[:-1], list(a["text_counts"].astype("i8")), []
    kinds = [kind for kind in ("words", "characters") if recipe["tfidf"][kind]]
    for texts, kind in ((column, kind) for column in texts for kind in kinds):
        place = {name: i for i, name in enumerate(names[:counts[0]])}
        block = np.zeros((len(texts), counts[0]))
        for row, text in enumerate(texts):
            text = text.lower() if recipe["tfidf"]["lowercase"] else text
            for gram in grams(text, kind, *recipe["tfidf"][kind]["ngram_range"]):
                if gram in place:
                    block[row, place[gram]] += 1
        names = names[counts.pop(0):]
        blocks.append(block)
    return blocks


def weighed(a, recipe, texts):
    """TF-IDF weights of the n-grams, each block of a row of length 1."""
    blocks, first = [], 0
    for block in counted(a, recipe, texts):
        times = np.where(block > 0, 1 + np.log(np.maximum(block, 1)), 0) if recipe["tfidf"]["sublinear_tf"] else block
        weights = times * a["text_idf"][first:first + block.shape[1]]
        blocks.append(weights / np.maximum(np.sqrt((weights ** 2).sum(1, keepdims=True)), 1e-300))
        first += block.shape[1]
    return np.hstack(blocks)


def encoded(a, x, category, recipe, texts):
    """Numbers, categories and texts as the model was fitted on them: rates, columns of 0 and 1 and weights of n-grams behind the numbers, or rates and
    weights alone and the places of the values. `category` holds the numbers of the values, 0 for an unknown one. Naive Bayes has no encoding."""
    if "form" not in a:
        return x, category
    rates, columns, places, value, rate = [], [], [], 0, 0
    weights = [weighed(a, recipe, texts)] if texts else []
    names = ("category_values", "category_shares_place", "category_rated")
    for j, (count, shares, rated) in enumerate(zip(*(a.get(name, np.zeros(0)).astype("i8") for name in names))):
        own = a["category_places"][value:value + count].astype("i8") - 1
        known = np.where(category[:, j] < count, category[:, j], 0)
        place = np.where(category[:, j] < count, own[known], -1)
        place = np.where(place < 0, own.max() + 1 if shares else 255, place)
        places.append(place)
        columns.append((place[:, None] == np.arange(own.max() + 1 + shares)).astype("d"))
        rates.append(a["category_rates"][rate:rate + count * rated].reshape(count, rated)[known].astype("d"))
        value, rate = value + count, rate + count * rated
    if a["form"][0] > 0:
        return np.hstack([x, *rates, *columns, *weights]), None
    return np.hstack([x, *rates, *weights]), np.stack(places, 1) if places else category


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


def logistic(a, x, category, p, texts):
    return softmax(np.column_stack([scaled(a, x).astype("d"), np.ones(len(x))]) @ a["weights"].T)


def majority(a, x, category, p, texts):
    return np.repeat(a["shares"][None].astype("d"), len(x), 0)


def knn(a, x, category, p, texts):
    votes = np.eye(a["labels"].max() + 1)
    queries, rows = scaled(a, x).astype("d"), a["rows"].astype("d")
    distance = (queries ** 2).sum(1)[:, None] + (rows ** 2).sum(1) - 2 * queries @ rows.T
    nearest = np.argsort(distance, 1, kind="stable")[:, :p["k"]]
    weights = a.get("weights", np.ones(len(rows)))[nearest]
    return (votes[a["labels"][nearest]] * weights[:, :, None]).sum(1) / weights.sum(1, keepdims=True)


def naive_bayes(a, x, category, p, texts):
    terms = -0.5 * np.log(a["variances"]) - 0.5 * (x[:, None, :].astype("d") - a["means"]) ** 2 / a["variances"]
    scores, first = a["log_priors"] + np.nansum(terms, 2), 0
    for j, count in enumerate(a.get("values", np.zeros(0)).astype("i8")):
        scores += a["log_shares"][first + np.where(category[:, j] < count, category[:, j], 0)]
        first += count
    if texts:
        scores += np.hstack(texts) @ a["log_grams"]
    return softmax(scores)


def random_forest(a, x, category, p, texts):
    return np.mean(list(leaves(a, codes(a, x, category))), 0)


def boosting(a, x, category, p, texts):
    values = np.stack([leaf[:, 0].astype("d") for leaf in leaves(a, codes(a, x, category))], 1)
    return softmax(a["start"] + values.reshape(len(x), -1, len(a["start"])).sum(1))


KINDS = dict(
    majority=majority, logistic=logistic, linear_svm=logistic, knn=knn, naive_bayes=naive_bayes, tree=random_forest, random_forest=random_forest,
    extra_trees=random_forest, boosting=boosting)


def probabilities(a, recipe, columns):
    """Class probabilities of a model with arrays `a`. `columns` holds numbers (NaN for missing) by name, the texts of categories by (name, "category") (None for
    missing) and other texts by (name, "text")."""
    inputs = recipe["inputs"]
    assert not inputs["text"], "vectors of texts are not read here"
    rows = len(next(iter(columns.values())))
    x = np.stack([columns[name] for name in inputs["numeric"]], 1) if inputs["numeric"] else np.zeros((rows, 0))
    category = np.zeros((rows, 0), "i8")
    for column in inputs.get("categories", []):
        number = {value: place for place, value in enumerate(column["values"], 1)}
        number[None] = len(column["values"]) + 1 if column.get("missing") else 0
        own = [number.get(value, 0) for value in columns[column["name"], "category"]]
        category = np.column_stack([category, own]).astype("i8")
    texts = [[text or "" for text in columns[name, "text"]] for name in inputs.get("texts", [])]
    [(kind, parameters)] = recipe["model"].items()
    grams = counted(a, inputs, texts) if texts and kind == "naive_bayes" else None
    found = KINDS[kind](a, *encoded(a, x, category, inputs, texts), parameters, grams)
    if calibration := recipe.get("calibration"):
        found = np.maximum(found.astype("f"), np.finfo("f").tiny).astype("d")  # never of 0
        if weights := calibration.get("weights"):
            found = found / weights / (found / weights).sum(1, keepdims=True)
        logarithms = np.log(np.maximum(found, calibration.get("floor", 0.0)))
        found = softmax(logarithms / calibration["temperature"] + np.array(calibration.get("bias", 0.0)))
    return found
