"""Fits scikit-learn's counterparts of a `baseline` stage that reads texts by itself (`texts`) on the very same rows, beside what the stage scored and
how long its fits took.

    runner show PIPELINE.yaml STAGE --json | python texts.py artifacts/NAME SPLIT STAGE

SPLIT is the stage that the baseline's `rows` come from. Seconds are those of the fit on the training part with its vocabulary, the shortest of five for
scikit-learn; what its solver took of them stands in brackets. Both have the threads that they are given: `taskset -c 0` before either gives them one.
Fails where accuracies lie further apart than 0.01, or classes predicted for more than 1 % of the test rows differ."""
import json, pathlib, sys, time

import numpy as np, pyarrow as pa
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

folder, split, stage = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
shown = json.loads(sys.stdin.readline())["provenance"]["measurements"]
read = lambda path: pa.ipc.open_file(pa.memory_map(str(path))).read_all()
text = lambda table, name: np.array([value or "" for value in table[name].cast(pa.string()).to_pylist()], dtype=object)
rows, said = read(folder / split / "rows.arrow"), read(folder / stage / "predictions.arrow")
part, y = text(rows, "runner.part"), text(rows, "runner.label")
train, test = part == "train", part == "test"
row_id = rows["runner.row_id"].to_numpy()
own = json.loads((folder / stage / "baseline.json").read_text())["evaluations"]

def matrices(recipe, counts):
    """Weights of the training and of the test rows as scikit-learn's vectorizers give them."""
    found, options = [], recipe["tfidf"]
    for column in recipe["texts"]:
        for kind in (kind for kind in ("words", "characters") if options[kind]):
            shared = dict(lowercase=options["lowercase"], ngram_range=tuple(options[kind]["ngram_range"]), min_df=options[kind]["min_df"])
            shared |= dict(token_pattern=r"(?u)\b\w+\b") if kind == "words" else dict(analyzer="char_wb")
            vectorizer = CountVectorizer(**shared) if counts else TfidfVectorizer(sublinear_tf=options["sublinear_tf"], **shared)
            values = text(rows, column)
            found.append((vectorizer.fit_transform(values[train]), vectorizer, values))
    fitted = time.monotonic()
    return hstack([x for x, _, _ in found]).tocsr(), lambda: hstack([v.transform(values[test]) for _, v, values in found]).tocsr(), fitted

peers = {
    "logistic": [lambda p: LogisticRegression(C=p["c"], max_iter=1000), lambda p: LogisticRegression(C=p["c"], solver="liblinear", max_iter=1000)],
    "linear_svm": [lambda p: LinearSVC(C=p["c"])],
    "naive_bayes": [lambda p: MultinomialNB()],
}
print(f"{train.sum()} training rows, {test.sum()} test rows")
print(f"{'':12} {'accuracy':>8} {'macro-F1':>8} {'seconds':>8}   {'peer':18} {'accuracy':>8} {'macro-F1':>8} {'seconds':>8} {'(solver)':>8} {'alike':>6}")
for ours in own:
    recipe = json.loads((folder / stage / f"{ours['name']}.json").read_text())["baseline"]["inputs"]
    model, mine = text(said, "runner.model"), text(said, "runner.predicted")
    mine = dict(zip(said["runner.row_id"].to_numpy()[model == ours["name"]], mine[model == ours["name"]]))
    for make in peers.get(ours["name"], []):
        peer, whole, solver = make(ours["params"]), [], []
        if getattr(peer, "solver", "") == "liblinear" and len(set(y)) > 2:
            continue
        for _ in range(5):
            started = time.monotonic()
            x, rest, cut = matrices(recipe, ours["name"] == "naive_bayes")
            peer.fit(x, y[train])
            ended = time.monotonic()
            whole.append(ended - started), solver.append(ended - cut)
        predicted = peer.predict(rest())
        alike = np.mean([mine[i] == p for i, p in zip(row_id[test], predicted)])
        accuracy, f1 = accuracy_score(y[test], predicted), f1_score(y[test], predicted, average="macro")
        name = type(peer).__name__ + (" liblinear" if getattr(peer, "solver", "") == "liblinear" else "")
        print(f"{ours['name']:12} {ours['test']['accuracy']:8.4f} {ours['test']['macro_f1']:8.4f} {shown[ours['name'] + '.fit_seconds']:8.3f}   "
              f"{name[:18]:18} {accuracy:8.4f} {f1:8.4f} {min(whole):8.3f} {min(solver):8.3f} {alike:6.4f}")
        close = getattr(peer, "solver", "") != "liblinear" # which penalises the intercept too
        assert not close or abs(ours["test"]["accuracy"] - accuracy) <= 0.01 and alike >= 0.99, f"{ours['name']} and {name} differ"
