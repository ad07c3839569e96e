"""A million rows of twenty mixed columns through every stage, and LightGBM on the same rows: seconds and peak memory of each.

    python million.py RUNNER [--rows 1000000] [--folder FOLDER] [--only runner,lightgbm]

Needs numpy, pyarrow and lightgbm. The table is drawn from a seed: 8 numbers with gaps, 6 categories of 5 to 1,000 values, 3 numbers with units as text, a date, a short
text and an id; its label of three classes depends on several of them. Every stage runs in a process of its own, of which the system tells the peak of resident memory;
then all of them run once more in one process. LightGBM does what the stage `boosting` does on the rows as the split made them: two fits for the folds and one on all of
the training part, with the same rounds, leaves, rate and threads and with categories as such, and predictions of the rows that each has not seen.
"""
import argparse, json, os, pathlib, shutil, subprocess, sys, tempfile, time

THREADS, ROUNDS, LEAVES, RATE = 2, 100, 31, 0.1
SIZES = {"shop": 5, "colour": 20, "region": 50, "maker": 100, "model": 300, "town": 1000}
NUMBERS = [f"x{i}" for i in range(1, 9)]
DERIVED = ["minutes", "euros", "kilos", "bought_year", "bought_month", "note_length"]

PIPELINE = f"""\
name: million
seed: 7
stages:
  data:
    kind: load
    files: {{train: train.csv, new: new.csv}}
    label: label
    derive:
      minutes: {{number_of: duration}}
      euros: {{number_of: price}}
      kilos: {{number_of: weight}}
      bought_year: {{year_of: bought}}
      bought_month: {{month_of: bought}}
      note_length: {{length_of: note}}
  folds: {{kind: split, rows: data, folds: 2}}
  profile: {{kind: describe, rows: data, drop: [id]}}
  boosting:
    kind: baseline
    rows: folds
    numeric: &numbers [{', '.join(NUMBERS + DERIVED)}]
    categories: &categories [{', '.join(SIZES)}]
    models: {{boosting: {{rounds: {ROUNDS}, learning_rate: {RATE}, max_leaves: {LEAVES}}}}}
  notes: {{kind: embed, rows: data, fit: folds.train, columns: [note], encoder: tfidf, tfidf: {{dim: 16}}}}
  network:
    kind: train
    rows: folds
    embeddings: notes
    numeric: *numbers
    categories: *categories
    text: [note]
    network: {{categories: {{width: 8}}, trunk: {{layers: [64, 64]}}}}
    batch_size: 1024
    epochs: 3
  predict: {{kind: predict, model: network, rows: data.new, embeddings: notes, file: predictions.csv}}
"""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("runner", type=pathlib.Path)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--folder", type=pathlib.Path, help="where to work, and to leave everything; a temporary folder unless given")
parser.add_argument("--only", default="runner,lightgbm")
parser.add_argument("--one", help=argparse.SUPPRESS)  # a step in a process of its own, whose memory counts for no other
arguments = parser.parse_args()


def write(path, rows, seed, labelled):
    """A table of so many rows; the same seed gives the same bytes."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(rows, len(NUMBERS))).astype(np.float32)
    codes = {name: (size * draw.random(rows) ** 3).astype(int) for name, size in SIZES.items()}
    minutes, cents, grams = draw.integers(1, 300, rows), draw.integers(100, 500_000, rows), draw.integers(10, 90_000, rows)
    days = draw.integers(0, 3650, rows)
    words = np.array("good fine poor late early broken quick slow heavy light cheap dear loud quiet warm cold dry wet old new".split())
    said = draw.integers(0, len(words), (rows, 4))
    effects = np.random.default_rng(1)  # what the label depends on is the same for every file
    worth = {name: effects.normal(size=(size, 3)) for name, size in SIZES.items()}
    heard = effects.normal(size=(len(words), 3)) * 0.5
    score = sum(worth[name][codes[name]] for name in ("colour", "maker", "town"))
    score = score + heard[said].sum(axis=1)
    score[:, 0] += numbers[:, 0] * 1.5 + np.abs(numbers[:, 1])
    score[:, 1] += numbers[:, 2] * numbers[:, 3] + minutes / 100
    score[:, 2] += np.log(cents / 100_000) + (days % 365) / 180
    label = np.array(["low", "middle", "high"])[(score + draw.gumbel(size=score.shape)).argmax(axis=1)]

    def text(form, *values):
        return pa.array([form % value for value in zip(*(value.tolist() for value in values))])

    dates = np.datetime64("2015-01-01") + days
    columns = {"id": text("R%08d", np.arange(rows))}
    for index, name in enumerate(NUMBERS):
        columns[name] = pa.array(numbers[:, index].round(4), mask=draw.random(rows) < 0.02)
    columns |= {name: text(f"{name}_%d", codes[name]) for name in SIZES}
    columns["duration"] = text("%d min", minutes)
    columns["price"] = text("$%.2f", cents / 100)
    columns["weight"] = text("%.3f kg", grams / 1000)
    columns["bought"] = pa.array(dates.astype("datetime64[D]").astype(str))
    columns["note"] = pa.array([" ".join(line) for line in words[said].tolist()])
    if labelled:
        columns["label"] = pa.array(label)
    csv.write_csv(pa.table(columns), path, csv.WriteOptions(quoting_style="needed"))


def measured(command, folder):
    """Seconds, seconds of the processors, and peak memory in MB of a process."""
    environment = {**os.environ, **{f"{name}_NUM_THREADS": str(THREADS) for name in ("OMP", "OPENBLAS", "MKL")}, "OMP_WAIT_POLICY": "passive"}
    started = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: {said[-2000:]}")
    return (time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), said


def told(name, figures, more=""):
    seconds, busy, memory = figures
    print(f"{name:22} {seconds:8.1f} s, of processors {busy:8.1f} s {memory:8.0f} MB  {more}", flush=True)


def lightgbm(folder):
    """LightGBM on the rows of the split; seconds by step and the test accuracy."""
    import lightgbm as lgb
    import numpy as np
    import pyarrow as pa

    rows = pa.ipc.open_file(pa.memory_map(str(folder / "artifacts/million/folds/rows.arrow"))).read_all()
    part, fold = np.asarray(rows["runner.part"].to_pylist()), rows["runner.fold"].to_numpy()
    names = NUMBERS + DERIVED
    x = np.empty((len(part), len(names) + len(SIZES)), np.float32)
    for index, name in enumerate(names):
        x[:, index] = rows[name].to_numpy()
    for index, name in enumerate(SIZES):
        x[:, len(names) + index] = rows[name].combine_chunks().dictionary_encode().indices.to_numpy()
    classes, y = np.unique(np.asarray(rows["runner.label"].to_pylist()), return_inverse=True)
    del rows
    options = {"objective": "multiclass", "num_class": len(classes), "num_leaves": LEAVES, "learning_rate": RATE, "num_threads": THREADS, "verbose": -1, "seed": 0}
    started, found = time.process_time(), {"binning": 0.0, "fitting": 0.0, "predicting": 0.0}
    train = part == "train"
    for known, rest in ((train & (fold == 1), train & (fold == 0)), (train & (fold == 0), train & (fold == 1)), (train, ~train)):
        times = [time.monotonic()]
        data = lgb.Dataset(x[known], y[known], categorical_feature=list(range(len(names), x.shape[1])), params=options).construct()
        times.append(time.monotonic())
        model = lgb.train(options, data, ROUNDS)
        times.append(time.monotonic())
        said = model.predict(x[rest], num_threads=THREADS)
        times.append(time.monotonic())
        for step, begin, end in zip(found, times, times[1:]):
            found[step] += end - begin
    seconds, test = sum(found.values()), part[rest] == "test"
    accuracy = (said[test].argmax(axis=1) == y[rest][test]).mean()
    print(json.dumps({"seconds": seconds, "busy": time.process_time() - started, "steps": found, "accuracy": accuracy}))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "train.csv").exists():
        measured([sys.executable, __file__, arguments.runner.absolute(), "--rows", str(arguments.rows), "--folder", folder, "--one", "tables"], folder)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    runner, only = arguments.runner.absolute(), arguments.only.split(",")
    print(f"{arguments.rows:,} rows, {(folder / 'train.csv').stat().st_size / 1e6:.0f} MB of CSV")
    if "runner" in only:
        shutil.rmtree(folder / "artifacts", ignore_errors=True)
        for stage in ("data", "folds", "profile", "boosting", "notes", "network", "predict"):
            figures, _ = measured([runner, "run", "pipeline.yaml", stage, "-j", str(THREADS)], folder)
            told(stage, figures)
        figures, _ = measured([runner, "predict", "pipeline.yaml", "boosting.boosting", "new.csv", "-o", "said.csv", "--proba"], folder)
        told("runner predict", figures, f"{arguments.rows // 10:,} rows")
        figures, _ = measured([runner, "run", "pipeline.yaml", "-j", str(THREADS), "--artifacts", "once"], folder)
        told("all in one process", figures)
        shutil.rmtree(folder / "once", ignore_errors=True)
    if "lightgbm" in only:
        (_, _, memory), said = measured([sys.executable, __file__, runner, "--folder", folder, "--one", "lightgbm"], folder)
        found = json.loads(said.strip().splitlines()[-1])
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in found["steps"].items())
        told("LightGBM", (found["seconds"], found["busy"], memory), f"{steps}; test accuracy {found['accuracy']:.4f}")
        document = folder / "artifacts/million/boosting/baseline.json"
        if document.exists():
            [model] = json.loads(document.read_text())["evaluations"]
            print(f"{'':42} ours: test accuracy {model['test']['accuracy']:.4f}")


if arguments.one == "tables":
    write(arguments.folder / "train.csv", arguments.rows, 7, True)
    write(arguments.folder / "new.csv", arguments.rows // 10, 8, False)
elif arguments.one == "lightgbm":
    lightgbm(arguments.folder)
elif arguments.folder:
    main(arguments.folder.absolute())
else:
    with tempfile.TemporaryDirectory() as folder:
        main(pathlib.Path(folder))
