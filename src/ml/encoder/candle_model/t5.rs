//! The encoder of T5 (arXiv 1910.10683), as sentence-T5 and GTR have it: relative positions, so that no text is too long for it.

use candle_core::Tensor;
use candle_nn::{Activation, VarBuilder};
use candle_transformers::models::t5::{ActivationWithOptionalGating, Config, T5EncoderModel};

use super::super::EncodeError;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct T5 {
    config: Config,
    /// The longest text of its training, in tokens.
    usual: usize,
}

/// What T5 was trained with unless its file says otherwise.
const USUAL: usize = 512;
/// Beyond this the scores of attention alone would fill the memory.
const LONGEST: usize = 65_536;

impl T5 {
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        settings.only("is_decoder", &[false.into()])?;
        settings.only("feed_forward_proj", &["relu".into(), "gated-gelu".into()])?;
        let gated = settings.values["feed_forward_proj"] == "gated-gelu";
        settings.only("is_gated_act", &[gated.into()])?;
        settings.only("dense_act_fn", &[if gated { "gelu_new" } else { "relu" }.into()])?;
        let activation = if gated { Activation::NewGelu } else { Activation::Relu };
        let size_or = |name, default| if settings.values[name].is_null() { Ok(default) } else { settings.size(name) };
        let buckets = settings.size("relative_attention_num_buckets")?;
        let distance = size_or("relative_attention_max_distance", 128)?;
        if !buckets.is_multiple_of(4) || distance <= buckets / 4 {
            return Err(settings.unsupported(format!(
                "{buckets} buckets for positions up to {distance} apart; supported are a multiple of 4, and less than 4 times as many as positions"
            )));
        }
        let config = Config {
            vocab_size: settings.size("vocab_size")?,
            d_model: settings.size("d_model")?,
            d_kv: settings.size("d_kv")?,
            d_ff: settings.size("d_ff")?,
            num_layers: settings.layers("num_layers")?,
            num_heads: settings.size("num_heads")?,
            relative_attention_num_buckets: buckets,
            relative_attention_max_distance: distance,
            layer_norm_epsilon: settings.epsilon("layer_norm_epsilon", 1e-6)?,
            feed_forward_proj: ActivationWithOptionalGating { gated, activation },
            ..Config::default()
        };
        Ok(T5 { config, usual: size_or("n_positions", USUAL)?.min(LONGEST) })
    }
}

impl CandleKind for T5 {
    fn shape(&self) -> Shape {
        let Config { d_model, vocab_size, .. } = self.config;
        Shape { hidden: d_model, vocabulary: vocab_size, longest: LONGEST, usual: self.usual }
    }

    fn naming(&self) -> Naming {
        Naming {
            candle: "",
            anchor: "encoder.final_layer_norm.weight",
            optional: &[],
            // The table of words a second time.
            unread: &["encoder.embed_tokens.weight"],
        }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(Box::new(T5EncoderModel::load(builder, &self.config)?))
    }
}

impl Network for T5EncoderModel {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        // It would change where it generates, which an encoder never does; tensors are shared.
        self.clone().forward(tokens)
    }
}
