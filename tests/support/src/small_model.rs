//! Writes a small model in the sentence-transformers layout, its weights by a formula that the snippets repeat.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const HIDDEN: usize = 24;

pub struct SmallModel {
    pub folder: TempDir,
}

impl SmallModel {
    /// `kind` is a model_type of config.json.
    pub fn new(kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = SmallModel { folder };
        let distil = kind == "distilbert";
        let mut config =
            json!({"model_type": kind, "vocab_size": 40, "max_position_embeddings": 20, "pad_token_id": 1});
        let more = if distil {
            json!({"dim": HIDDEN, "n_layers": 2, "n_heads": 3, "hidden_dim": 40, "activation": "gelu",
                "attention_dropout": 0.1, "dropout": 0.1, "initializer_range": 0.02, "qa_dropout": 0.1,
                "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": false, "tie_weights_": true})
        } else {
            json!({"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
                "hidden_act": if kind == "bert" { "gelu_new" } else { "gelu" }, "hidden_dropout_prob": 0.1,
                "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "type_vocab_size": 2,
                "layer_norm_eps": if kind == "xlm-roberta" { 1e-5 } else { 1e-12 },
                "position_embedding_type": "absolute"})
        };
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        model.write("config.json", &config);
        model.write(
            "modules.json",
            &json!([
                {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            ]),
        );
        model.write(
            "1_Pooling/config.json",
            &json!({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}),
        );
        model.write("sentence_bert_config.json", &json!({"max_seq_length": 18}));
        model.write("tokenizer.json", &tokenizer());
        model.write_weights(&shapes(kind));
        model
    }

    /// One of these files, by their names, with weights of these shapes.
    pub fn of_files(files: &BTreeMap<String, Value>, weights: &BTreeMap<String, BTreeMap<String, Vec<usize>>>) -> Self {
        let model = SmallModel { folder: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(name, value)| model.write(name, value));
        weights.iter().for_each(|(name, shapes)| model.write_weights_of(name, shapes));
        model
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, value: &Value) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    }

    pub fn edit(&self, name: &str, key: &str, value: Value) {
        let mut file: Value = serde_json::from_slice(&fs::read(self.path().join(name)).unwrap()).unwrap();
        file[key] = value;
        self.write(name, &file);
    }

    /// Value `j` of tensor `i` (from 1, by name) is (7919 j + 104729 i) mod 1009 / 1009 − ½; norms' weights are 1 more.
    pub fn write_weights(&self, shapes: &BTreeMap<String, Vec<usize>>) {
        self.write_weights_of("model.safetensors", shapes);
    }

    /// The same of another file.
    pub fn write_weights_of(&self, file: &str, shapes: &BTreeMap<String, Vec<usize>>) {
        let data: Vec<(&String, &Vec<usize>, Vec<u8>)> = shapes
            .iter()
            .enumerate()
            .map(|(i, (name, shape))| {
                let shift = if name.contains("orm.weight") { 0.5 } else { -0.5 };
                let value = |j: usize| ((j * 7919 + (i + 1) * 104_729) % 1009) as f64 / 1009.0 + shift;
                let bytes = (0..shape.iter().product()).flat_map(|j| (value(j) as f32).to_le_bytes()).collect();
                (name, shape, bytes)
            })
            .collect();
        let tensors = data
            .iter()
            .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
        fs::write(self.path().join(file), safetensors::serialize(tensors, None).unwrap()).unwrap();
    }
}

/// The tensors of the models that the snippet in `transformers` builds.
pub fn shapes(kind: &str) -> BTreeMap<String, Vec<usize>> {
    let (layer, parts) = match kind {
        "distilbert" => (
            "transformer.layer",
            [
                "attention.q_lin",
                "attention.k_lin",
                "attention.v_lin",
                "attention.out_lin",
                "sa_layer_norm",
                "ffn.lin1",
                "ffn.lin2",
                "output_layer_norm",
            ],
        ),
        "mpnet" => (
            "encoder.layer",
            [
                "attention.attn.q",
                "attention.attn.k",
                "attention.attn.v",
                "attention.attn.o",
                "attention.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            ],
        ),
        _ => (
            "encoder.layer",
            [
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            ],
        ),
    };
    let mut shapes = BTreeMap::from([
        ("embeddings.word_embeddings.weight".to_owned(), vec![40, HIDDEN]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![20, HIDDEN]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![HIDDEN]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![HIDDEN]),
    ]);
    match kind {
        "mpnet" => drop(shapes.insert("encoder.relative_attention_bias.weight".to_owned(), vec![32, 3])),
        "distilbert" => {}
        _ => drop(shapes.insert("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN])),
    }
    for i in 0..2 {
        for (part, name) in parts.iter().enumerate() {
            let (outputs, weight) = match part {
                0..=3 => (HIDDEN, vec![HIDDEN, HIDDEN]),
                5 => (40, vec![40, HIDDEN]),
                6 => (HIDDEN, vec![HIDDEN, 40]),
                _ => (HIDDEN, vec![HIDDEN]),
            };
            shapes.insert(format!("{layer}.{i}.{name}.weight"), weight);
            shapes.insert(format!("{layer}.{i}.{name}.bias"), vec![outputs]);
        }
    }
    shapes
}

/// Words `w4` … `w39` are tokens 4 … 39; a text stands between tokens 2 and 3.
fn tokenizer() -> Value {
    let mut vocabulary = json!({"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3});
    for i in 4..40 {
        vocabulary[format!("w{i}")] = i.into();
    }
    let special = |name: &str, id: u32| json!({"id": name, "ids": [id], "tokens": [name]});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 1,
            "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"[CLS]": special("[CLS]", 2), "[SEP]": special("[SEP]", 3)},
        },
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    })
}
