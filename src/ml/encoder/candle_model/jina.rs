//! Jina's BERT, version 2 (arXiv 2310.19923): the farther apart two tokens stand the less they see of each other (ALiBi).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Shape as Dims, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Activation, Init, Module, VarBuilder};
use candle_transformers::models::jina_bert::{BertModel, Config, PositionEmbeddingType};

use super::super::EncodeError;
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(super) struct JinaBert(Config);

impl JinaBert {
    pub(super) fn read(settings: Settings) -> Result<Self, EncodeError> {
        for never in ["is_decoder", "is_encoder_decoder", "add_cross_attention"] {
            settings.only(never, &[false.into()])?;
        }
        if settings.name("feed_forward_type")? != Some("geglu") {
            let found = &settings.values["feed_forward_type"];
            return Err(settings.unsupported(format!("feed_forward_type {found} with alibi; supported is \"geglu\"")));
        }
        let hidden_size = settings.size("hidden_size")?;
        let num_attention_heads = settings.size("num_attention_heads")?;
        settings.shared(hidden_size, num_attention_heads)?;
        Ok(JinaBert(Config {
            vocab_size: settings.size("vocab_size")?,
            hidden_size,
            num_hidden_layers: settings.layers("num_hidden_layers")?,
            num_attention_heads,
            intermediate_size: settings.size("intermediate_size")?,
            hidden_act: Activation::Gelu,
            max_position_embeddings: settings.positions("max_position_embeddings")?,
            type_vocab_size: settings.size("type_vocab_size")?,
            initializer_range: 0.0,
            layer_norm_eps: settings.epsilon("layer_norm_eps", 1e-12)?,
            pad_token_id: 0,
            position_embedding_type: PositionEmbeddingType::Alibi,
        }))
    }
}

impl CandleKind for JinaBert {
    fn shape(&self) -> Shape {
        let Config { hidden_size, vocab_size, max_position_embeddings, .. } = self.0;
        let longest = max_position_embeddings;
        Shape { hidden: hidden_size, vocabulary: vocab_size, longest, usual: longest }
    }

    fn naming(&self) -> Naming {
        Naming { candle: "", anchor: "embeddings.word_embeddings.weight", optional: &[], unread: &[] }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        let tensors = Arc::default();
        let kept = Kept { builder: builder.clone(), tensors: Arc::clone(&tensors) };
        let own = VarBuilder::from_backend(Box::new(kept), DType::F32, builder.device().clone());
        let short = Config { max_position_embeddings: 1, ..self.0.clone() };
        let model = BertModel::new(own, &short)?;
        let tensors = std::mem::take(&mut *tensors.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Box::new(Jina { config: short, tensors, model: Mutex::new((1, model)) }))
    }
}

/// The tensors of a builder, which are remembered.
struct Kept<'a> {
    builder: VarBuilder<'a>,
    tensors: Arc<Mutex<HashMap<String, Tensor>>>,
}

impl Kept<'_> {
    fn keep(&self, name: &str, tensor: Tensor) -> Tensor {
        self.tensors.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tensor.clone());
        tensor
    }
}

impl SimpleBackend for Kept<'_> {
    fn get(&self, dims: Dims, name: &str, _: Init, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        Ok(self.keep(name, self.builder.get(dims, name)?))
    }

    fn get_unchecked(&self, name: &str, dtype: DType, _: &Device) -> candle_core::Result<Tensor> {
        Ok(self.keep(name, self.builder.get_unchecked_dtype(name, dtype)?))
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.builder.contains_tensor(name)
    }
}

/// candle's model has a table of all pairs of positions: 3 GB for the 8192 that these models can have. So it is made anew, of the same
/// tensors, for as many positions as the longest text so far has.
struct Jina {
    config: Config,
    tensors: HashMap<String, Tensor>,
    /// with the number of its positions
    model: Mutex<(usize, BertModel)>,
}

impl Jina {
    fn model(&self, positions: usize) -> candle_core::Result<BertModel> {
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        if model.0 < positions {
            let config = Config { max_position_embeddings: positions, ..self.config.clone() };
            let device = self.tensors.values().next().map_or(Device::Cpu, |tensor| tensor.device().clone());
            let builder = VarBuilder::from_tensors(self.tensors.clone(), DType::F32, &device);
            *model = (positions, BertModel::new(builder, &config)?);
        }
        Ok(model.1.clone())
    }
}

impl Network for Jina {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        self.model(tokens.dim(1)?)?.forward(tokens)
    }
}
