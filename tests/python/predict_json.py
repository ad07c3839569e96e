"""Predicts with a stored network by numpy alone: python predict_json.py model.safetensors recipe.json rows.json

rows.json maps every input column to its values (null for a missing number, a list for a vector); prints the class probabilities as JSON."""
import json, sys

from safetensors.numpy import load_file

import network

recipe, rows = (json.load(open(name)) for name in sys.argv[2:4])
columns = {name: [float("nan") if value is None else value for value in values] for name, values in rows.items()}
print(json.dumps(network.probabilities(load_file(sys.argv[1]), recipe, network.inputs(recipe, columns)).tolist()))
