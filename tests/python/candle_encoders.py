"""Writes tests/pretrained/encoder/candle.json: tiny models of the kinds that run through candle-transformers, and what sentence-transformers
makes of some texts. Weights are those of a formula that the tests repeat, so that only their shapes are written.

Usage: python tests/python/candle_encoders.py   (sentence-transformers 6.2, transformers 5.24, torch 2.6)
"""

import json
import os
import tempfile

import torch
import transformers as t
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

OUT = os.path.join(os.path.dirname(__file__), "..", "pretrained", "encoder", "candle.json")
KEPT = ("config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "tokenizer.json",
        "tokenizer_config.json")
TEXTS = [
    "",
    "w7",
    "w7 w30 w8 w19 w4 w25 w11 w5 w6 w39 w9",
    "w8 w8 w8 w30 w4",
    " ".join(f"w{4 + (7 * i + i * i) % 36}" for i in range(300)),
]


def formula(folder):
    """Value j of tensor i (from 1, by name) is (7919 j + 104729 i) mod 1009 / 1009 - 1/2; norms' weights are 1 more."""
    path = os.path.join(folder, "model.safetensors")
    state = load_file(path)
    for i, key in enumerate(sorted(state)):
        j = torch.arange(state[key].numel(), dtype=torch.int64)
        value = ((j * 7919 + (i + 1) * 104729) % 1009).double() / 1009 - 0.5
        if "orm.weight" in key:
            value = value + 1
        state[key] = value.float().reshape(state[key].shape)
    save_file(state, path, metadata={"format": "pt"})
    return state


def tokenizer(single):
    """Words w4 ... w39 are tokens 4 ... 39; `single` has the special tokens 2 and 3 around a text A."""
    vocabulary = {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, **{f"w{i}": i for i in range(4, 40)}}
    own = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    own.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t.PreTrainedTokenizerFast(tokenizer_object=own, unk_token="[UNK]", pad_token="[PAD]")


def transformer(model, limit, single="[CLS] $A [SEP]"):
    folder = tempfile.mkdtemp()
    model.save_pretrained(folder)
    formula(folder)
    tokenizer(single).save_pretrained(folder)
    return st.Transformer(folder, max_seq_length=limit).eval()


COMMON = dict(vocab_size=40, hidden_size=16, num_attention_heads=2, intermediate_size=20, pad_token_id=1)


def modernbert():
    config = t.ModernBertConfig(
        **COMMON, num_hidden_layers=5, local_attention=6, max_position_embeddings=64,
        bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3,
    )
    yield "modernbert", [transformer(t.ModernBertModel(config), 60), st.Pooling(16, pooling_mode="mean")], {}


def save(modules, more):
    """The folder of a model, without its weights; and the shapes of these."""
    folder = tempfile.mkdtemp()
    SentenceTransformer(modules=modules, device="cpu", **more).save(folder, create_model_card=False)
    files, tensors = {}, {}
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            inside = os.path.relpath(path, folder)
            if name == "model.safetensors":
                tensors[inside] = {key: list(value.shape) for key, value in formula(root).items()}
            elif name in KEPT:
                with open(path) as f:
                    files[inside] = json.load(f)
    return folder, files, tensors


def main():
    lines = []
    for build in (modernbert,):
        for name, modules, more in build():
            folder, files, tensors = save(modules, more)
            model = SentenceTransformer(folder, device="cpu")
            cases = [({}, model.encode(TEXTS))]
            for prompt in model.prompts:
                if model.prompts[prompt]:
                    cases.append(({"prompt": prompt}, model.encode(TEXTS, prompt_name=prompt)))
            cases = [{"options": o, "vectors": [[round(float(x), 6) for x in v] for v in rows]} for o, rows in cases]
            model = {"name": name, "files": files, "tensors": tensors, "cases": cases}
            lines.append(json.dumps(model, separators=(",", ":")))
    with open(OUT, "w") as f:
        f.write(f'{{"texts": {json.dumps(TEXTS)},\n"models": [\n' + ",\n".join(lines) + "\n]}\n")


main()
