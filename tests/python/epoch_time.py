"""Prints the seconds of a training epoch in PyTorch, and those of the scores that follow it: python epoch_time.py mlp|residual|tabm

13,000 rows of 14 numbers, 5 classes, batches of 256, AdamW, clipped gradients; what `benches/network.rs` trains, written as one would.
As there, the training rows are scored after each epoch beside the validation rows: accuracy and mean loss."""
import sys, time
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
ROWS, VALID, COLUMNS, CLASSES, BATCH, EPOCHS, K = 13_000, 3_000, 14, 5, 256, 5, 8


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(.3))

    def forward(self, x):
        return x + self.layer(x)


class Members(nn.Module):
    """A linear layer shared by K members, each with its own scale of inputs, scale of outputs, and bias (BatchEnsemble)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-inputs ** -.5, inputs ** -.5))
        self.r = nn.Parameter(torch.randint(2, (K, inputs)) * 2. - 1)
        self.s, self.bias = nn.Parameter(torch.ones(K, outputs)), nn.Parameter(torch.zeros(K, outputs))

    def forward(self, x):
        return F.linear(x * self.r, self.weight) * self.s + self.bias


class Tabm(nn.Module):
    def __init__(self, widths):
        super().__init__()
        sizes = [COLUMNS, *widths]
        self.layers = nn.ModuleList([Members(a, b) for a, b in zip(sizes, sizes[1:])])
        self.head = nn.Parameter(torch.empty(K, sizes[-1], CLASSES).uniform_(-sizes[-1] ** -.5, sizes[-1] ** -.5))
        self.bias = nn.Parameter(torch.zeros(K, CLASSES))

    def forward(self, x):
        x = x[:, None].expand(-1, K, -1)
        for layer in self.layers:
            x = F.dropout(F.relu(layer(x)), .1, self.training)
        return torch.einsum("bki,kio->bko", x, self.head) + self.bias


def mlp(make, widths):
    layers, width = [], COLUMNS
    for w in widths:
        layers.append(make(width) if make and w == width else nn.Sequential(nn.Linear(width, w), nn.BatchNorm1d(w), nn.ReLU(), nn.Dropout(.3)))
        width = w
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


net = dict(mlp=lambda: mlp(None, [256] * 3), residual=lambda: mlp(Residual, [256] * 3), tabm=lambda: Tabm([256, 256]))[sys.argv[1]]()
x, y = torch.randn(ROWS + VALID, COLUMNS), torch.randint(CLASSES, (ROWS + VALID,))
adam = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
def score(rows):
    """Accuracy and loss as the network predicts, in batches that a cache holds."""
    hits = loss = 0.
    with torch.no_grad():
        for at in range(rows.start, rows.stop, BATCH):
            part = slice(at, min(at + BATCH, rows.stop))
            p = net(x[part]).softmax(-1)
            p = p if p.dim() == 2 else p.mean(1)
            hits += (p.argmax(-1) == y[part]).sum().item()
            loss += F.nll_loss(p.log(), y[part], reduction="sum").item()
    return hits / len(rows), loss / len(rows)


training, scoring = [], []
for epoch in range(EPOCHS + 1):
    start = time.time()
    net.train()
    order = torch.randperm(ROWS)
    for at in range(0, ROWS, BATCH):
        rows = order[at : at + BATCH]
        out = net(x[rows])
        target = y[rows] if out.dim() == 2 else y[rows].repeat_interleave(K)
        loss = F.cross_entropy(out.reshape(-1, CLASSES), target, label_smoothing=.05)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.)
        adam.step()
    training.append(time.time() - start)
    net.eval()
    score(range(ROWS)), score(range(ROWS, ROWS + VALID))
    scoring.append(time.time() - start - training[-1])
print(sum(training[1:]) / EPOCHS, sum(scoring[1:]) / EPOCHS)
