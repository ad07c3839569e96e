//! What becomes of a text's pooled vector: dense layers, normalisation, truncation, in the order of the model's modules.

use std::path::Path;

use super::EncodeError;
use super::batches::{Company, Engine, Session};
use super::files::{read_settings_file, setting};
use super::modules::Step;
use super::weights::Weights;

/// An engine whose vectors go through further steps.
pub(crate) struct Headed {
    engine: Box<dyn Engine>,
    layers: Vec<Layer>,
    dim: usize,
    /// The longest vector on the way.
    widest: usize,
}

enum Layer {
    Dense(Dense),
    Normalize,
    Truncate(usize),
}

struct Dense {
    /// outputs × inputs
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: fn(f32) -> f32,
    inputs: usize,
    outputs: usize,
}

impl Headed {
    /// `steps` after `engine`; the engine alone if there are none.
    pub(crate) fn over(engine: Box<dyn Engine>, steps: &[Step]) -> Result<Box<dyn Engine>, EncodeError> {
        if steps.is_empty() {
            return Ok(engine);
        }
        let mut dim = engine.dim();
        let mut widest = dim;
        let mut layers = Vec::new();
        for step in steps {
            layers.push(Layer::read(step, &mut dim)?);
            widest = widest.max(dim);
        }
        Ok(Box::new(Headed { engine, layers, dim, widest }))
    }
}

/// Whether these steps can follow vectors of `dim` values.
pub(super) fn check(mut dim: usize, steps: &[Step]) -> Result<(), EncodeError> {
    steps.iter().try_for_each(|step| Layer::read(step, &mut dim).map(|_| ()))
}

impl Layer {
    /// The step after vectors of `dim` values, which becomes what they have behind it.
    fn read(step: &Step, dim: &mut usize) -> Result<Layer, EncodeError> {
        Ok(match step {
            Step::Normalize => Layer::Normalize,
            Step::Dense(folder) => {
                let dense = Dense::read(folder, *dim)?;
                *dim = dense.outputs;
                Layer::Dense(dense)
            }
            Step::Truncate(length) if *length == 0 || *length > *dim => {
                return Err(EncodeError::Option {
                    option: "dimensions",
                    reason: format!("{length} is not between 1 and the model's {dim}"),
                });
            }
            Step::Truncate(length) => {
                *dim = *length;
                Layer::Truncate(*length)
            }
        })
    }
}

impl Engine for Headed {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn company(&self) -> Company {
        self.engine.company()
    }

    fn is_exact(&self) -> bool {
        self.engine.is_exact()
    }

    fn sessions(&self, threads: usize) -> usize {
        self.engine.sessions(threads)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(HeadedSession { head: self, inner: self.engine.session(), pooled: Vec::new() })
    }
}

struct HeadedSession<'a> {
    head: &'a Headed,
    inner: Box<dyn Session + 'a>,
    pooled: Vec<f32>,
}

impl Session for HeadedSession<'_> {
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError> {
        let Headed { engine, layers, dim, widest } = self.head;
        let pooled = engine.dim();
        self.pooled.resize(sequences.len() * pooled, 0.0);
        self.inner.run(sequences, &mut self.pooled, cancelled)?;
        let (mut row, mut next) = (Vec::with_capacity(*widest), Vec::with_capacity(*widest));
        for (pooled, out) in self.pooled.chunks_exact(pooled).zip(out.chunks_exact_mut(*dim)) {
            row.clear();
            row.extend_from_slice(pooled);
            for layer in layers {
                match layer {
                    Layer::Normalize => normalize(&mut row),
                    Layer::Truncate(length) => row.truncate(*length),
                    Layer::Dense(dense) => {
                        dense.apply(&row, &mut next);
                        std::mem::swap(&mut row, &mut next);
                    }
                }
            }
            out.copy_from_slice(&row);
        }
        Ok(())
    }
}

impl Dense {
    /// From the config.json and model.safetensors of a Dense module whose input has `inputs` values.
    fn read(folder: &Path, inputs: usize) -> Result<Self, EncodeError> {
        let path = folder.join("config.json");
        let config = read_settings_file(&path, "modules.json names it; complete the folder")?;
        let unsupported = |reason: String| EncodeError::Unsupported { path: path.clone(), reason };
        let number = |name: &str| match config[name].as_u64() {
            Some(value) if (1..=1_000_000).contains(&value) => Ok(value as usize),
            _ => Err(EncodeError::Corrupt {
                path: path.clone(),
                reason: format!("'{name}' is {}, not a number of 1 to 1000000", config[name]),
            }),
        };
        let (stated, outputs) = (number("in_features")?, number("out_features")?);
        if stated != inputs {
            return Err(EncodeError::Corrupt {
                path,
                reason: format!("'in_features' is {stated}, but the module before gives {inputs}"),
            });
        }
        for key in ["bias", "use_residual"] {
            setting(&config, key, &path, "true or false", serde_json::Value::as_bool)?;
        }
        for key in ["module_input_name", "module_output_name", "activation_function"] {
            setting(&config, key, &path, "a name", serde_json::Value::as_str)?;
        }
        for key in ["module_input_name", "module_output_name"] {
            if config[key].as_str().is_some_and(|name| name != "sentence_embedding") {
                return Err(unsupported(format!("{key} {}; supported is sentence_embedding", config[key])));
            }
        }
        if config["use_residual"] == true {
            return Err(unsupported("use_residual true".to_owned()));
        }
        // What sentence-transformers assumes of a module that states none.
        let name = config["activation_function"].as_str().unwrap_or("torch.nn.Tanh");
        let activation: fn(f32) -> f32 = match name.rsplit('.').next().unwrap_or(name) {
            "Tanh" => f32::tanh,
            "Identity" => |x| x,
            "ReLU" => |x| x.max(0.0),
            "Sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
            "SiLU" => |x| x / (1.0 + (-x).exp()),
            _ => {
                return Err(unsupported(format!(
                    "activation_function '{name}'; supported are Tanh, Identity, ReLU, Sigmoid, SiLU"
                )));
            }
        };
        let weights = Weights::read(folder)?;
        let tensors = weights.tensors()?;
        let bias = if config["bias"] == false { vec![0.0; outputs] } else { tensors.get("linear.bias", &[outputs])? };
        let weight = tensors.get("linear.weight", &[outputs, inputs])?;
        Ok(Dense { weight, bias, activation, inputs, outputs })
    }

    fn apply(&self, row: &[f32], out: &mut Vec<f32>) {
        out.clear();
        let rows = self.weight.chunks_exact(self.inputs).zip(&self.bias);
        out.extend(rows.map(|(weight, bias)| (self.activation)(dot(weight, row) + bias)));
    }
}

/// In eight sums, which a vector register holds; their order is fixed, and with it the bits.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Scales a row to length 1; a row of zeros stays as it is.
pub(crate) fn normalize(row: &mut [f32]) {
    // Eight sums side by side, since one would wait for itself.
    let (eights, rest) = row.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, &x) in sums.iter_mut().zip(eight) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    let square: f64 = sums.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
    // The bound is that of torch.nn.functional.normalize.
    let scale = 1.0 / square.sqrt().max(1e-12);
    row.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
}
