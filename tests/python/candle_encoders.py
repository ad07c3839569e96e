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


def nomic():
    """Saved with the names of tensors that the hub's files have."""
    config = t.NomicBertConfig(**COMMON, num_hidden_layers=2, max_position_embeddings=64)
    modules = [transformer(t.NomicBertModel(config), 60), st.Pooling(16, pooling_mode="mean"), st.Normalize()]
    yield "nomic_bert", modules, {"prompts": {"clustering": "w5 w6 "}}


def t5():
    shape = dict(vocab_size=40, d_model=12, d_kv=5, d_ff=20, num_layers=2, num_heads=3, pad_token_id=1)
    for name, feed, limit in (("t5", "relu", 200), ("t5-gated", "gated-gelu", None)):
        model = t.T5EncoderModel(t.T5Config(**shape, feed_forward_proj=feed, relative_attention_max_distance=60))
        dense = st.Dense(12, 7, bias=False, activation_function=torch.nn.Identity())
        modules = [transformer(model, limit, "$A [SEP]"), st.Pooling(12, pooling_mode="mean"), dense, st.Normalize()]
        yield name, modules, {}


def deberta():
    common = dict(COMMON, num_hidden_layers=2, relative_attention=True, max_position_embeddings=64, pos_att_type="p2c|c2p")
    third = dict(position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True, position_biased_input=False, type_vocab_size=0)
    first = dict(position_biased_input=True, type_vocab_size=2, share_att_key=False)
    for name, more in (("deberta-v2", third), ("deberta-v2-unshared", first)):
        model = t.DebertaV2Model(t.DebertaV2Config(**common, **more))
        yield name, [transformer(model, 60), st.Pooling(16, pooling_mode="cls")], {}


def qwen3():
    config = t.Qwen3Config(**dict(COMMON, num_attention_heads=4), num_hidden_layers=2, num_key_value_heads=2, head_dim=6,
                           max_position_embeddings=64)
    modules = [transformer(t.Qwen3Model(config), 60, "$A [SEP]"), st.Pooling(16, pooling_mode="lasttoken"), st.Normalize()]
    yield "qwen3", modules, {"prompts": {"query": "w9 w9 w10 "}}


def jina():
    """Not in transformers: what the paper and the model's own code say, and nothing of candle's."""
    hidden, heads, wide, layers = 12, 3, 20, 2
    config = dict(
        architectures=["JinaBertForMaskedLM"], model_type="bert", position_embedding_type="alibi", feed_forward_type="geglu",
        hidden_act="gelu", hidden_size=hidden, num_attention_heads=heads, intermediate_size=wide, num_hidden_layers=layers,
        vocab_size=40, type_vocab_size=2, max_position_embeddings=8192, layer_norm_eps=1e-12, pad_token_id=1,
        emb_pooler="mean", attention_probs_dropout_prob=0.0, initializer_range=0.02,
    )
    shapes = {"embeddings.word_embeddings.weight": [40, hidden], "embeddings.token_type_embeddings.weight": [2, hidden]}
    norms = ["embeddings.LayerNorm"]
    for i in range(layers):
        at = f"encoder.layer.{i}."
        norms += [at + "attention.output.LayerNorm", at + "mlp.layernorm"]
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {at + part + ".weight": [hidden, hidden], at + part + ".bias": [hidden]}
        shapes |= {at + "mlp.gated_layers.weight": [2 * wide, hidden]}
        shapes |= {at + "mlp.wo.weight": [hidden, wide], at + "mlp.wo.bias": [hidden]}
    for norm in norms:
        shapes |= {norm + ".weight": [hidden], norm + ".bias": [hidden]}
    folder = tempfile.mkdtemp()
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, os.path.join(folder, "model.safetensors"))
    state = formula(folder)
    # A power of two heads have slopes 2^(-8/n), 2^(-16/n) ...; what is missing comes from twice as many, every other one.
    slopes = torch.tensor([2**-4, 2**-8, 2**-2])

    def linear(x, part):
        return x @ state[part + ".weight"].T + (state[part + ".bias"] if part + ".bias" in state else 0)

    def norm(x, part):
        return torch.nn.functional.layer_norm(x, (hidden,), state[part + ".weight"], state[part + ".bias"], 1e-12)

    def vector(text):
        words = [int(word[1:]) for word in text.split()][:58]
        x = state["embeddings.word_embeddings.weight"][torch.tensor([2, *words, 3])]
        x = norm(x + state["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        place = torch.arange(len(x))
        alibi = -slopes[:, None, None] * (place[:, None] - place[None, :]).abs()
        for i in range(layers):
            at = f"encoder.layer.{i}."
            q, k, v = (linear(x, at + "attention.self." + part).reshape(len(x), heads, -1).transpose(0, 1)
                       for part in ("query", "key", "value"))
            seen = torch.softmax(q @ k.transpose(1, 2) / (hidden / heads) ** 0.5 + alibi, -1)
            told = (seen @ v).transpose(0, 1).reshape(len(x), hidden)
            x = norm(x + linear(told, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            gate, value = linear(x, at + "mlp.gated_layers").split(wide, -1)
            x = norm(x + linear(torch.nn.functional.gelu(gate) * value, at + "mlp.wo"), at + "mlp.layernorm")
        return x.mean(0)

    own = tempfile.mkdtemp()
    tokenizer("[CLS] $A [SEP]").save_pretrained(own)
    with open(os.path.join(own, "tokenizer.json")) as f:
        files = {"config.json": config, "tokenizer.json": json.load(f), "sentence_bert_config.json": {"max_seq_length": 60}}
    cases = [written({}, [vector(text) for text in TEXTS])]
    return {"name": "jina", "files": files, "tensors": {"model.safetensors": shapes}, "cases": cases}


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


def written(options, vectors):
    return {"options": options, "vectors": [[round(float(x), 6) for x in vector] for vector in vectors]}


def main():
    made = [jina()]
    for build in (modernbert, nomic, t5, deberta, qwen3):
        for name, modules, more in build():
            folder, files, tensors = save(modules, more)
            model = SentenceTransformer(folder, device="cpu")
            cases = [written({}, model.encode(TEXTS))]
            for prompt in [name for name, text in model.prompts.items() if text]:
                cases.append(written({"prompt": prompt}, model.encode(TEXTS, prompt_name=prompt)))
            made.append({"name": name, "files": files, "tensors": tensors, "cases": cases})
    lines = [json.dumps(model, separators=(",", ":")) for model in made]
    with open(OUT, "w") as f:
        f.write(f'{{"texts": {json.dumps(TEXTS)},\n"models": [\n' + ",\n".join(lines) + "\n]}\n")


main()
