"""scikit-learn's and LightGBM's counterparts of our classical models, with the same hyper-parameters.

Imported by `baselines.py`. As a program it is the other half of `benches/classical.rs`: it is given a folder of matrices and
answers one JSON line for each JSON line that asks for a fit.
"""
import json, pathlib, sys, time, warnings

import lightgbm, numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier


def imputed(model):
    return make_pipeline(SimpleImputer(strategy="median"), model)


def scaled(model):
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), model)


def grown(p):
    return dict(max_depth=p["max_depth"], min_samples_leaf=p["min_samples_leaf"], random_state=0)


def forest(p, threads):
    features = None if p["max_features"] == "all" else p["max_features"]
    return dict(n_estimators=p["trees"], max_features=features, bootstrap=p["bootstrap"], n_jobs=threads, **grown(p))


def boosting(p, threads):
    return dict(n_estimators=p["rounds"], learning_rate=p["learning_rate"], num_leaves=p["max_leaves"], max_depth=p["max_depth"] or -1,
                min_child_samples=p["min_child_samples"], reg_lambda=p["l2"], subsample=p["row_fraction"], subsample_freq=1,
                colsample_bytree=p["column_fraction"], n_jobs=threads, verbose=-1, random_state=0)


PEERS = {
    "majority": lambda p, threads: DummyClassifier(),
    "logistic": lambda p, threads: scaled(LogisticRegression(C=p["c"], max_iter=500)),
    "linear_svm": lambda p, threads: scaled(LinearSVC(C=p["c"])),
    "rbf_svm": lambda p, threads: scaled(SVC(C=p["c"], gamma=p["gamma"] or "scale", cache_size=p["cache_mib"])),
    "knn": lambda p, threads: scaled(KNeighborsClassifier(p["k"], n_jobs=threads)),
    "naive_bayes": lambda p, threads: imputed(GaussianNB()),
    "tree": lambda p, threads: imputed(DecisionTreeClassifier(**grown(p))),
    "random_forest": lambda p, threads: imputed(RandomForestClassifier(**forest(p, threads))),
    "extra_trees": lambda p, threads: imputed(ExtraTreesClassifier(**forest(p, threads))),
    "boosting": lambda p, threads: lightgbm.LGBMClassifier(**boosting(p, threads)),
}


def peer(name, parameters, threads=-1):
    return PEERS[name](parameters, threads)


def main(folder, threads):
    y, fold = (np.fromfile(folder / name, "<u4") for name in ("y", "fold"))
    tables = {path.stem: np.fromfile(path, "<f4").reshape(len(y), -1) for path in folder.glob("*.f32")}
    # What a data frame gives; vectors of an encoder come as they are.
    tables["numbers"] = tables["numbers"].astype("f8")
    warnings.filterwarnings("ignore")
    peer("boosting", {"rounds": 1, "learning_rate": 1, "max_leaves": 2, "max_depth": 1, "min_child_samples": 1, "l2": 0, "row_fraction": 1,
                      "column_fraction": 1}, threads).fit(tables["numbers"], y)  # starts the threads
    for line in sys.stdin:
        ask = json.loads(line)
        x, inside = tables[ask["table"]], fold == ask["fold"]
        train_x, train_y, test_x, test_y = x[~inside], y[~inside], x[inside], y[inside]
        start = time.perf_counter()
        model = peer(ask["name"], ask["parameters"], threads).fit(train_x, train_y)
        fitted = time.perf_counter()
        predicted = model.predict(test_x)
        done = time.perf_counter()
        print(json.dumps({"fit": fitted - start, "predict": done - fitted, "accuracy": float((predicted == test_y).mean())}), flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
