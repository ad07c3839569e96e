"""The networks of runner as PyTorch modules: Twin(net) for the `network` part of model.json takes the file's tensors by
`load_state_dict`, and trains as they were trained (without dropout)."""
import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = dict(relu=F.relu, tanh=torch.tanh, silu=F.silu, mish=F.mish, gelu=F.gelu, selu=F.selu)


class Linear(nn.Linear):
    """With the parametrization's factor."""

    def __init__(self, net, inputs, outputs, bias=True):
        super().__init__(inputs, outputs, bias=bias)
        self.factor = inputs ** -.5 if net.get("parametrization") == "ntk" else 1.

    def forward(self, x):
        return F.linear(x, self.weight * self.factor, self.bias)


class Layer(nn.Module):
    def __init__(self, net, inputs, outputs, skip=False):
        super().__init__()
        self.linear = Linear(net, inputs, outputs, bias=not net["batch_norm"])
        self.norm = nn.BatchNorm1d(outputs, eps=net["batch_norm_epsilon"]) if net["batch_norm"] else nn.Identity()
        self.activation, self.skip = ACTIVATIONS[net["activation"]], skip

    def forward(self, x):
        y = self.activation(self.norm(self.linear(x)))
        return x + y if self.skip else y


class MemberLayer(nn.Module):
    """Shared weights, with a scale of inputs, a scale of outputs and a shift for each member: rows × members × width."""

    def __init__(self, net, inputs, outputs):
        super().__init__()
        self.linear, self.activation = Linear(net, inputs, outputs, bias=False), ACTIVATIONS[net["activation"]]
        self.adapter = nn.Parameter(torch.ones(net["members"], inputs))
        self.scale, self.shift = nn.Parameter(torch.ones(net["members"], outputs)), nn.Parameter(torch.zeros(net["members"], outputs))

    def forward(self, x):
        return self.activation(self.linear(x * self.adapter) * self.scale + self.shift)


class Embedding(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch, own, numbers = branch, branch["embedding"], branch["input"]
        self.kind = own["kind"]
        if self.kind == "table":
            self.table = nn.Parameter(torch.zeros(own["values"], own["width"]))
            return
        if self.kind == "periodic":
            features, width = own["frequencies"], own["width"] - 1
            self.frequencies, self.phases = (nn.Parameter(torch.zeros(numbers, features)) for _ in range(2))
        else:
            features, width = own["bins"], own["width"]
            q = torch.distributions.Normal(0., 1.).icdf(torch.arange(1, features) / features)
            self.edge = torch.cat([torch.tensor([-3.]), q, torch.tensor([3.])])
            self.low, self.high = torch.zeros(features), torch.ones(features)
            self.low[0], self.high[-1] = -torch.inf, torch.inf
        self.weight, self.bias = nn.Parameter(torch.zeros(numbers, width, features)), nn.Parameter(torch.zeros(numbers, width))

    def forward(self, x):
        if self.kind == "table":
            return F.embedding(x[:, 0].long(), self.table)
        if self.kind == "periodic":
            features = torch.cos(2 * torch.pi * (x[:, :, None] * self.frequencies + self.phases))
        else:
            features = torch.clamp((x[:, :, None] - self.edge[:-1]) / self.edge.diff(), self.low, self.high)
        vectors = (torch.einsum("bnf,nwf->bnw", features, self.weight) + self.bias).flatten(1)
        return torch.cat([vectors, x], 1) if self.kind == "periodic" else vectors


class Branch(nn.Module):
    def __init__(self, net, branch):
        super().__init__()
        own = branch.get("embedding")
        self.embedding = Embedding(branch) if own else nn.Identity()
        width = branch["input"] if not own else own["width"] * (1 if own["kind"] == "table" else branch["input"])
        self.scale = nn.Parameter(torch.ones(1, width)) if branch.get("scale") else None
        sizes = [width, *branch["layers"]]
        self.layers = nn.Sequential(*[Layer(net, a, b) for a, b in zip(sizes, sizes[1:])])
        self.outputs = sizes[-1]

    def forward(self, x):
        x = self.embedding(x)
        return self.layers(x if self.scale is None else x * self.scale)


class Stack(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)


class Head(nn.Module):
    """A linear head for each member."""

    def __init__(self, net, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(net["classes"], net["members"], width))
        self.bias = nn.Parameter(torch.zeros(net["classes"], net["members"]))

    def forward(self, x):
        return torch.einsum("bmw,cmw->bmc", x, self.weight) + self.bias.T


class Gates(nn.Module):
    def __init__(self, net, branches):
        super().__init__()
        self.branches = nn.ModuleDict({key: Linear(net, branch.outputs, net["fusion_width"]) for key, branch in branches.items()})
        self.gate = Linear(net, sum(branch.outputs for branch in branches.values()), len(branches))

    def forward(self, parts):
        weights = self.gate(torch.cat(parts, 1)).softmax(1)
        return sum(weights[:, [i]] * torch.tanh(linear(x)) for i, (linear, x) in enumerate(zip(self.branches.values(), parts)))


class Twin(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net, self.kind, self.way = net, net.get("trunk_kind", "mlp"), net.get("fusion", "concat")
        self.branches = nn.ModuleDict({b["key"]: Branch(net, b) for b in net["branches"]})
        if self.way == "gated":
            self.fusion = Gates(net, self.branches)
        if self.way == "late":
            pairs = {key: self.stack(branch.outputs) for key, branch in self.branches.items()}
            self.trunk, self.head = (nn.ModuleDict({key: pair[i] for key, pair in pairs.items()}) for i in (0, 1))
        else:
            width = net["fusion_width"] if self.way == "gated" else sum(branch.outputs for branch in self.branches.values())
            self.trunk, self.head = self.stack(width)

    def stack(self, width):
        sizes = [width, *self.net["trunk"]]
        pairs = list(zip(sizes, sizes[1:]))
        if self.kind == "tabm":
            return Stack([MemberLayer(self.net, a, b) for a, b in pairs]), Head(self.net, sizes[-1])
        layers = [Layer(self.net, a, b, self.kind == "residual" and a == b) for a, b in pairs]
        return Stack(layers), Linear(self.net, sizes[-1], self.net["classes"])

    def forward(self, *inputs):
        """Logits, rows × members × classes."""
        parts = [branch(x) for branch, x in zip(self.branches.values(), inputs)]
        members = self.net.get("members", 1)

        def run(trunk, head, x):
            if self.kind == "tabm":
                return head(trunk.layers(x[:, None].expand(-1, members, -1)))
            return head(trunk.layers(x))[:, None]

        if self.way == "late":
            return sum(run(self.trunk[key], self.head[key], x) for key, x in zip(self.branches, parts)) / len(parts)
        return run(self.trunk, self.head, self.fusion(parts) if self.way == "gated" else torch.cat(parts, 1))

    def probabilities(self, *inputs):
        return self(*inputs).softmax(-1).mean(1)
