//! Weights of classes in the loss, of networks and baselines alike.

use runner_results::spec::{ClassWeights, NamedWeights};

use super::TrainError;

/// The weight of each class in the loss, for training rows of these labels.
pub fn weights_of_classes(
    spec: &ClassWeights,
    classes: &[String],
    labels: impl Iterator<Item = u32>,
) -> Result<Vec<f32>, TrainError> {
    match spec {
        ClassWeights::Named(NamedWeights::None) => Ok(vec![1.0; classes.len()]),
        ClassWeights::Named(NamedWeights::Balanced) => {
            let mut counts = vec![0usize; classes.len()];
            labels.for_each(|label| counts[label as usize] += 1);
            let rows = counts.iter().sum::<usize>() as f64;
            Ok(counts.iter().map(|&count| (rows / (classes.len() * count.max(1)) as f64) as f32).collect())
        }
        ClassWeights::Map(map) => {
            let mut weights = vec![None; classes.len()];
            for (name, &weight) in map {
                let class = class_named(name, classes).ok_or_else(|| TrainError::Parameter {
                    path: format!("class_weights.{name}"),
                    message: format!("there is no class '{name}': the classes are {}", classes.join(", ")),
                })?;
                if weights[class].replace(weight as f32).is_some() {
                    return Err(TrainError::Parameter {
                        path: format!("class_weights.{name}"),
                        message: format!("class '{}' has a weight already, in another spelling", classes[class]),
                    });
                }
            }
            Ok(weights.into_iter().map(|weight| weight.unwrap_or(1.0)).collect())
        }
    }
}

/// The names among those of `class_weights` that no class has.
pub fn unknown_classes<'s>(spec: &'s ClassWeights, classes: &[String]) -> Vec<&'s String> {
    let ClassWeights::Map(map) = spec else { return Vec::new() };
    map.keys().filter(|name| class_named(name, classes).is_none()).collect()
}

/// The place of the class that is meant by a name of the user's.
pub fn class_named(name: &str, classes: &[String]) -> Option<usize> {
    let same = || classes.iter().position(|class| is_same_class(class, name));
    classes.iter().position(|class| class == name).or_else(same)
}

/// Whether two names differ in the spelling of one number or the Unicode form of one text only: a table has one class of both.
fn is_same_class(a: &str, b: &str) -> bool {
    let composed = |text: &str| tokenizers::NormalizedString::from(text).nfc().get().to_owned();
    let number = |text: &str| text.parse::<f64>().ok();
    composed(a) == composed(b) || number(a).is_some_and(|a| number(b) == Some(a))
}
