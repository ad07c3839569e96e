//! What is known at plan time of a network: its shape as written, and the roles of its columns.
//!
//! Followed from `train` to `transfer`, so that layers and columns that there are not are found before anything runs.

use super::dataset;
use super::encoder;
use runner_engine::{CheckContext, Fact, listed, suggest};
use runner_ml::network::NetworkSpec;
use runner_ml::transfer::first_uncopied;

/// The shape of a model's network.
const NETWORK: Fact<Shape> = Fact::new("network");

/// The shape of a network, and the columns that it is on.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(crate) network: NetworkSpec,
    pub(crate) numeric: Vec<String>,
    pub(crate) text: Vec<String>,
    pub(crate) categories: Vec<String>,
}

impl Shape {
    /// That of the model at an input, where the stages above tell it.
    pub(crate) fn of(context: &CheckContext, port: &str) -> Option<Shape> {
        context.fact(port, NETWORK).cloned()
    }

    /// Tells it of the model at an output.
    pub(crate) fn tell(&self, context: &mut CheckContext, port: &str) {
        context.tell(port, NETWORK, self.clone());
    }

    /// Hidden layers that can be frozen one after another.
    pub(crate) fn levels(&self) -> usize {
        self.network.levels(!self.numeric.is_empty(), &self.text, &self.categories)
    }

    /// The first tensor among the `frozen` first layers that a copy of `old` would not fill; `None` also where only the data can tell.
    pub(crate) fn uncopied(&self, old: &Shape, frozen: usize) -> Option<String> {
        let columns = (!self.numeric.is_empty(), self.text.as_slice(), self.categories.as_slice());
        first_uncopied(&old.network, &self.network, columns, frozen)
    }

    /// Finds exceptions for columns that the network is not on, and warns of branches that it does not have.
    pub(crate) fn check(&self, context: &mut CheckContext) {
        let NetworkSpec { columns, category_columns, .. } = &self.network;
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<String>>();
        for (key, list, named, there) in [
            ("columns", "text", names(&mut columns.keys()), &self.text),
            ("category_columns", "categories", names(&mut category_columns.keys()), &self.categories),
        ] {
            for name in named.iter().filter(|name| !there.contains(name)) {
                let hint = suggest(name, there.iter().map(String::as_str));
                let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
                let message = format!("network.{key}: '{name}' is not among the columns under `{list}`{hint}");
                let help = match there.is_empty() {
                    true => format!("add it to `{list}`, or leave it out here"),
                    false => format!("they are {}", listed(there)),
                };
                context.problem(&["network", key, name], message, Some(help));
            }
        }
        self.check_adapted(context);
        for (branch, columns) in [("numeric", &self.numeric), ("text", &self.text), ("categories", &self.categories)] {
            if columns.is_empty() && context.is_written(&["network", branch]) {
                let message = format!("nothing reads `network.{branch}`: the stage has no columns under `{branch}`");
                let help = format!("leave it out, or name columns under `{branch}`");
                context.warn(&["network", branch], message, Some(help));
            }
        }
    }

    /// Finds encoders that cannot be trained along with the network, or not so many of their layers.
    fn check_adapted(&self, context: &mut CheckContext) {
        for column in &self.text {
            let Some(adapt) = self.network.adapt(column) else { continue };
            let Some((name, options)) = dataset::embedded_by(context, column).cloned() else { continue };
            let has_own = self.network.columns.get(column).is_some_and(|own| own.adapt.is_some());
            let path =
                if has_own { vec!["network", "columns", column, "adapt"] } else { vec!["network", "text", "adapt"] };
            match encoder::trainable_layers(&name, &options) {
                Some(Ok(depth)) if adapt.layers > depth => {
                    let message =
                        format!("layers: {} of the {depth} layers of '{name}', which embeds '{column}'", adapt.layers);
                    let help = Some(format!("1 to {depth} can learn"));
                    context.problem(&[&path[..], &["layers"]].concat(), message, help);
                }
                Some(Err(reason)) => {
                    let message = format!("'{name}', which embeds '{column}', cannot be adapted: {reason}");
                    let help = Some("leave `adapt` out, or take another encoder".to_owned());
                    context.problem(&path, message, help);
                }
                _ => {}
            }
        }
    }
}
