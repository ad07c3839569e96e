"""Predicts with a stored network in PyTorch: python pytorch_predict.py model.safetensors model.json rows.json

The module is the obvious one and takes the file's tensors by `load_state_dict`; files and output as in numpy_predict.py."""
import json, sys
import torch
from torch import nn
from numpy_predict import prepare, read

ACTIVATIONS = dict(relu=nn.ReLU, tanh=nn.Tanh, silu=nn.SiLU, mish=nn.Mish, gelu=nn.GELU, selu=nn.SELU)


class Layer(nn.Module):
    def __init__(self, net, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=not net["batch_norm"])
        self.norm = nn.BatchNorm1d(outputs, eps=net["batch_norm_epsilon"]) if net["batch_norm"] else nn.Identity()
        self.activation = ACTIVATIONS[net["activation"]]()
        self.dropout = nn.Dropout(net["dropout"])

    def forward(self, x):
        return self.dropout(self.activation(self.norm(self.linear(x))))


class Stack(nn.Module):
    def __init__(self, net, inputs, widths):
        super().__init__()
        sizes = [inputs, *widths]
        self.layers = nn.Sequential(*[Layer(net, a, b) for a, b in zip(sizes, sizes[1:])])
        self.outputs = sizes[-1]

    def forward(self, x):
        return self.layers(x)


class Network(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.branches = nn.ModuleDict({b["key"]: Stack(net, b["input"], b["layers"]) for b in net["branches"]})
        self.trunk = Stack(net, sum(branch.outputs for branch in self.branches.values()), net["trunk"])
        self.head = nn.Linear(self.trunk.outputs, net["classes"])

    def forward(self, *inputs):
        return self.head(self.trunk(torch.cat([branch(x) for branch, x in zip(self.branches.values(), inputs)], 1)))


recipe, rows = json.load(open(sys.argv[2])), json.load(open(sys.argv[3]))
network = Network(recipe["network"])
network.load_state_dict({name: torch.tensor(values) for name, values in read(sys.argv[1]).items()})
network.eval()
with torch.no_grad():
    inputs = [torch.tensor(x, dtype=torch.float32) for x in prepare(recipe, rows)]
    print(json.dumps((network(*inputs) / recipe["temperature"]).softmax(1).tolist()))
