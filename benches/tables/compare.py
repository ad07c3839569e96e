"""Two commands of runner beside what else one would run on a table, on the same rows.

    python compare.py RUNNER FOLDER:LABEL… [--budget 5m] [--share 0.2] [--peers lightgbm,logistic,catboost,autogluon]

Each FOLDER has a file `train.*` whose column LABEL (a name, or a number from 1) is known. A share of its rows, by the digest of the row, is put aside before anything
looks at it; `runner init` and `runner run` see the rest, and `runner predict` the rows put aside without their label. Peers get the same rows as `load` read them:
LightGBM with categories and 200 components of TF-IDF, logistic regression on sparse TF-IDF, one-hot categories and standardised numbers, and, where they are
installed, CatBoost with text features and AutoGluon (default preset, in the time that runner took). All on two threads. Prints scores, ranks, seconds and memory.
"""
import argparse, hashlib, json, os, pathlib, resource, subprocess, sys, tempfile, time

THREADS = 2
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("runner", type=pathlib.Path)
parser.add_argument("folders", nargs="+")
parser.add_argument("--budget", default="5m")
parser.add_argument("--share", type=float, default=0.2)
parser.add_argument("--peers", default="lightgbm,logistic,catboost,autogluon")
parser.add_argument("--one", help=argparse.SUPPRESS)  # a peer, in a process of its own: its memory is measured
arguments = parser.parse_args()


def scores(classes, truth, probabilities):
    """Accuracy, macro-F1, log loss, and of two classes ROC AUC of the rarer one."""
    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

    probabilities = np.clip(probabilities, 1e-15, 1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = np.array(classes)[probabilities.argmax(axis=1)]
    known = np.isin(truth, classes)
    found = {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro", labels=sorted(set(truth) & set(classes))),
        "log_loss": log_loss(truth[known], probabilities[known], labels=list(classes)),
    }
    if len(classes) == 2:
        found["roc_auc"] = roc_auc_score(truth == classes[1], probabilities[:, 1])
    return found


def table(path):
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def is_put_aside(record):
    digest = hashlib.sha256(record.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < arguments.share


def run(command, folder):
    """Seconds and peak memory of a process and its children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr[-2000:]}")
    return time.monotonic() - started, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def frames(folder):
    """Training and test rows as pandas frames of the columns that the draft learns from, with the labels."""
    import pandas as pd
    import yaml

    pipeline = yaml.safe_load((folder / "study/pipeline.yaml").read_text())
    baseline, label = pipeline["stages"]["baseline"], pipeline["stages"]["data"]["label"]
    columns = {kind: baseline.get(kind, []) for kind in ("numeric", "categories", "texts")}
    loaded = pathlib.Path(folder / "study/artifacts" / pipeline["name"] / "data")
    train, test = (table(loaded / f"{name}.arrow").to_pandas() for name in ("train", "new"))
    truth = pd.Series(json.loads((folder / "truth.json").read_text()))
    for frame in (train, test):
        for name in columns["categories"]:
            frame[name] = frame[name].astype("string").fillna("missing")
        for name in columns["texts"]:
            frame[name] = frame[name].astype("string").fillna("")
    train = train[train[label].notna()]
    return columns, train, test, train[label].astype(str), truth


def lightgbm(columns, train, test, y):
    import lightgbm as lgb, numpy as np, pandas as pd
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import train_test_split

    def features(frame, fit):
        parts = [frame[columns["numeric"]].astype(float)]
        for name in columns["categories"]:
            kinds.setdefault(name, pd.CategoricalDtype(sorted(frame[name].unique())))
            parts.append(frame[[name]].astype(kinds[name]))
        for name in columns["texts"]:
            if fit:
                words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
                sparse = words.fit_transform(frame[name])
                svd = TruncatedSVD(min(200, sparse.shape[1] - 1), random_state=0).fit(sparse)
                texts[name] = (words, svd)
            words, svd = texts[name]
            dense = svd.transform(words.transform(frame[name]))
            parts.append(pd.DataFrame(dense, index=frame.index, columns=[f"{name} {i}" for i in range(dense.shape[1])]))
        found = pd.concat(parts, axis=1)
        found.columns = [f"c{i}" for i in range(found.shape[1])]
        return found

    kinds, texts = {}, {}
    x = features(train, True)
    rare = y.map(y.value_counts()) < 2
    a, b = train_test_split(np.arange(len(y))[~rare], test_size=0.15, random_state=0, stratify=y[~rare])
    model = lgb.LGBMClassifier(n_estimators=2000, learning_rate=0.05, n_jobs=THREADS, random_state=0, verbose=-1)
    model.fit(x.iloc[a], y.iloc[a], eval_set=[(x.iloc[b], y.iloc[b])] if set(y.iloc[b]) <= set(y.iloc[a]) else None,
              callbacks=[lgb.early_stopping(50, verbose=False)])
    return list(model.classes_), model.predict_proba(features(test, False))


def logistic(columns, train, test, y):
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = [(f"text {name}", TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), name) for name in columns["texts"]]
    columns_of = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), columns["numeric"]),
        ("categories", OneHotEncoder(handle_unknown="ignore", min_frequency=5), columns["categories"]),
        *texts,
    ])
    model = make_pipeline(columns_of, LogisticRegression(C=3.0, max_iter=2000))
    model.fit(train, y)
    return list(model[-1].classes_), model.predict_proba(test)


def catboost(columns, train, test, y):
    from catboost import CatBoostClassifier

    names = columns["numeric"] + columns["categories"] + columns["texts"]
    model = CatBoostClassifier(iterations=1000, thread_count=THREADS, random_seed=0, verbose=False, allow_writing_files=False,
                               cat_features=columns["categories"], text_features=columns["texts"])
    model.fit(train[names], y)
    return list(model.classes_), model.predict_proba(test[names])


def autogluon(columns, train, test, y, seconds):
    from autogluon.tabular import TabularPredictor

    names = columns["numeric"] + columns["categories"] + columns["texts"]
    rows = train[names].assign(label_of_row=y)
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor("label_of_row", path=folder, eval_metric="log_loss", verbosity=0)
        model.fit(rows, time_limit=seconds, num_cpus=THREADS, num_gpus=0)
        found = model.predict_proba(test[names])
        return [str(name) for name in found.columns], found.to_numpy()


def one(peer, folder, seconds):
    import numpy as np

    columns, train, test, y, truth = frames(folder)
    given = (columns, train, test, y)
    classes, probabilities = autogluon(*given, seconds) if peer == "autogluon" else globals()[peer](*given)
    print(json.dumps(scores([str(name) for name in classes], truth.to_numpy(), np.asarray(probabilities, dtype=float))))


def runner(folder, source, label):
    """Cuts the table, runs the two commands and predicts; the scores, seconds and memory."""
    import numpy as np
    import pandas as pd

    run([arguments.runner, "init", "look", "--from", source, "--label", label, "--budget", "10s"], folder)
    import yaml
    pipeline = yaml.safe_load((folder / "look/pipeline.yaml").read_text())
    name = pipeline["stages"]["data"]["label"]
    run([arguments.runner, "run", "pipeline.yaml", "data"], folder / "look")
    rows = table(folder / "look/artifacts" / pipeline["name"] / "data/train.arrow")
    header = rows.schema.metadata[b"header.train"].decode()
    records, labels = rows["runner.record"].to_pylist(), rows[name].to_pylist()
    labels = [None if label is None else str(label) for label in labels]
    aside = [label is not None and is_put_aside(record) for record, label in zip(records, labels)]
    ending = source.suffix
    for file, wanted in (("train", False), ("test", True)):
        lines = [record for record, own in zip(records, aside) if own == wanted]
        text = "\n".join(([header] if header else []) + lines) + "\n"
        (folder / f"{file}{ending}").write_text(text, encoding="utf-8", newline="")
    (folder / "truth.json").write_text(json.dumps([label for label, own in zip(labels, aside) if own]))
    seconds, memory = 0.0, 0.0
    train, test = (str(folder / f"{file}{ending}") for file in ("train", "test"))
    for command, place in (
        (["init", "study", "--from", train, "--label", label, "--test", test, "--budget", arguments.budget], folder),
        (["run", "pipeline.yaml", "best", "predictions", "-j", str(THREADS)], folder / "study"),
    ):
        took, peak = run([arguments.runner, *command], place)
        seconds, memory = seconds + took, max(memory, peak)
    took, _ = run([arguments.runner, "predict", "pipeline.yaml", "best", test, "-o", "said.csv", "--proba"], folder / "study")
    said = table(folder / "study/artifacts" / yaml.safe_load((folder / "study/pipeline.yaml").read_text())["name"] / "predictions/rows.arrow")
    classes = [name[len("runner.p_"):] for name in said.column_names if name.startswith("runner.p_")]
    probabilities = np.column_stack([said[f"runner.p_{name}"].to_numpy() for name in classes]).astype(float)
    truth = pd.Series(json.loads((folder / "truth.json").read_text())).to_numpy()
    return scores(classes, truth, probabilities), seconds, memory


def main():
    results = {}
    for given in arguments.folders:
        folder, label = given.rsplit(":", 1)
        [source] = pathlib.Path(folder).absolute().glob("train.*")
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            found, seconds, memory = runner(place, source, label)
            all_found = {"runner": (found, seconds, memory)}
            for peer in arguments.peers.split(","):
                started = time.monotonic()
                command = ["/usr/bin/time", "-f", "%M", sys.executable, __file__, str(arguments.runner), str(place), "--one", f"{peer}:{seconds}"]
                environment = {**os.environ, **{f"{name}_NUM_THREADS": str(THREADS) for name in ("OMP", "OPENBLAS", "MKL")}}
                done = subprocess.run(command, capture_output=True, text=True, env=environment)
                if done.returncode != 0:
                    print(f"{peer}: {done.stderr.strip().splitlines()[-2:]}", file=sys.stderr)
                    continue
                peak = float(done.stderr.strip().splitlines()[-1]) / 1024
                all_found[peer] = (json.loads(done.stdout.strip().splitlines()[-1]), time.monotonic() - started, peak)
        results[pathlib.Path(folder).name] = all_found
        rank = sorted(all_found, key=lambda peer: all_found[peer][0]["log_loss"])
        print(f"\n{pathlib.Path(folder).name}\n{'':10} {'accuracy':>9} {'macro-F1':>9} {'ROC AUC':>9} {'log loss':>9} {'rank':>5} {'seconds':>8} {'MB':>6}")
        for peer, (found, seconds, memory) in all_found.items():
            auc = f"{found['roc_auc']:9.4f}" if "roc_auc" in found else " " * 9
            print(f"{peer:10} {found['accuracy']:9.4f} {found['macro_f1']:9.4f} {auc} {found['log_loss']:9.4f} {rank.index(peer) + 1:5} {seconds:8.1f} {memory:6.0f}", flush=True)


if arguments.one:
    peer, seconds = arguments.one.split(":")
    one(peer, pathlib.Path(arguments.folders[0]), float(seconds))
else:
    main()
