"""Prints the expected values of src/ml/train/parity.rs: the same networks, weights, data and steps in PyTorch.

python pytorch_twin.py (torch 2.x on a CPU)"""
import math

import torch
from torch import nn
from torch.nn import functional as F

from twin import Twin

torch.set_num_threads(1)
ROWS, CLASSES = 40, 3


def pattern(count, a, b):
    return torch.tensor([((k * a + (k * k) % b) % 101) / 50 - 1 for k in range(count)])


def branch(key, width, layers=(), **more):
    return dict(key=key, input=width, layers=list(layers), **more)


PLAIN = [branch("numeric", 4), branch("text_title", 6, [5])]
TABLE = branch("category_artist", 1, embedding=dict(kind="table", values=4, width=3))
PERIODIC = branch("numeric", 4, embedding=dict(kind="periodic", frequencies=3, width=3), scale=True)
PIECES = branch("numeric", 4, embedding=dict(kind="piecewise_linear", bins=5, width=2))


def network(activation, batch_norm, branches=PLAIN, **more):
    return Twin(dict(branches=branches, trunk=[8, 7], classes=CLASSES, activation=activation, batch_norm=batch_norm, batch_norm_epsilon=1e-5, **more))


adamw = lambda net: torch.optim.AdamW(net.parameters(), .01)


def realmlp(net):
    """Factors of the rate by kind of tensor, decay of the layers' weights alone."""
    groups = []
    for name, p in net.named_parameters():
        factor = .1 if ".embedding." in name or name.endswith("bias") else 6. if name.endswith("scale") else 1.
        groups.append(dict(params=[p], lr=.02 * factor, weight_decay=.02 if p.dim() == 2 and name.endswith("weight") and ".embedding." not in name else 0.))
    return torch.optim.AdamW(groups, betas=(.9, .95))


coslog4 = lambda step, steps: .5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * step / steps)))

cases = dict(
    sgd=(network("relu", True), lambda n: torch.optim.SGD(n.parameters(), .05, momentum=.9), None, {}),
    nesterov=(network("gelu", False), lambda n: torch.optim.SGD(n.parameters(), .05, momentum=.8, nesterov=True, weight_decay=.01), None, {}),
    adam=(network("silu", True), lambda n: torch.optim.Adam(n.parameters(), .01, betas=(.8, .95), weight_decay=.02), None, dict(weights=[1., 2., .5])),
    adamw=(network("mish", True), lambda n: torch.optim.AdamW(n.parameters(), .01, weight_decay=.1), .05, dict(smoothing=.1, weights=[1., 2., .5])),
    rmsprop=(network("tanh", False), lambda n: torch.optim.RMSprop(n.parameters(), .003, momentum=.5, weight_decay=.01), None, {}),
    one_cycle=(network("selu", True), lambda n: torch.optim.AdamW(n.parameters(), .02), 1., dict(cycle=True, smoothing=.05)),
    tabm=(network("relu", True, [PIECES, PLAIN[1], TABLE], trunk_kind="tabm", members=3), adamw, 1., {}),
    realmlp=(network("selu", False, [PERIODIC], parametrization="ntk"), realmlp, None, dict(smoothing=.1, coslog=True)),
    residual=(network("mish", True, [PLAIN[0], branch("text_title", 6, [4]), TABLE], trunk_kind="residual", fusion="gated", fusion_width=8), adamw, 1., {}),
    late=(network("silu", False, [PERIODIC, TABLE], fusion="late", trunk_kind="tabm", members=2), adamw, 1., {}),
    average=(network("relu", True), adamw, 1., dict(average=.6)),
)
columns = dict(numeric=pattern(ROWS * 4, 7, 13).view(ROWS, 4), text_title=pattern(ROWS * 6, 5, 31).view(ROWS, 6),
               category_artist=torch.tensor([[float(i * i % 4)] for i in range(ROWS)]))
labels = torch.tensor([(i * i + 3 * i + (i % 7)) % CLASSES for i in range(ROWS)])
train, valid, epochs = slice(0, 30), slice(30, 40), 8


def loss(net, rows, **options):
    """The mean of the members' losses."""
    logits = net(*[columns[b["key"]][rows] for b in net.net["branches"]])
    return F.cross_entropy(logits.flatten(0, 1), labels[rows].repeat_interleave(logits.shape[1]), **options)


def valid_loss(net):
    p = net.eval().probabilities(*[columns[b["key"]][valid] for b in net.net["branches"]])
    return F.nll_loss(p.log(), labels[valid]).item()


for name, (net, make, clip, options) in cases.items():
    print(f"// {name}")
    with torch.no_grad():
        for key, p in net.named_parameters():
            if not key.endswith((".norm.weight", ".scale", ".adapter")):
                p.copy_((pattern(p.numel(), 11, 17) * (.1 if p.dim() == 1 else .4)).view_as(p))
    optimizer = make(net)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, .02, total_steps=epochs) if options.get("cycle") else None
    rates = [group["lr"] for group in optimizer.param_groups]
    average = {key: value.clone() for key, value in net.state_dict().items()} if options.get("average") else None
    weight = torch.tensor(options["weights"]) if "weights" in options else None
    objective, after, norms = [], [], []
    for epoch in range(epochs):
        net.train()
        for group, rate in zip(optimizer.param_groups, rates):
            if options.get("coslog"):
                group["lr"] = rate * coslog4(epoch, epochs)
        value = loss(net, train, weight=weight, label_smoothing=options.get("smoothing", 0.))
        optimizer.zero_grad()
        value.backward()
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), clip or 1e9).item())
        optimizer.step()
        if schedule and epoch < epochs - 1:
            schedule.step()
        objective.append(value.item())
        with torch.no_grad():
            if average is None:
                after.append(valid_loss(net))
                continue
            decay = min(options["average"], (1 + epoch) / (10 + epoch))
            now = {key: v.clone() for key, v in net.state_dict().items()}
            for key, v in now.items():
                average[key] = average[key] + ((1 - decay) * (v - average[key])).to(v.dtype)
            net.load_state_dict(average)
            after.append(valid_loss(net))
            net.load_state_dict(now)
    for key, values in (("objective", objective), ("valid_loss", after), ("gradient_norm", norms)):
        print(f"{key}: [" + ", ".join(f"{v:.6f}" for v in values) + "],")
