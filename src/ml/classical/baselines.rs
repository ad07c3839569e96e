//! The list of model kinds: the `models` block of a baseline stage.
//!
//! A new kind adds one line to `kinds!`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::boosting::Boosting;
use super::decision_tree::DecisionTree;
use super::forest::{ExtraTrees, RandomForest};
use super::knn::Knn;
use super::linear_svm::LinearSvm;
use super::logistic::Logistic;
use super::majority::Majority;
use super::naive_bayes::NaiveBayes;
use super::ordinal_logistic::OrdinalLogistic;
use super::rbf_svm::RbfSvm;
use super::{Estimator, FitError};

macro_rules! kinds {
    ($($(#[$docs:meta])* $field:ident: $kind:ty,)*) => {
        /// Model kinds to evaluate, each with its parameters: `logistic: {}` or `rbf_svm: {c: 3}`.
        /// A kind without a value (`logistic:`) takes its defaults; a kind that is not named is
        /// left out.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = "a mapping of kinds to their parameters, e.g. {logistic: {}, boosting: {}}")]
        pub struct Baselines {
            $(
                $(#[$docs])*
                #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Option::is_none")]
                pub $field: Option<$kind>,
            )*
        }

        impl Baselines {
            /// Every kind that any classes will do for, with its defaults: what a stage without a `models` block evaluates.
            pub(crate) fn all() -> Self {
                Baselines { $($field: Some(<$kind>::default()).filter(|kind| !kind.needs_order()),)* }
            }

            /// The kind of that name alone, with its parameters.
            pub(crate) fn only(&self, name: &str) -> Self {
                Baselines { $($field: self.$field.clone().filter(|_| stringify!($field) == name),)* }
            }

            /// The named kinds in the order of this list, each under its key.
            pub fn estimators(&self) -> Vec<(String, Box<dyn Estimator>)> {
                let mut estimators: Vec<(String, Box<dyn Estimator>)> = Vec::new();
                $(
                    if let Some(estimator) = &self.$field {
                        estimators.push((stringify!($field).to_owned(), Box::new(estimator.clone())));
                    }
                )*
                estimators
            }
        }
    };
}

kinds! {
    /// The majority class: what any classifier must beat.
    majority: Majority,
    /// Multinomial logistic regression.
    logistic: Logistic,
    /// Ordinal logistic regression, of classes that have an order.
    ordinal_logistic: OrdinalLogistic,
    /// Linear support vector machine.
    linear_svm: LinearSvm,
    /// Support vector machine with a Gaussian kernel.
    rbf_svm: RbfSvm,
    /// k nearest neighbours.
    knn: Knn,
    /// Gaussian naive Bayes.
    naive_bayes: NaiveBayes,
    /// One decision tree.
    tree: DecisionTree,
    /// Random forest.
    random_forest: RandomForest,
    /// Extremely randomised trees.
    extra_trees: ExtraTrees,
    /// Gradient boosted trees.
    boosting: Boosting,
}

impl Default for Baselines {
    fn default() -> Self {
        Baselines::all()
    }
}

impl Baselines {
    /// Refuses an empty block and parameters out of their range, before any data is seen.
    pub(crate) fn check(&self) -> Result<(), FitError> {
        let estimators = self.estimators();
        if estimators.is_empty() {
            return Err(FitError::NoModels);
        }
        estimators.iter().try_for_each(|(_, estimator)| estimator.check())
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<Option<T>, D::Error> {
    Ok(Some(Option::deserialize(input)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_names_kinds_and_keeps_the_other_defaults() {
        let block: Baselines = serde_json::from_str(r#"{"rbf_svm": {"c": 3}, "logistic": null, "knn": {}}"#).unwrap();
        let names: Vec<String> = block.estimators().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["logistic", "rbf_svm", "knn"]);
        assert_eq!(block.rbf_svm, Some(RbfSvm { c: 3.0, ..RbfSvm::default() }));
        assert_eq!(block.logistic, Some(Logistic::default()));
        assert_eq!(block.tree, None);
        block.check().unwrap();
        let again: Baselines = serde_json::from_str(&serde_json::to_string(&block).unwrap()).unwrap();
        assert_eq!(again, block);
    }

    #[test]
    fn keys_are_the_names_of_the_kinds() {
        let all = Baselines::all().estimators();
        assert_eq!(all.len(), 10);
        assert!(all.iter().all(|(key, estimator)| key == estimator.name()));
    }

    #[test]
    fn the_schema_explains_every_field_and_closes_every_object() {
        let schema = serde_json::to_value(schemars::schema_for!(Baselines)).unwrap();
        let kinds = schema["$defs"].as_object().unwrap();
        for object in kinds.values().filter(|kind| kind["type"] == "object").chain([&schema]) {
            assert_eq!(object["additionalProperties"], false, "{object}");
            let fields = object["properties"].as_object();
            assert!(
                fields.into_iter().flat_map(|fields| fields.values()).all(|field| field["description"].is_string()),
                "{object}"
            );
        }
        assert_eq!(schema["properties"].as_object().unwrap().len(), 11);
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_refused() {
        for wrong in [r#"{"logistics": {}}"#, r#"{"knn": {"n": 3}}"#, r#"{"random_forest": {"max_features": "cube"}}"#]
        {
            assert!(serde_json::from_str::<Baselines>(wrong).is_err(), "{wrong}");
        }
        let refused = |block: &str| serde_json::from_str::<Baselines>(block).unwrap().check().unwrap_err().to_string();
        assert_eq!(refused("{}"), "no model is named: list at least one, e.g. `logistic: {}`");
        assert_eq!(refused(r#"{"knn": {"k": 0}}"#), "knn: k is 0, but must be at least 1");
        for (kind, parameter) in [
            ("logistic", r#""c": 0"#),
            ("ordinal_logistic", r#""tolerance": 0"#),
            ("linear_svm", r#""c": -1"#),
            ("rbf_svm", r#""gamma": 0"#),
            ("naive_bayes", r#""var_smoothing": -1"#),
            ("tree", r#""max_depth": 0"#),
            ("random_forest", r#""trees": 0"#),
            ("extra_trees", r#""min_samples_leaf": 0"#),
            ("boosting", r#""early_stopping_fraction": 1"#),
            ("boosting", r#""row_fraction": 0"#),
            ("boosting", r#""column_fraction": 1.5"#),
        ] {
            let message = refused(&format!(r#"{{"{kind}": {{{parameter}}}}}"#));
            assert!(message.starts_with(kind), "{message}");
        }
    }
}
