"""Writes tests/pretrained/encoder/zoo: tiny random models of each family, and what sentence-transformers and model2vec make of some texts.

Usage: python tests/python/encoders.py   (sentence-transformers 6.2, transformers 5.24, tokenizers 0.23, model2vec 0.8, torch 2.15)
"""

import json
import os
import shutil
import tempfile

import numpy as np
import torch
import transformers as t
from model2vec import StaticModel
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ZOO = os.path.join(os.path.dirname(__file__), "..", "pretrained", "encoder", "zoo")
LONG = "the harbour sleeps while seven songs of summer rain fall over the old town again " * 14
TEXTS = [
    "A quiet morning in the harbour",
    "Seven Songs of Summer (feat. Rain)",
    "déjà vu über straße",
    "日本語の歌 夏の雨",
    "Привет, летний дождь!",
    "أغنية الصيف مطر",
    "여름 노래 🎻 zzz",
    "",
    LONG,
]
CORPUS = TEXTS[:7] + ["harbour rain summer song morning quiet town old again fall query: passage: "] * 3


def train(model, trainer, normalizer, pre):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def wordpiece(specials, unknown, first, last):
    trainer = trainers.WordPieceTrainer(vocab_size=120, special_tokens=specials, show_progress=False)
    tokenizer = train(
        models.WordPiece(unk_token=unknown), trainer, normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(first, tokenizer.token_to_id(first)), (last, tokenizer.token_to_id(last))],
    )
    return tokenizer


def unigram():
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=130, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer = train(models.Unigram(), trainer, normalizers.NFKC(), pre_tokenizers.Metaspace())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def bytes_bpe():
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=290, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer = train(models.BPE(), trainer, None, pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def transformer(name, tokenizer, kind, config, unknown, pad, lower=False, limit=None):
    """A sentence-transformers Transformer module around a random model with these weights' spread."""
    torch.manual_seed(len(name))
    model = kind(config)
    for key, value in model.named_parameters():
        if "LayerNorm" not in key and "layer_norm" not in key:
            torch.nn.init.normal_(value, std=0.4)
    fast = t.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown, pad_token=pad)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
        module = st.Transformer(folder, max_seq_length=limit, do_lower_case=lower)
    return module.eval()


def shape(tokenizer, layers=1, **more):
    common = dict(hidden_size=8, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=12)
    return dict(common, vocab_size=tokenizer.get_vocab_size(), pad_token_id=1, **more)


def build():
    bert = wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]"], "[UNK]", "[CLS]", "[SEP]")
    mpnet = wordpiece(["<s>", "<pad>", "</s>", "[UNK]"], "[UNK]", "<s>", "</s>")
    multi, byte = unigram(), bytes_bpe()
    yield "bert", [
        transformer(
            "bert", bert, t.BertModel, t.BertConfig(**dict(shape(bert, 2), pad_token_id=0), max_position_embeddings=40),
            "[UNK]", "[PAD]", limit=24,
        ),
        st.Pooling(8, pooling_mode="mean"),
    ], {}
    yield "mpnet", [
        transformer(
            "mpnet", mpnet, t.MPNetModel, t.MPNetConfig(**shape(mpnet, 2), max_position_embeddings=202), "[UNK]", "<pad>",
            limit=200,
        ),
        st.Pooling(8, pooling_mode="mean"),
        st.Normalize(),
    ], {}
    yield "distilbert", [
        transformer(
            "distilbert", bert, t.DistilBertModel,
            t.DistilBertConfig(vocab_size=bert.get_vocab_size(), dim=8, n_layers=1, n_heads=2, hidden_dim=12,
                               max_position_embeddings=40, pad_token_id=0),
            "[UNK]", "[PAD]",
        ),
        st.Pooling(8, pooling_mode=["cls", "weightedmean", "max"]),
        st.Dense(24, 6, activation_function=torch.nn.Identity()),
    ], {}
    yield "roberta", [
        transformer(
            "roberta", byte, t.RobertaModel,
            t.RobertaConfig(**shape(byte), max_position_embeddings=42, type_vocab_size=1), "<unk>", "<pad>", lower=True,
            limit=40,
        ),
        st.Pooling(8, pooling_mode="lasttoken"),
        st.Normalize(),
        st.Dense(8, 5, bias=False, activation_function=torch.nn.Sigmoid()),
    ], {}
    yield "xlm-roberta", [
        transformer(
            "xlm-roberta", multi, t.XLMRobertaModel,
            t.XLMRobertaConfig(**shape(multi), max_position_embeddings=72, type_vocab_size=1, layer_norm_eps=1e-5),
            "<unk>", "<pad>", limit=70,
        ),
        st.Pooling(8, pooling_mode="mean"),
        st.Dense(8, 6),
        st.Normalize(),
    ], {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"}
    torch.manual_seed(6)
    yield "static", [st.StaticEmbedding(bert, embedding_weights=torch.randn(bert.get_vocab_size(), 6))], {}


def model2vec(tokenizer):
    """One with shared rows and weights, normalised, as vocabulary quantisation makes them; one of 8-bit integers."""
    draw = np.random.default_rng(0)
    count = tokenizer.get_vocab_size()
    shared = StaticModel(
        draw.normal(size=(20, 6)).astype(np.float32), tokenizer, normalize=True,
        weights=draw.random(count), token_mapping=draw.integers(0, 20, count),
    )
    yield "model2vec", shared
    integers = draw.integers(-127, 128, (count, 6)).astype(np.int8)
    yield "model2vec-int8", StaticModel(integers, tokenizer, max_length=9)


def main():
    shutil.rmtree(ZOO, ignore_errors=True)
    os.makedirs(ZOO)
    cases = []

    def case(name, options, vectors):
        rows = [[round(float(x), 6) for x in v] for v in vectors]
        cases.append({"folder": name, "options": options, "vectors": rows})

    for name, modules, prompts in build():
        folder = os.path.join(ZOO, name)
        SentenceTransformer(modules=modules, device="cpu", **prompts).save(folder, create_model_card=False)
        model = SentenceTransformer(folder, device="cpu")
        case(name, {}, model.encode(TEXTS))
        case(name, {"prefix": "query: "}, model.encode(TEXTS, prompt="query: "))
        if name == "bert":
            for option, mode in [
                ("cls", "cls"), ("max", "max"), ("weighted", "weightedmean"),
                ("mean_sqrt_len", "mean_sqrt_len_tokens"), ("last", "lasttoken"),
            ]:
                other = SentenceTransformer(modules=[model[0], st.Pooling(8, pooling_mode=mode)], device="cpu")
                case(name, {"pooling": option}, other.encode(TEXTS))
            case(name, {"dimensions": 3}, model.encode(TEXTS, truncate_dim=3))
            case(name, {"normalize": True}, model.encode(TEXTS, normalize_embeddings=True))
        if name == "mpnet":
            case(name, {"dimensions": 3}, model.encode(TEXTS, truncate_dim=3, normalize_embeddings=True))
        if name == "xlm-roberta":
            case(name, {"prompt": "query"}, model.encode(TEXTS, prompt_name="query"))
            case(name, {"prefix": ""}, model.encode(TEXTS, prompt=""))
    for name, model in model2vec(wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]"], "[UNK]", "[CLS]", "[SEP]")):
        model.save_pretrained(os.path.join(ZOO, name))
        case(name, {}, model.encode(TEXTS))
    for root, _, files in os.walk(ZOO):
        for file in files:
            keep = file in ("model.safetensors", "tokenizer.json", "config.json", "modules.json",
                            "sentence_bert_config.json", "config_sentence_transformers.json", "tokenizer_config.json")
            if not keep:
                os.remove(os.path.join(root, file))
            elif file == "tokenizer.json":
                path = os.path.join(root, file)
                with open(path) as f:
                    text = json.load(f)
                with open(path, "w") as f:
                    json.dump(text, f, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(ZOO, "cases.json"), "w") as f:
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        f.write(f'{{"texts": {json.dumps(TEXTS, ensure_ascii=False)},\n"cases": [\n{lines}\n]}}\n')


main()
