//! Qwen3 (arXiv 2506.05176 for its embeddings): a token sees itself and those before it, so the last one stands for a text.

use candle_core::Tensor;
use candle_nn::{Activation, VarBuilder};
use candle_transformers::models::qwen3::{Config, Model};
use serde_json::Value;

use super::super::EncodeError;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct Qwen3(Config);

impl Qwen3 {
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        for never in ["attention_bias", "use_sliding_window", "use_bidirectional_attention"] {
            settings.only(never, &[false.into()])?;
        }
        settings.only("is_causal", &[true.into()])?;
        settings.only("hidden_act", &["silu".into()])?;
        let layers = settings.layers("num_hidden_layers")?;
        settings.only("layer_types", &[vec![Value::from("full_attention"); layers].into()])?;
        let (heads, pairs) = (settings.size("num_attention_heads")?, settings.size("num_key_value_heads")?);
        if !heads.is_multiple_of(pairs) {
            return Err(settings.corrupt(format!("{heads} heads cannot share {pairs} keys and values")));
        }
        let head_dim = settings.size("head_dim")?;
        let max_position_embeddings = settings.positions("max_position_embeddings")?;
        settings.rotated(head_dim, max_position_embeddings)?;
        Ok(Qwen3(Config {
            vocab_size: settings.size("vocab_size")?,
            hidden_size: settings.size("hidden_size")?,
            intermediate_size: settings.size("intermediate_size")?,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            head_dim,
            attention_bias: false,
            num_key_value_heads: pairs,
            max_position_embeddings,
            sliding_window: None,
            max_window_layers: layers,
            tie_word_embeddings: true,
            rope_theta: settings.rope_theta(None, "rope_theta")?,
            rms_norm_eps: settings.epsilon("rms_norm_eps", 1e-6)?,
            use_sliding_window: false,
            hidden_act: Activation::Silu,
        }))
    }
}

impl CandleKind for Qwen3 {
    fn shape(&self) -> Shape {
        let Config { hidden_size, vocab_size, max_position_embeddings, .. } = self.0;
        let longest = max_position_embeddings;
        Shape { hidden: hidden_size, vocabulary: vocab_size, longest, usual: longest }
    }

    fn naming(&self) -> Naming {
        Naming { candle: "model.", anchor: "embed_tokens.weight", optional: &[], unread: &[] }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(Box::new(Model::new(&self.0, builder)?))
    }
}

impl Network for Model {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        // A copy, whose tensors are shared, has seen no tokens: it would go on from those of the last text.
        self.clone().forward(tokens, 0)
    }
}
