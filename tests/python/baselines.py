"""Fits scikit-learn's and LightGBM's counterparts of a `baseline` stage on the very same rows and compares the test scores.

    python baselines.py artifacts/full [--tolerance 0.01]

Reads `folds/rows.arrow` (the split) and `baseline/baseline.json` (ours, with every parameter). Fails when an accuracy is
further from its peer's than the tolerance. Forests draw other random numbers than scikit-learn's, so they cannot agree exactly.
"""
import argparse, json, pathlib, time

import lightgbm, numpy as np, pyarrow as pa, pyarrow.compute as pc
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

NUMBERS = ["danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness",
           "valence", "tempo", "duration_ms", "track_popularity", "release_year"]
arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=pathlib.Path)
arguments.add_argument("--tolerance", type=float, default=0.01)
arguments.add_argument("--columns", nargs="+", default=NUMBERS)
arguments.add_argument("--source", default="train", help="the file of the rows that the stage learnt from")
arguments = arguments.parse_args()

rows = pa.ipc.open_file(pa.memory_map(str(arguments.folder / "folds/rows.arrow"))).read_all()
rows = rows.filter(pc.equal(rows["source"].cast(pa.string()), arguments.source))
part, y = (np.array(rows[name].cast(pa.string()).to_pylist()) for name in ("part", "label"))
x = np.column_stack([rows[name].cast(pa.float64()).to_numpy() for name in arguments.columns])
train, test = part == "train", part == "test"
imputed = lambda model: make_pipeline(SimpleImputer(strategy="median"), model)
scaled = lambda model: make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), model)

PEERS = {
    "majority": lambda p: DummyClassifier(),
    "logistic": lambda p: scaled(LogisticRegression(C=p["c"], max_iter=500)),
    "linear_svm": lambda p: scaled(LinearSVC(C=p["c"])),
    "rbf_svm": lambda p: scaled(SVC(C=p["c"])),
    "knn": lambda p: scaled(KNeighborsClassifier(p["k"])),
    "naive_bayes": lambda p: imputed(GaussianNB()),
    "tree": lambda p: imputed(DecisionTreeClassifier(max_depth=p["max_depth"], random_state=0)),
    "random_forest": lambda p: imputed(RandomForestClassifier(p["trees"], n_jobs=-1, random_state=0)),
    "extra_trees": lambda p: imputed(ExtraTreesClassifier(p["trees"], n_jobs=-1, random_state=0)),
    "boosting": lambda p: lightgbm.LGBMClassifier(n_estimators=p["rounds"], learning_rate=p["learning_rate"], verbose=-1, random_state=0),
}
worst = 0.0
print(f"{train.sum()} training rows, {test.sum()} test rows")
print(f"{'model':14} {'accuracy':>17} {'macro-F1':>17} {'difference':>10}  peer's fit")
for ours in json.loads((arguments.folder / "baseline/baseline.json").read_text())["evaluations"]:
    assert ours["test"]["rows"] == test.sum(), "other rows than the stage's"
    peer, started = PEERS[ours["name"]](ours["params"]), time.monotonic()
    peer.fit(x[train], y[train])
    seconds, predicted = time.monotonic() - started, peer.predict(x[test])
    accuracy, f1 = accuracy_score(y[test], predicted), f1_score(y[test], predicted, average="macro")
    difference = ours["test"]["accuracy"] - accuracy
    worst = max(worst, abs(difference))
    print(f"{ours['name']:14} {ours['test']['accuracy']:8.4f} {accuracy:8.4f} {ours['test']['macro_f1']:8.4f} {f1:8.4f} {difference:+10.4f}  {seconds:.2f} s")
assert worst <= arguments.tolerance, f"an accuracy is {worst:.4f} from its peer's"
