//! The first weights of encoders' layers that learn.

use super::TrainError;
use crate::input::Input;
use crate::network::{Embedding, Network};
use crate::progress::Progress;

/// Takes the texts through the layers that stand still, and lets those above begin as they come with their encoder.
pub(crate) fn begin_encoders(
    network: &mut Network,
    inputs: &[Input],
    progress: &dyn Progress,
) -> Result<(), TrainError> {
    for (branch, input) in network.blueprint().branches.iter().zip(inputs) {
        if let (Embedding::Encoder { layers, .. }, Input::Texts(texts)) = (branch.embedding, input) {
            texts.tokens.cut(layers, rayon::current_num_threads(), progress)?;
        }
    }
    Ok(network.begin_as_given(inputs)?)
}
