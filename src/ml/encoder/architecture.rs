//! What a model's config.json says of its shape, and how the tensors of each family are named.

use serde_json::Value;

use super::EncodeError;
use super::kind::Shape;
use super::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Bert,
    /// RoBERTa, XLM-RoBERTa, CamemBERT
    Roberta,
    DistilBert,
    MpNet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// x·Φ(x)
    Gelu,
    /// its tanh form
    GeluTanh,
    Relu,
}

/// The shape of an encoder of the BERT family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Architecture {
    pub(crate) family: Family,
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) intermediate: usize,
    pub(crate) vocabulary: usize,
    /// Rows of the position table.
    pub(crate) positions: usize,
    /// The row of a text's first token: RoBERTa and MPNet keep the rows up to the padding token's number free.
    pub(crate) first_position: usize,
    pub(crate) token_types: usize,
    pub(crate) relative_buckets: usize,
    pub(crate) layer_norm_epsilon: f32,
    pub(crate) activation: Activation,
}

/// The model types of [`Family`].
pub(crate) const MODEL_TYPES: &[&str] = &["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet"];

impl Architecture {
    /// From a config.json of one of [`MODEL_TYPES`]; `None` where it is of another.
    pub(crate) fn read(settings: Settings) -> Result<Option<Self>, EncodeError> {
        let config = settings.values;
        let unsupported = |reason: String| settings.unsupported(reason);
        let family = match config["model_type"].as_str() {
            Some("bert") => Family::Bert,
            Some("roberta" | "xlm-roberta" | "camembert") => Family::Roberta,
            Some("distilbert") => Family::DistilBert,
            Some("mpnet") => Family::MpNet,
            _ => return Ok(None),
        };
        let distil = family == Family::DistilBert;
        let either = |bert, distilbert| settings.size(if distil { distilbert } else { bert });
        let hidden = either("hidden_size", "dim")?;
        let heads = either("num_attention_heads", "n_heads")?;
        settings.shared(hidden, heads)?;
        let activation = &config[if distil { "activation" } else { "hidden_act" }];
        let activation = match activation.as_str() {
            Some("gelu") => Activation::Gelu,
            Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast") => Activation::GeluTanh,
            Some("relu") => Activation::Relu,
            _ => {
                return Err(unsupported(format!("activation {activation}; supported are gelu, gelu_new, relu")));
            }
        };
        let kind = settings.name("position_embedding_type")?;
        if let Some(kind) = kind.filter(|kind| *kind != "absolute") {
            return Err(unsupported(format!("position_embedding_type '{kind}'; supported is absolute")));
        }
        // Tokens of a decoder do not see those behind them.
        for key in ["is_decoder", "is_encoder_decoder", "add_cross_attention"] {
            if settings.flag(key)? == Some(true) {
                return Err(unsupported(format!(
                    "{key} true; supported are encoders, whose tokens all see one another"
                )));
            }
        }
        let positions = settings.size("max_position_embeddings")?;
        let first_position = match family {
            Family::Bert | Family::DistilBert => 0,
            Family::Roberta | Family::MpNet => {
                let padding = settings.token("pad_token_id")?.unwrap_or(1);
                usize::try_from(padding).unwrap_or(usize::MAX).saturating_add(1)
            }
        };
        if first_position >= positions {
            let padding = first_position - 1;
            return Err(settings.corrupt(format!("pad_token_id {padding} leaves none of {positions} positions")));
        }
        Ok(Some(Architecture {
            family,
            hidden,
            heads,
            layers: settings.layers(if distil { "n_layers" } else { "num_hidden_layers" })?,
            intermediate: either("intermediate_size", "hidden_dim")?,
            vocabulary: settings.size("vocab_size")?,
            positions,
            first_position,
            token_types: match family {
                Family::Bert | Family::Roberta => settings.size("type_vocab_size")?,
                Family::DistilBert | Family::MpNet => 0,
            },
            relative_buckets: match (family, &config["relative_attention_num_buckets"]) {
                (Family::MpNet, Value::Null) => 32,
                (Family::MpNet, _) => settings.size("relative_attention_num_buckets")?,
                _ => 0,
            },
            layer_norm_epsilon: settings.epsilon("layer_norm_eps", 1e-12)? as f32,
            activation,
        }))
    }

    pub(crate) fn shape(&self) -> Shape {
        let longest = self.longest();
        Shape { hidden: self.hidden, vocabulary: self.vocabulary, longest, usual: longest }
    }

    /// The longest sequence in tokens that has positions.
    pub(crate) fn longest(&self) -> usize {
        self.positions - self.first_position
    }

    /// The tensors' names; `exists` tells whether the file has one, for models saved with a prefix such as `bert.`.
    pub(crate) fn names(&self, exists: &dyn Fn(&str) -> bool) -> Names {
        let prefix = ["", "bert.", "roberta.", "distilbert.", "mpnet."]
            .into_iter()
            .find(|prefix| exists(&format!("{prefix}embeddings.word_embeddings.weight")))
            .unwrap_or("");
        let layer = |i: usize| {
            let (root, part): (String, [&str; 8]) = match self.family {
                Family::DistilBert => (
                    format!("{prefix}transformer.layer.{i}"),
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
                Family::MpNet => (
                    format!("{prefix}encoder.layer.{i}"),
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
                Family::Bert | Family::Roberta => (
                    format!("{prefix}encoder.layer.{i}"),
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
            let [q, k, v, attention_output, attention_norm, intermediate, output, output_norm] =
                part.map(|part| format!("{root}.{part}"));
            LayerNames { qkv: [q, k, v], attention_output, attention_norm, intermediate, output, output_norm }
        };
        Names {
            words: format!("{prefix}embeddings.word_embeddings.weight"),
            positions: format!("{prefix}embeddings.position_embeddings.weight"),
            token_types: (self.token_types > 0)
                .then(|| (format!("{prefix}embeddings.token_type_embeddings.weight"), self.token_types)),
            embedding_norm: format!("{prefix}embeddings.LayerNorm"),
            layers: (0..self.layers).map(layer).collect(),
            relative_bias: (self.relative_buckets > 0)
                .then(|| (format!("{prefix}encoder.relative_attention_bias.weight"), self.relative_buckets)),
        }
    }
}

/// Names of tensors; linear layers and norms without `.weight` and `.bias`.
pub(crate) struct Names {
    pub(crate) words: String,
    pub(crate) positions: String,
    /// with the number of types
    pub(crate) token_types: Option<(String, usize)>,
    pub(crate) embedding_norm: String,
    pub(crate) layers: Vec<LayerNames>,
    /// with the number of buckets
    pub(crate) relative_bias: Option<(String, usize)>,
}

pub(crate) struct LayerNames {
    pub(crate) qkv: [String; 3],
    pub(crate) attention_output: String,
    pub(crate) attention_norm: String,
    pub(crate) intermediate: String,
    pub(crate) output: String,
    pub(crate) output_norm: String,
}
