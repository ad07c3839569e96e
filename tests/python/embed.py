"""The other half of `benches/embed.rs`: python embed.py MODEL-FOLDER THREADS SCRATCH-FOLDER

Embeds texts with sentence-transformers or with ONNX Runtime, as one would write it: texts sorted by length, mean pooling, vectors of length 1.
Answers one JSON line for each JSON line that asks, e.g. {"engine": "ort", "batch": 64, "texts": ["a", "b"]} with {"seconds": 0.02}; with
`"vectors": true` the vectors come, too. The ONNX file is exported from the same weights; seconds hold tokenising, not loading."""
import json, os, sys, time, warnings

folder, threads, scratch = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ.update(OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true")
warnings.filterwarnings("ignore")
# What libraries print must not come between the answers.
answers, sys.stdout = sys.stdout, sys.stderr

import numpy as np
import onnxruntime, torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
torch.set_num_threads(threads)


class Ort:
    INPUTS = ["input_ids", "attention_mask", "token_type_ids"]

    def __init__(self):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.longest = SentenceTransformer(folder, device="cpu").max_seq_length
        path = os.path.join(scratch, "encoder.onnx")

        class LastHidden(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

            def forward(self, *inputs):
                return self.inner(**dict(zip(Ort.INPUTS, inputs))).last_hidden_state

        x = self.tokenizer(["two words", "and four more words"], padding=True, return_tensors="pt")
        axes = {name: {0: "batch", 1: "length"} for name in [*Ort.INPUTS, "hidden"]}
        torch.onnx.export(LastHidden(), tuple(x[name] for name in Ort.INPUTS), path, dynamo=False, opset_version=17,
                          input_names=Ort.INPUTS, output_names=["hidden"], dynamic_axes=axes)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Else its threads spin on after a run, in the time of whoever is measured next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(self, texts, batch):
        tokens = self.tokenizer(texts, truncation=True, max_length=self.longest)["input_ids"]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        out = None
        for at in range(0, len(order), batch):
            rows = order[at : at + batch]
            ids = np.zeros((len(rows), len(tokens[rows[-1]])), np.int64)
            mask = np.zeros_like(ids)
            for r, i in enumerate(rows):
                ids[r, : len(tokens[i])] = tokens[i]
                mask[r, : len(tokens[i])] = 1
            hidden = self.session.run(None, dict(zip(Ort.INPUTS, [ids, mask, np.zeros_like(ids)])))[0]
            mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            if out is None:
                out = np.zeros((len(texts), mean.shape[1]), np.float32)
            out[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return out


class Sbert:
    def __init__(self):
        self.model = SentenceTransformer(folder, device="cpu")

    def encode(self, texts, batch):
        return self.model.encode(texts, batch_size=batch, normalize_embeddings=True)


engines = {"ort": Ort(), "sbert": Sbert()}
for engine in engines.values():
    engine.encode(["to get warm"] * 64, 32)
print(json.dumps({"ort": onnxruntime.__version__, "torch": torch.__version__}), file=answers, flush=True)
for line in sys.stdin:
    wish = json.loads(line)
    start = time.perf_counter()
    vectors = engines[wish["engine"]].encode(wish["texts"], wish["batch"])
    answer = {"seconds": time.perf_counter() - start}
    if wish.get("vectors"):
        answer["vectors"] = vectors.tolist()
    print(json.dumps(answer), file=answers, flush=True)
