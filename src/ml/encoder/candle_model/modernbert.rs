//! ModernBERT (arXiv 2412.13663): rotary positions, and most layers see only the neighbours of a token.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::modernbert::{Config, ModernBert as Model};
use serde_json::Value;

use super::super::EncodeError;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct ModernBert(Config);

impl ModernBert {
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        for bias in ["attention_bias", "mlp_bias", "norm_bias"] {
            settings.only(bias, &[false.into()])?;
        }
        settings.only("hidden_activation", &["gelu".into()])?;
        let hidden_size = settings.size("hidden_size")?;
        let num_attention_heads = settings.size("num_attention_heads")?;
        let max_position_embeddings = settings.positions("max_position_embeddings")?;
        settings.rotated(settings.shared(hidden_size, num_attention_heads)?, max_position_embeddings)?;
        let num_hidden_layers = settings.layers("num_hidden_layers")?;
        Ok(ModernBert(Config {
            vocab_size: settings.size("vocab_size")?,
            hidden_size,
            num_hidden_layers,
            num_attention_heads,
            intermediate_size: settings.size("intermediate_size")?,
            max_position_embeddings,
            layer_norm_eps: settings.epsilon(settings.either("norm_eps", "layer_norm_eps"), 1e-5)?,
            pad_token_id: 0,
            global_attn_every_n_layers: global_every(settings, num_hidden_layers)?,
            global_rope_theta: settings.rope_theta(Some("full_attention"), "global_rope_theta")?,
            local_attention: settings.size("local_attention")?,
            local_rope_theta: settings.rope_theta(Some("sliding_attention"), "local_rope_theta")?,
            classifier_config: None,
        }))
    }
}

/// Every nth layer sees all tokens, the first one being one of them: n as a number, or as a list of layers in files of transformers 5.
fn global_every(settings: Settings, layers: usize) -> Result<usize, EncodeError> {
    let Some(types) = settings.values["layer_types"].as_array() else {
        return settings.size("global_attn_every_n_layers");
    };
    let is_global = |kind: &Value| kind == "full_attention";
    let every = types.iter().skip(1).position(is_global).map_or(layers, |place| place + 1);
    let fits = |(i, kind): (usize, &Value)| {
        if i.is_multiple_of(every) { is_global(kind) } else { kind == "sliding_attention" }
    };
    if types.len() != layers || !types.iter().enumerate().all(fits) {
        return Err(settings.unsupported(format!(
            "layer_types other than full_attention for every nth of {layers} layers and sliding_attention between them"
        )));
    }
    Ok(every)
}

impl CandleKind for ModernBert {
    fn shape(&self) -> Shape {
        let Config { hidden_size, vocab_size, max_position_embeddings, .. } = self.0;
        let longest = max_position_embeddings;
        Shape { hidden: hidden_size, vocabulary: vocab_size, longest, usual: longest }
    }

    fn naming(&self) -> Naming {
        Naming {
            candle: "model.",
            anchor: "embeddings.tok_embeddings.weight",
            // The first layer follows a norm already.
            optional: &["layers.0.attn_norm.weight"],
            unread: &[],
        }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(Box::new(Model::load(builder, &self.0)?))
    }
}

impl Network for Model {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        self.forward(tokens, &tokens.ones_like()?.to_dtype(DType::F32)?)
    }
}
