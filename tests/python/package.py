"""Repeats the predictions of an exported model in numpy: python package.py MODEL.runner ROWS.csv PREDICTED.csv

Reads the package and the rows alone, and compares with what `runner predict MODEL.runner ROWS.csv -o PREDICTED.csv --proba` wrote. docs/packages.md tells what
stands where. Not read here: pretrained encoders, vectors of texts in baselines, and dates and numbers in texts among derived columns."""
import csv, io, json, re, sys, zipfile

import numpy as np

import classical, network

TYPES = dict(F64="<f8", F32="<f4", U8="u1", U16="<u2", U32="<u4", U64="<u8", I8="i1", I16="<i2", I32="<i4", I64="<i8")


def tensors(data):
    """The arrays of a safetensors file, and what it says of itself."""
    length = int.from_bytes(data[:8], "little")
    head, body = json.loads(data[8:8 + length]), data[8 + length:]
    told = head.pop("__metadata__", {})
    array = lambda at: np.frombuffer(body[slice(*at["data_offsets"])], TYPES[at["dtype"]]).reshape(at["shape"])
    return {name: array(at) for name, at in head.items()}, told


class Package:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        self.head = json.loads(self.zip.read("package.json"))
        assert self.head["format"] == "runner package 1"
        self.encoders = {}

    def has(self, name):
        return name in self.head["files"]

    def json(self, name):
        return json.loads(self.zip.read(name))

    def columns(self, path):
        """The cells of each column that the model reads; None where one is missing."""
        load = self.head["load"]
        dialect = load["dialect"]
        text = open(path, encoding=dialect["encoding"] or "utf-8-sig", newline="").read()
        quoting = dict(quoting=csv.QUOTE_NONE) if dialect["quote"] == "none" else dict(quotechar=dialect["quote"])
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=dialect["delimiter"], **quoting) if row]
        names = rows.pop(0) if dialect["header"] else dialect["names"] or [f"column_{i + 1}" for i in range(len(rows[0]))]
        cells = {name: [cell.strip() for cell in column] for name, column in zip(names, zip(*rows)) if name in self.head["columns"]}
        for name, column in cells.items():
            tokens = missing(load["missing"], name)
            cells[name] = [None if cell in tokens else cell for cell in column]
        for name, how in load["derive"].items():
            cells[name] = derived(how, cells)
        return cells

    def number(self, cell):
        dialect = self.head["load"]["dialect"]
        marks = dict(point=".", comma=",", space=" ", apostrophe="'")
        if isinstance(cell, str):
            cell = cell.replace(marks.get(dialect["thousands"], dialect["thousands"] or "\0"), "").replace(marks.get(dialect["decimal"], dialect["decimal"]), ".")
        return np.nan if cell is None else float(cell)

    def probabilities(self, cells, place=None):
        """Of the model at a place of the package: one by itself, or an average of those at further places."""
        average = f"model/{place}.ensemble.json" if place else "model/ensemble.json"
        if self.has(average):
            return self.average(self.json(average), cells)
        place = place or self.head["port"]
        recipe, (arrays, _) = self.json(f"model/{place}.json"), tensors(self.zip.read(f"model/{place}.safetensors"))
        own = recipe["network"] if "network" in recipe else recipe["baseline"]
        inputs = own["inputs"]
        numeric = [column["name"] if isinstance(column, dict) else column for column in inputs["numeric"]]
        columns = {name: np.array([self.number(cell) for cell in cells[name]]) for name in numeric}
        columns |= {(column["name"], "category"): cells[column["name"]] for column in inputs.get("categories", [])}
        columns |= {(name, "text"): cells[name] for name in inputs.get("texts", [])}
        for encoder in recipe["encoders"]:
            columns[encoder["column"]] = self.vectors(encoder["made_by"], cells[encoder["column"]])
        if "baseline" in recipe:
            return classical.probabilities(arrays, own, columns)
        return network.probabilities(arrays, own, network.inputs(own, columns))

    def average(self, told, cells):
        sums = 0
        for member in told["members"]:
            if member["weight"] > 0:
                p = self.probabilities(cells, member["file"])
                sums = sums + member["weight"] * (np.log(np.maximum(p, 1e-4)) if told["average"] == "logits" else p)
        p = classical.softmax(sums) if told["average"] == "logits" else sums / sums.sum(1, keepdims=True)
        return network.calibrated(told, p)

    def vectors(self, made_by, texts):
        """TF-IDF of words and of characters, each of length 1, times the components."""
        assert made_by["name"] == "tfidf", "only the built-in encoder is repeated here"
        arrays, told = tensors(self.zip.read(f"vocabularies/{made_by['digest']}.safetensors"))
        told = json.loads(told["tfidf"])
        options, grams = told["options"], bytes(arrays["vocabulary"]).decode().split("\n")
        kinds = [("words", options["word_ngrams"], 0, told["words"]), ("characters", options["char_ngrams"], told["words"], len(grams))]
        weights = np.zeros((len(texts), len(grams)))
        for kind, lengths, first, last in kinds:
            place = {gram: first + i for i, gram in enumerate(grams[first:last])}
            for row, text in enumerate(texts):
                text = (text or "").lower() if options["lowercase"] else text or ""
                for gram in classical.grams(text, kind, *lengths) if lengths[1] else []:
                    if gram in place:
                        weights[row, place[gram]] += 1
            own = weights[:, first:last]
            own[:] = np.where(own > 0, 1 + np.log(np.maximum(own, 1)), 0) * arrays["idf"][first:last]
            own /= np.maximum(np.sqrt((own ** 2).sum(1, keepdims=True)), 1e-300)
        found = weights @ arrays["components"]
        length = np.sqrt((found ** 2).sum(1, keepdims=True))
        return found / np.where(length > 0, length, 1) if options["normalize"] else found


def missing(told, column):
    """Tokens that stand for a missing value of a column: of all columns alike, or by column."""
    if isinstance(told, list):
        return told
    tokens = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
    for own in (told.get("*"), told.get(column)):
        if isinstance(own, list):
            tokens = own
        elif own:
            tokens = [token for token in tokens + own.get("add", []) if token not in own.get("remove", [])]
    return tokens


def derived(how, cells):
    """A column made of others, of the kinds that need no reading of dates."""
    def each(name, of):
        return [None if cell is None else of(cell) for cell in cells[name]]

    if "length_of" in how:
        return each(how["length_of"], len)
    if "joined" in how:
        rows = zip(*(cells[name] for name in how["joined"]))
        return [how.get("separator", " ").join(cell for cell in row if cell is not None) or None for row in rows]
    if "has" in how:
        return each(how["of"], lambda cell: how["has"] in [part.strip() for part in cell.split(how.get("separator", ","))])
    if "log_of" in how:
        return each(how["log_of"], lambda cell: np.log(float(cell)))
    for key, wave in (("sin_of", np.sin), ("cos_of", np.cos)):
        if key in how:
            return each(how[key], lambda cell: wave(2 * np.pi * (float(cell) / how["period"])))
    sys.exit(f"{how} is not repeated here")


package = Package(sys.argv[1])
ours = package.probabilities(package.columns(sys.argv[2]))
with open(sys.argv[3], newline="") as file:
    rows = list(csv.DictReader(file))
classes = package.head["classes"]
theirs = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
worst = np.abs(ours - theirs).max()
assert ours.shape == theirs.shape and worst < 1e-5, f"{ours.shape} and {theirs.shape}: probabilities differ by {worst}"
print(f"{len(ours)} rows, largest difference {worst:.1e}")
