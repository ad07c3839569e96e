"""Predicts with a stored network in PyTorch: python pytorch_predict.py model.safetensors recipe.json rows.json

The module takes the file's tensors by `load_state_dict`; files and output as in predict_json.py."""
import json, sys

import torch
from safetensors.torch import load_file

import network
from predict_json import read
from twin import Twin

recipe, columns = read(*sys.argv[2:4])
twin = Twin(recipe["network"]).eval()
missing, unexpected = twin.load_state_dict(load_file(sys.argv[1]), strict=False)
assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
with torch.no_grad():
    odds = twin.probabilities(*[torch.tensor(x, dtype=torch.float32) for x in network.inputs(recipe, columns)])
    print(json.dumps(network.calibrated(recipe, odds.numpy()).tolist()))
