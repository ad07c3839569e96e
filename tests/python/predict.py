"""Repeats a stage's predictions in numpy: python predict.py MODEL_FOLDER ROWS_FOLDER EMBEDDINGS_FOLDER PREDICTIONS_FOLDER

Reads model.safetensors and model.json only; nothing else of runner is needed to use a network elsewhere. With PyTorch present the same
weights are also loaded with `load_state_dict` and compared."""
import json, pathlib, sys

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file

import network

folders = [pathlib.Path(name) for name in sys.argv[1:5]]
tensor, recipe = load_file(folders[0] / "model.safetensors"), json.load(open(folders[0] / "model.json"))["network"]
net = recipe["network"]
rows, vectors, expected = (pa.ipc.open_file(folder / "rows.arrow").read_all() for folder in folders[1:])
columns = {c["name"]: rows.column(c["name"]).cast(pa.float64()).to_numpy(zero_copy_only=False) for c in recipe["inputs"]["numeric"]}
for column in recipe["inputs"]["text"]:
    cells = vectors.column(f"runner.{column['name']}_embedding").combine_chunks()
    columns[column["name"]] = cells.flatten().to_numpy().reshape(len(cells), -1)
for column in recipe["inputs"].get("categories", []):
    columns[column["name"], "category"] = rows.column(column["name"]).cast(pa.string()).to_pylist()
branches = network.inputs(recipe, columns)
ours = network.probabilities(tensor, recipe, branches)
theirs = np.stack([expected.column("runner.p_" + name).to_numpy() for name in recipe["classes"]], 1)
worst = np.abs(ours - theirs).max()
assert worst < 1e-4, f"probabilities differ by {worst}"
predicted = [recipe["classes"][i] for i in network.predicted(recipe, ours)]
weighed = np.sort(ours * np.exp(recipe.get("decision") or 0), 1)
close = weighed[:, -1] - weighed[:, -2] < 1e-3 * weighed[:, -1]
assert all(a == b or tie for a, b, tie in zip(predicted, expected.column("runner.predicted").to_pylist(), close))
print(f"{len(ours)} rows, largest difference {worst:.1e}")

try:
    import torch
except ImportError:
    sys.exit()
from twin import Twin

twin = Twin(net).eval()
missing, unexpected = twin.load_state_dict({name: torch.tensor(value) for name, value in tensor.items()}, strict=False)
assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
with torch.no_grad():
    again = twin.probabilities(*[torch.tensor(x, dtype=torch.float32) for x in branches]).numpy()
assert np.abs(network.calibrated(recipe, again) - theirs).max() < 1e-4
print("PyTorch agrees")
