"""Predicts with a stored network by numpy alone: python predict_json.py model.safetensors recipe.json rows.json

rows.json maps every input column to its values (null for a missing number, a list for a vector) and "NAME\\0category" to those of
categories; prints the class probabilities as JSON."""
import json, sys

from safetensors.numpy import load_file

import network


def read(recipe, rows):
    """The recipe, and the columns as network.inputs takes them."""
    recipe, rows = json.load(open(recipe)), json.load(open(rows))
    columns = {}
    for name, values in rows.items():
        if name.endswith("\0category"):
            columns[name.removesuffix("\0category"), "category"] = values
        else:
            columns[name] = [float("nan") if value is None else value for value in values]
    return recipe, columns


if __name__ == "__main__":
    recipe, columns = read(*sys.argv[2:4])
    print(json.dumps(network.probabilities(load_file(sys.argv[1]), recipe, network.inputs(recipe, columns)).tolist()))
