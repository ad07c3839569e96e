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
    cells = vectors.column(column["name"] + "_embedding").combine_chunks()
    columns[column["name"]] = cells.flatten().to_numpy().reshape(len(cells), -1)
branches = network.inputs(recipe, columns)
ours = network.probabilities(tensor, recipe, branches)
theirs = np.stack([expected.column("p_" + name).to_numpy() for name in recipe["classes"]], 1)
worst = np.abs(ours - theirs).max()
assert worst < 1e-4, f"probabilities differ by {worst}"
predicted = [recipe["classes"][i] for i in ours.argmax(1)]
close = np.sort(ours, 1)[:, -1] - np.sort(ours, 1)[:, -2] < 1e-4
assert all(a == b or tie for a, b, tie in zip(predicted, expected.column("predicted").to_pylist(), close))
print(f"{len(ours)} rows, largest difference {worst:.1e}")

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit()


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=not net["batch_norm"])
        if net["batch_norm"]:
            self.norm = nn.BatchNorm1d(outputs, eps=net["batch_norm_epsilon"])

    def forward(self, x):
        x = self.linear(x)
        return torch.as_tensor(network.ACTIVATIONS[net["activation"]]((self.norm(x) if net["batch_norm"] else x).numpy()))


class Stack(nn.Module):
    def __init__(self, width, widths):
        super().__init__()
        self.layers = nn.Sequential(*[Layer(a, b) for a, b in zip([width, *widths], widths)])

    def forward(self, x):
        return self.layers(x)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleDict({b["key"]: Stack(b["input"], b["layers"]) for b in net["branches"]})
        width = sum((b["layers"] or [b["input"]])[-1] for b in net["branches"])
        self.trunk = Stack(width, net["trunk"])
        self.head = nn.Linear((net["trunk"] or [width])[-1], len(recipe["classes"]))

    def forward(self, parts):
        parts = [self.branches[b["key"]](x) for b, x in zip(net["branches"], parts)]
        return (self.head(self.trunk(torch.cat(parts, 1))) / recipe["temperature"]).softmax(1)


twin = Twin().eval()
missing, unexpected = twin.load_state_dict({name: torch.tensor(value) for name, value in tensor.items()}, strict=False)
assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
with torch.no_grad():
    again = twin([torch.tensor(x, dtype=torch.float32) for x in branches]).numpy()
assert np.abs(again - theirs).max() < 1e-4
print("PyTorch agrees")
