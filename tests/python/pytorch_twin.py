"""Prints the expected values of src/ml/train/parity.rs: the same networks, weights, data and steps in PyTorch.

python pytorch_twin.py (torch 2.x on a CPU)"""
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
ROWS, CLASSES = 40, 3
ACTIVATIONS = dict(relu=F.relu, selu=F.selu, gelu=F.gelu, silu=F.silu, mish=F.mish, tanh=torch.tanh)


class Block(nn.Module):
    def __init__(self, inputs, outputs, batch_norm, activation):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=not batch_norm)
        self.norm = nn.BatchNorm1d(outputs) if batch_norm else nn.Identity()
        self.activation = ACTIVATIONS[activation]

    def forward(self, x):
        return self.activation(self.norm(self.linear(x)))


class Stack(nn.Module):
    def __init__(self, inputs, widths, batch_norm, activation):
        super().__init__()
        sizes = [inputs, *widths]
        self.layers = nn.Sequential(*[Block(a, b, batch_norm, activation) for a, b in zip(sizes, sizes[1:])])

    def forward(self, x):
        return self.layers(x)


class Network(nn.Module):
    def __init__(self, batch_norm, activation):
        super().__init__()
        own = batch_norm, activation
        self.branches = nn.ModuleDict(dict(numeric=Stack(4, [], *own), text_title=Stack(6, [5], *own)))
        self.trunk = Stack(9, [8, 7], *own)
        self.head = nn.Linear(7, CLASSES)

    def forward(self, numeric, title):
        return self.head(self.trunk(torch.cat([self.branches["numeric"](numeric), self.branches["text_title"](title)], 1)))


def pattern(count, a, b):
    return torch.tensor([((k * a + (k * k) % b) % 101) / 50 - 1 for k in range(count)])


cases = dict(
    sgd=(True, "relu", lambda p: torch.optim.SGD(p, .05, momentum=.9), None, {}),
    nesterov=(False, "gelu", lambda p: torch.optim.SGD(p, .05, momentum=.8, nesterov=True, weight_decay=.01), None, {}),
    adam=(True, "silu", lambda p: torch.optim.Adam(p, .01, betas=(.8, .95), weight_decay=.02), None, dict(weights=[1., 2., .5])),
    adamw=(True, "mish", lambda p: torch.optim.AdamW(p, .01, weight_decay=.1), .05, dict(smoothing=.1, weights=[1., 2., .5])),
    rmsprop=(False, "tanh", lambda p: torch.optim.RMSprop(p, .003, momentum=.5, weight_decay=.01), None, {}),
    one_cycle=(True, "selu", lambda p: torch.optim.AdamW(p, .02), 1., dict(cycle=True, smoothing=.05)),
)
x, title = pattern(ROWS * 4, 7, 13).view(ROWS, 4), pattern(ROWS * 6, 5, 31).view(ROWS, 6)
labels = torch.tensor([(i * i + 3 * i + (i % 7)) % CLASSES for i in range(ROWS)])
train, valid, epochs = slice(0, 30), slice(30, 40), 8
for name, (batch_norm, activation, make, clip, options) in cases.items():
    print(f"// {name}")
    net = Network(batch_norm, activation)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_((pattern(p.numel(), 11, 17) * (.4 if p.dim() == 2 else .1)).view_as(p))
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.weight.fill_(1.0)
    optimizer = make(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, .02, total_steps=epochs) if options.get("cycle") else None
    weight = torch.tensor(options["weights"]) if "weights" in options else None
    objective, valid_loss, norms = [], [], []
    for epoch in range(epochs):
        net.train()
        loss = F.cross_entropy(net(x[train], title[train]), labels[train], weight=weight, label_smoothing=options.get("smoothing", 0.))
        optimizer.zero_grad()
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), clip or 1e9).item())
        optimizer.step()
        if schedule and epoch < epochs - 1:
            schedule.step()
        objective.append(loss.item())
        net.eval()
        with torch.no_grad():
            valid_loss.append(F.cross_entropy(net(x[valid], title[valid]), labels[valid]).item())
    for key, values in (("objective", objective), ("valid_loss", valid_loss), ("gradient_norm", norms)):
        print(f"{key}: [" + ", ".join(f"{v:.6f}" for v in values) + "],")
