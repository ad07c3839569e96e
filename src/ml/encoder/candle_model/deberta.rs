//! DeBERTa v2 and v3 (arXiv 2006.03654): what a token says and where it stands attend to each other apart.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::debertav2::{Config, DebertaV2Model, HiddenAct};
use serde_json::{Value, json};

use super::super::EncodeError;
use super::super::files::setting;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct Deberta(Config);

impl Deberta {
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        settings.only("hidden_act", &["gelu".into()])?;
        settings.only("conv_kernel_size", &[0.into()])?;
        settings.only("z_steps", &[0.into()])?;
        settings.only("norm_rel_ebd", &["layer_norm".into(), "none".into()])?;
        if settings.flag("relative_attention")? != Some(true) {
            return Err(settings.unsupported("relative_attention false; supported is true"));
        }
        let hidden_size = settings.size("hidden_size")?;
        let num_attention_heads = settings.size("num_attention_heads")?;
        let head_dim = settings.shared(hidden_size, num_attention_heads)?;
        settings.only("embedding_size", &[hidden_size.into()])?;
        settings.only("attention_head_size", &[head_dim.into()])?;
        let places = "a number of positions, or -1";
        let positions = |name: &str| {
            let whole = |value: &Value| value.as_i64().filter(|number| (-1..=1_000_000).contains(number));
            setting(settings.values, name, settings.path, places, whole).map(|number| number.unwrap_or(-1) as isize)
        };
        Ok(Deberta(Config {
            vocab_size: settings.size("vocab_size")?,
            hidden_size,
            num_hidden_layers: settings.layers("num_hidden_layers")?,
            num_attention_heads,
            intermediate_size: settings.size("intermediate_size")?,
            hidden_act: HiddenAct::Gelu,
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
            max_position_embeddings: settings.positions("max_position_embeddings")?,
            type_vocab_size: match &settings.values["type_vocab_size"] {
                Value::Null => 0,
                none if *none == json!(0) => 0,
                _ => settings.size("type_vocab_size")?,
            },
            initializer_range: 0.0,
            layer_norm_eps: settings.epsilon("layer_norm_eps", 1e-7)?,
            relative_attention: true,
            max_relative_positions: positions("max_relative_positions")?,
            pad_token_id: None,
            position_biased_input: settings.flag("position_biased_input")?.unwrap_or(true),
            pos_att_type: attentions(settings)?,
            position_buckets: Some(positions("position_buckets")?),
            share_att_key: settings.flag("share_att_key")?,
            attention_head_size: None,
            embedding_size: None,
            norm_rel_ebd: settings.name("norm_rel_ebd")?.map(str::to_owned),
            conv_kernel_size: None,
            conv_groups: None,
            conv_act: None,
            id2label: None,
            label2id: None,
            pooler_dropout: None,
            pooler_hidden_act: None,
            pooler_hidden_size: None,
            cls_dropout: None,
        }))
    }
}

/// What attends to what beside words to words: a list, or in older files one text.
fn attentions(settings: Settings) -> Result<Vec<String>, EncodeError> {
    let value = &settings.values["pos_att_type"];
    let names: Vec<&str> = match value {
        Value::String(names) => names.split('|').collect(),
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap_or_default()).collect(),
        _ => Vec::new(),
    };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    if sorted != ["c2p", "p2c"] {
        return Err(settings.unsupported(format!("pos_att_type {value}; supported is [\"p2c\", \"c2p\"]")));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

impl CandleKind for Deberta {
    fn shape(&self) -> Shape {
        let Config { hidden_size, vocab_size, max_position_embeddings, .. } = self.0;
        let longest = max_position_embeddings;
        Shape { hidden: hidden_size, vocabulary: vocab_size, longest, usual: longest }
    }

    fn naming(&self) -> Naming {
        // Some files have positions that their settings leave out.
        let unread: &[&str] =
            if self.0.position_biased_input { &[] } else { &["embeddings.position_embeddings.weight"] };
        Naming { candle: "", anchor: "embeddings.word_embeddings.weight", optional: &[], unread }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(Box::new(Each(DebertaV2Model::load(builder, &self.0)?)))
    }
}

/// Each sequence alone: candle adds the table of positions to a single one.
struct Each(DebertaV2Model);

impl Network for Each {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        let states = |i: usize| self.0.forward(&tokens.narrow(0, i, 1)?, None, None);
        let states = (0..tokens.dim(0)?).map(states).collect::<candle_core::Result<Vec<_>>>()?;
        Tensor::cat(&states, 0)
    }
}
