"""The other half of `benches/embed.rs -- --ngrams`: TF-IDF of words and characters, projected, as one writes it with scikit-learn.

Reads a JSON list of texts; prints the seconds of fitting and those of transforming them again, on one thread."""
import json, os, sys, time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import Normalizer

texts = json.load(sys.stdin)
common = dict(sublinear_tf=True, min_df=2, max_features=20_000)
words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **common)
characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **common)
encoder = make_pipeline(make_union(words, characters), TruncatedSVD(256, random_state=0), Normalizer())
start = time.perf_counter()
encoder.fit(texts)
fitted = time.perf_counter()
encoder.transform(texts)
print(json.dumps([fitted - start, time.perf_counter() - fitted]))
