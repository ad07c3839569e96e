//! Nomic's BERT (arXiv 2402.01613): rotary positions, gated layers, no biases.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::nomic_bert::{Config, NomicBertModel};

use super::super::EncodeError;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct NomicBert(Config);

impl NomicBert {
    /// Of the hub's files, whose settings have the names of GPT-2, and of those that transformers 5 saves.
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        for never in [
            "causal",
            "mlp_fc1_bias",
            "mlp_fc2_bias",
            "parallel_block",
            "prenorm",
            "qkv_proj_bias",
            "rotary_emb_interleaved",
            "scale_attn_by_inverse_layer_idx",
            "use_rms_norm",
        ] {
            settings.only(never, &[false.into()])?;
        }
        for (name, value) in [("rotary_emb_fraction", 1), ("moe_every_n_layers", 0), ("num_experts", 0)] {
            settings.only(name, &[value.into(), f64::from(value).into()])?;
        }
        settings.only("rotary_scaling_factor", &[])?;
        settings.only("rotary_emb_scale_base", &[])?;
        settings.only("activation_function", &["swiglu".into()])?;
        settings.only("hidden_act", &["silu".into()])?;
        let size = |new, old| settings.size(settings.either(new, old));
        let n_embd = size("hidden_size", "n_embd")?;
        let n_head = size("num_attention_heads", "n_head")?;
        let head_dim = settings.shared(n_embd, n_head)?;
        let n_positions = settings.positions(settings.either("max_position_embeddings", "n_positions"))?;
        settings.rotated(head_dim, n_positions)?;
        settings.only("head_dim", &[head_dim.into()])?;
        Ok(NomicBert(Config {
            vocab_size: settings.size("vocab_size")?,
            n_embd,
            n_head,
            n_layer: settings.layers(settings.either("num_hidden_layers", "n_layer"))?,
            n_inner: size("intermediate_size", "n_inner")?,
            n_positions,
            type_vocab_size: settings.size("type_vocab_size")?,
            layer_norm_epsilon: settings.epsilon(settings.either("layer_norm_eps", "layer_norm_epsilon"), 1e-12)?,
            rotary_emb_base: settings.rope_theta(None, "rotary_emb_base")?,
            model_type: None,
            ..Config::default()
        }))
    }
}

impl CandleKind for NomicBert {
    fn shape(&self) -> Shape {
        let Config { n_embd, vocab_size, n_positions, .. } = self.0;
        Shape { hidden: n_embd, vocabulary: vocab_size, longest: n_positions, usual: n_positions }
    }

    fn naming(&self) -> Naming {
        Naming { candle: "", anchor: "emb_ln.weight", optional: &[], unread: &[] }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(Box::new(NomicBertModel::load(builder, &self.0)?))
    }
}

impl Network for NomicBertModel {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        self.forward(tokens, None, None)
    }
}
