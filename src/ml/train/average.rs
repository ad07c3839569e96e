//! `Average`: an exponential moving average over the tensors of all steps, running statistics included.

use candle_core::{Result, Storage};

use super::TrainError;
use crate::network::{Network, Snapshot, vectorized};

/// The average, and a network to look at it through.
pub(super) struct Average {
    decay: f64,
    values: Snapshot,
    network: Network,
}

impl Average {
    /// Begins with the network as it is.
    pub(crate) fn new(network: &Network, decay: f64) -> Result<Self> {
        let copy = Network::new(network.blueprint(), 0)?;
        Ok(Average { decay, values: network.snapshot()?, network: copy })
    }

    /// Takes the network after `step`, counted from 0, in. The first steps count more than the decay lets them, so that the first
    /// weights are soon forgotten.
    pub(crate) fn step(&mut self, network: &Network, step: usize) -> Result<()> {
        let decay = self.decay.min((1.0 + step as f64) / (10.0 + step as f64));
        let share = (1.0 - decay) as f32;
        for tensor in network.tensors() {
            let Some((_, average)) = self.values.get_mut(&tensor.name) else { continue };
            let (storage, layout) = tensor.var.storage_and_layout();
            let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
                candle_core::bail!("weights are contiguous and on the CPU")
            };
            let values = &storage.as_slice::<f32>()?[start..end];
            vectorized(|| {
                for (average, value) in average.iter_mut().zip(values) {
                    *average += share * (value - *average);
                }
            });
        }
        Ok(())
    }

    /// The average as a network.
    pub(crate) fn network(&mut self) -> std::result::Result<&Network, TrainError> {
        self.network.restore(&self.values).map_err(candle_core::Error::msg)?;
        Ok(&self.network)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.values.clone()
    }

    pub(crate) fn restore(&mut self, values: Snapshot) {
        self.values = values;
    }
}
