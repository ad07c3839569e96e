"""Fits scikit-learn's and LightGBM's counterparts of a `baseline` stage on the very same rows and compares the test scores.

    python baselines.py artifacts/full [--tolerance 0.01]

Reads `folds/rows.arrow` (the split) and `baseline/baseline.json` (ours, with every parameter). Fails when an accuracy is
further from its peer's than the tolerance. Forests draw other random numbers than scikit-learn's, so they cannot agree exactly.
"""
import argparse, json, pathlib, time

import numpy as np, pyarrow as pa, pyarrow.compute as pc
from sklearn.metrics import accuracy_score, f1_score

from peers import peer

NUMBERS = ["danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness",
           "valence", "tempo", "duration_ms", "track_popularity", "release_year"]
arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=pathlib.Path)
arguments.add_argument("--tolerance", type=float, default=0.01)
arguments.add_argument("--columns", nargs="+", default=NUMBERS)
arguments.add_argument("--source", default="train", help="the file of the rows that the stage learnt from")
arguments = arguments.parse_args()

rows = pa.ipc.open_file(pa.memory_map(str(arguments.folder / "folds/rows.arrow"))).read_all()
rows = rows.filter(pc.equal(rows["runner.source"].cast(pa.string()), arguments.source))
part, y = (np.array(rows[name].cast(pa.string()).to_pylist()) for name in ("runner.part", "runner.label"))
x = np.column_stack([rows[name].cast(pa.float64()).to_numpy() for name in arguments.columns])
train, test = part == "train", part == "test"
row_id = rows["runner.row_id"].to_numpy()
worst = 0.0
print(f"{train.sum()} training rows, {test.sum()} test rows")
print(f"{'model':14} {'accuracy':>17} {'macro-F1':>17} {'difference':>10}  peer's fit")
for ours in json.loads((arguments.folder / "baseline/baseline.json").read_text())["evaluations"]:
    assert ours["test"]["rows"] == test.sum(), "other rows than the stage's"
    model, started = peer(ours["name"], ours["params"]), time.monotonic()
    if ours["name"] == "rbf_svm":
        model.set_params(svc__break_ties=True) # as ours decides between equal votes
    model.fit(x[train], y[train])
    seconds, predicted = time.monotonic() - started, model.predict(x[test])
    accuracy, f1 = accuracy_score(y[test], predicted), f1_score(y[test], predicted, average="macro")
    difference = ours["test"]["accuracy"] - accuracy
    worst = max(worst, abs(difference))
    # A `predict` stage by this model says of the test part what the peer says of it.
    table = arguments.folder / f"new_{ours['name']}/rows.arrow"
    if table.exists() and ours["name"] not in ("random_forest", "extra_trees"):
        new = pa.ipc.open_file(pa.memory_map(str(table))).read_all()
        said = dict(zip(new["runner.row_id"].to_pylist(), new["runner.predicted"].to_pylist()))
        alike = np.mean([said[i] == p for i, p in zip(row_id[test], predicted)])
        # Of equally good splits scikit-learn's tree takes one by chance.
        assert alike >= (0.97 if ours["name"] == "tree" else 0.995), f"{ours['name']} predicts {1 - alike:.4f} of the rows otherwise than its peer"
    print(f"{ours['name']:14} {ours['test']['accuracy']:8.4f} {accuracy:8.4f} {ours['test']['macro_f1']:8.4f} {f1:8.4f} {difference:+10.4f}  {seconds:.2f} s")
assert worst <= arguments.tolerance, f"an accuracy is {worst:.4f} from its peer's"
