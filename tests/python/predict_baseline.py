"""Repeats the predictions of baselines in numpy: python predict_baseline.py STUDY_FOLDER KIND...

Reads baseline/KIND.safetensors and baseline/KIND.json only, and compares with the stages `new_KIND`; nothing else of runner is needed to use
a baseline elsewhere."""
import json, pathlib, sys

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file

import classical

study = pathlib.Path(sys.argv[1])
rows = pa.ipc.open_file(study / "songs/rows.arrow").read_all()

for kind in sys.argv[2:]:
    recipe = json.load(open(study / f"baseline/{kind}.json"))["baseline"]
    text = lambda name: rows[name].cast(pa.string()).to_pylist()
    columns = {name: rows[name].cast(pa.float64()).to_numpy() for name in recipe["inputs"]["numeric"]}
    columns |= {(column["name"], "category"): text(column["name"]) for column in recipe["inputs"].get("categories", [])}
    columns |= {(name, "text"): text(name) for name in recipe["inputs"].get("texts", [])}
    ours = classical.probabilities(load_file(study / f"baseline/{kind}.safetensors"), recipe, columns)
    expected = pa.ipc.open_file(study / f"new_{kind}/rows.arrow").read_all()
    theirs = np.stack([expected["runner.p_" + name].to_numpy() for name in recipe["classes"]], 1)
    # A neighbour more or less where two are equally far.
    differing = (np.abs(ours - theirs).max(1) > 1e-5).mean()
    assert differing <= (0.005 if kind == "knn" else 0), f"{kind}: {differing:.4f} of the rows differ"
    print(f"{kind}: {len(ours)} rows, {differing:.4f} differ")
