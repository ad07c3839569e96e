//! `baseline`: standard classifiers on numbers, categories, texts and embeddings, cross-validated on the training part, scored once on the test part.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adapter::Adapter;
use super::aims::{self, COSTS, METRIC, POSITIVE};
use super::calibration::require_classes;
use super::class_order;
use super::columns::{FOLDS, PARTS, PREDICTIONS};
use super::conditions::require_left;
use super::dataset::{Selection, dataset, tell_of_model};
use super::documents::put_document;
use super::predictions::Predictions;
use super::predictor::{NO_NETWORK, Predictor, distinct};
use super::procedure::{self, How, Procedure};
use super::required::{require_part, tell_not_rows};
use runner_engine::{Aim, Arity, CheckContext, InputPort, Memo, OutputPort, PortType, Stage, StageContext, Threads};
use runner_ml::classical::{
    Aims, Baselines, Evaluated, Evaluation, Fitted, Inputs, KeptFits, Task, TextOptions, evaluate,
};
use runner_report::ranking::{self, Choice, Validation};
use runner_report::score_line;
use runner_results::Parts;
use runner_results::scores::Scoring;
use runner_results::spec::{ClassWeights, NamedWeights};
use runner_results::threshold::ThresholdAim;
use runner_tabular::Filter;

/// Fits the named models on the training part: cross-validation over the split's folds, then one fit on all of it and one score on the test part. Each model is a port under its kind's name, e.g. `baseline.boosting`, for `predict`, `inspect` and `ensemble`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// Numeric columns to learn from.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    numeric: Vec<String>,
    /// Text columns to learn from, through `embeddings`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    text: Vec<String>,
    /// Columns whose values are learnt as categories; a missing value is one of its own where training has any.
    ///
    /// Trees, forests and boosting split them into sets. Logistic regression, support vector machines and neighbours have a column of 0 and 1 for each
    /// value of at least 10 rows (2 where there are at most 16 values), at most 100 a column and fewer of very many rows; the others and those that
    /// training did not see share one. Naive Bayes counts them. Of a column with many more values, e.g. names, models also read how frequent the
    /// classes are with each, by rows other than the one at hand (cross-fitted target encoding). A value of one row counts as unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    categories: Vec<String>,
    /// Text columns to learn from as they are, by the TF-IDF weights of their words and runs of characters; no `embed` stage is needed.
    ///
    /// Logistic regression and the linear support vector machine have a column for each n-gram of the rows that they are fitted on; naive Bayes counts
    /// them. All other kinds have columns for those n-grams that tell most of the classes by chi², at most 500, and fewer of more than 536,000 rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    texts: Vec<String>,
    /// How `texts` are cut into n-grams and weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tfidf: Option<TextOptions>,
    /// Weight of each class in the fits of all models but `majority`: none, balanced, or a map of classes to weights. Probabilities are set right for it.
    #[serde(default = "runner_results::spec::training_defaults::class_weights", skip_serializing_if = "is_unweighted")]
    class_weights: ClassWeights,
    /// Column of numbers from 0 on, by which training rows count in the fits of all models but `majority`; scores count all rows alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample_weight: Option<String>,
    /// Models by kind, with their parameters, e.g. `{logistic: {}, rbf_svm: {c: 3}}`; all kinds unless given.
    #[serde(default)]
    models: Baselines,
    /// Of two classes, the threshold on the probability of the positive one from which on it is predicted: `f1`, `cost` by the pipeline's `costs`,
    /// `{cost: {false_positive: 1, false_negative: 5}}`, or `{recall: 0.9}` for at least that recall with the fewest false alarms. Chosen on the
    /// validation part; where there is none, on what models of the other folds say of the training rows. Without it the likeliest class is predicted, or that of least expected cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdAim>,
    /// Rows to learn from.
    #[serde(default, rename = "where")]
    filter: Filter,
}

fn is_unweighted(weights: &ClassWeights) -> bool {
    *weights == ClassWeights::Named(NamedWeights::None)
}

impl Baseline {
    fn selection(&self) -> Selection<'_> {
        Selection {
            numeric: &self.numeric,
            text: &self.text,
            adapted: &[],
            categories: &self.categories,
            texts: &self.texts,
            sample_weight: self.sample_weight.as_deref(),
            filter: &self.filter,
        }
    }
}

impl Baseline {
    fn check_tfidf(&self, context: &mut CheckContext) {
        let Some(options) = &self.tfidf else { return };
        if self.texts.is_empty() {
            let help = "name text columns under `texts`, or leave `tfidf` out".to_owned();
            context.warn(&["tfidf"], "nothing reads `tfidf`: the stage has no columns under `texts`", Some(help));
        }
        if let Some((path, reason)) = options.problem() {
            let path: Vec<&str> = ["tfidf"].into_iter().chain(path).collect();
            context.problem(&path, reason, None);
        }
    }

    /// Warns where all rows that a model was fitted on would vote.
    fn warn_of_neighbours(&self, folds: &[u32], context: &StageContext) {
        let Some(knn) = &self.models.knn else { return };
        let largest = (0..).map_while(|fold| {
            let own = folds.iter().filter(|own| **own == fold).count();
            (own > 0).then_some(own)
        });
        let (rows, least) = (folds.len(), folds.len() - largest.max().unwrap_or(0));
        if knn.k >= least {
            context.report().warn(&format!(
                "knn: `k` is {}, but the model is fitted on {rows} training rows and on {least} without their largest fold: where `k` is no less, all rows vote, \
                 and every row gets the same class (lower `k`)",
                knn.k
            ));
        }
    }
}

impl Stage for Baseline {
    const KIND: &'static str = "baseline";
    const VERSION: u32 = 15;
    const SUMMARY: &'static str = "standard classifiers, cross-validated";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    const AIMS: &'static [Aim] = &[METRIC, POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        let fixed = [OutputPort::new("scores", PortType::Json), OutputPort::new("predictions", PortType::Table)];
        let models = self.models.estimators().into_iter();
        fixed.into_iter().chain(models.map(|(name, _)| OutputPort::alternative(name, PortType::Model))).collect()
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        if [&self.numeric, &self.text, &self.categories, &self.texts].into_iter().all(Vec::is_empty) {
            let message = "name at least one column under `numeric`, `categories`, `texts` or `text`";
            context.common_problem(&[], message.to_owned(), message, None);
        }
        self.check_tfidf(context);
        if self.models.estimators().is_empty() {
            let help =
                Some("e.g. `models: {logistic: {}, boosting: {}}`; without the key all kinds are fitted".to_owned());
            context.problem(&["models"], "no model is named", help);
        }
        aims::check_threshold(self.threshold, context);
        let selection = self.selection();
        selection.check(context);
        selection.warn_of_unread(context);
        tell_not_rows(context, "predictions", PREDICTIONS);
        require_part(context, "rows", "train", "from which models learn");
        require_left(context, "rows", selection.filter, "train", "from which models learn");
        if let Some(parts) = context.fact("rows", PARTS).cloned() {
            context.tell("predictions", PARTS, parts);
        }
        if context.fact("rows", FOLDS) == Some(&0) {
            let stage = context.inputs("rows").first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let message = format!("the rows of '{stage}' have no folds, by which baselines are cross-validated");
            let help = "set `folds` of the `split` stage to 2 or more, and read its port `rows`".to_owned();
            context.common_problem(&["rows"], format!("folds of {stage}"), message, Some(help));
        }
        for (name, estimator) in self.models.estimators() {
            if estimator.needs_order() {
                class_order::check_needed(context, &["models", &name], &format!("`{name}`"));
            }
            tell_of_model(context, &name, selection.model_columns());
            procedure::tell(context, &name, selection.sample_weight, selection.filter);
            context.tell(&name, NO_NETWORK, "a baseline, which has no layers to carry over");
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let data = dataset(context, &self.selection())?;
        let [numeric, text, categories, texts] =
            [&self.numeric, &self.text, &self.categories, &self.texts].map(|names| distinct(names.iter().cloned()));
        let options = self.tfidf.clone().unwrap_or_default();
        let inputs = Inputs::of(&data.frame, &numeric, &text, &categories, &data.train)?.with_texts(&texts, &options);
        require_classes(&self.class_weights, &data.classes).map_err(|error| context.placed("class_weights", error))?;
        if let Some((name, _)) = self.models.estimators().iter().find(|(_, estimator)| estimator.needs_order()) {
            class_order::require(&data, &format!("models.{name}"), &format!("`{name}`"), context)?;
        }
        self.warn_of_neighbours(&data.folds, context);
        let threshold = aims::threshold(self.threshold, &data, context)?;
        let kept = Kept::new(self, &data.scoring, context);
        let progress = Adapter(context.report());
        let features = inputs.features(&data.frame, &progress)?.with_weights(data.weights.clone());
        let task = Task {
            groups: &data.groups,
            valid: &data.valid,
            test: &data.test,
            class_weights: &self.class_weights,
            seed: context.seed(),
            aims: Aims { scoring: data.scoring.clone(), threshold },
            kept: &kept,
            ..Task::new(&features, &data.labels, &data.classes, &data.train, &data.folds)
        };
        let evaluated = evaluate(&self.models.estimators(), &task, context.threads(), &progress)?;
        let known = kept.known.into_inner();
        if known > 0 {
            context.measure("fits_known", known as f64);
        }
        let mut evaluations = Vec::with_capacity(evaluated.len());
        let mut predictions = Predictions::new(&data);
        for Evaluated { evaluation, timing, held_out, model, calibration } in evaluated {
            let name = &evaluation.name;
            // Seconds differ between two runs: they go to the record (`runner show`), not into an artifact.
            context.measure(format!("{name}.fit_seconds"), timing.fit_seconds);
            context.measure(format!("{name}.predict_seconds"), timing.predict_seconds);
            for (part, rows, said) in [("valid", &data.valid, &held_out.valid), ("test", &data.test, &held_out.test)] {
                predictions.add(Some(name), part, rows, &said.probabilities, &said.predicted);
            }
            let is_decided = calibration.as_ref().is_some_and(|own| !own.decision.is_empty());
            if threshold.is_some() && !is_decided && !ranking::is_floor(name) {
                aims::warn_of_no_threshold(&format!("{name}: "), context);
            }
            let is_by_cost = calibration.as_ref().is_some_and(|own| own.costs.is_some());
            if data.scoring.costs.is_some() && threshold.is_none() && !is_by_cost {
                context.report().warn(&format!(
                    "{name}: without validation rows its scores are no probabilities, so that its likeliest class is predicted, whatever mistakes cost"
                ));
            }
            let fitted = Fitted::new(&self.models, name, inputs.clone(), &data.classes, model, calibration);
            predictions.decide(Some(name), fitted.calibration());
            let procedure = Procedure {
                seed: context.seed(),
                sample_weight: self.sample_weight.clone(),
                filter: self.filter.clone(),
                how: How::Baseline { class_weights: self.class_weights.clone() },
            };
            Predictor::one(fitted, procedure, &data, &self.text).put(context, name)?;
            evaluations.push(evaluation);
        }
        let parts = |one: &Evaluation| Parts { train: None, valid: one.valid.clone(), test: one.test.clone() };
        let is_alone = evaluations.iter().filter(|one| !ranking::is_floor(&one.name)).count() == 1;
        let named = aims::metric(context);
        let known: Vec<Validation> = evaluations.iter().map(Validation::of_evaluation).collect();
        let metric = ranking::governing(named, &known);
        let by_metric = metric.title();
        match ranking::choose(&evaluations, Some(metric), |one| Some(Validation::of_evaluation(one))) {
            Choice::Best(one) => {
                let (name, validation) = (&one.name, Validation::of_evaluation(one));
                let by = validation.source.words();
                context.headline(match (&one.test, validation.score(metric)) {
                    _ if is_alone => format!("{name}: {}", score_line(&parts(one), named, None)),
                    (None, Some(score)) => format!("best {by} by {by_metric}: {name} ({score:.3}; no test rows)"),
                    _ => format!("best {by} by {by_metric}: {name}, {}", score_line(&parts(one), named, None)),
                });
            }
            Choice::OnlyReference(one) => context.headline(format!(
                "no model but {}, the guess of the largest class, as a reference: {}",
                one.name,
                score_line(&parts(one), named, None)
            )),
            Choice::Unknown => {}
        }
        context.put_table("predictions", &predictions.table()?)?;
        put_document(context, "scores", "baseline", &runner_results::baselines::Baselines { evaluations })?;
        // The models lie among the results now; scores of folds are small, and serve when other kinds join these.
        let kept = Kept::new(self, &data.scoring, context);
        kept.params.keys().for_each(|name| kept.memo(name, None).remove());
        Ok(())
    }
}

/// Fits in the store's memo: what an interrupted evaluation goes on from.
struct Kept<'a> {
    context: &'a StageContext<'a>,
    /// All that a fit depends on beside its kind, its parameters and its fold.
    subject: Value,
    /// Parameters by kind.
    params: BTreeMap<String, Value>,
    /// How many fits were known.
    known: AtomicU64,
}

impl<'a> Kept<'a> {
    fn new(stage: &Baseline, scoring: &Scoring, context: &'a StageContext) -> Self {
        let mut subject = json!({
            "numeric": stage.numeric,
            "text": stage.text,
            "categories": stage.categories,
            "texts": stage.texts,
            "tfidf": stage.tfidf,
            "class_weights": stage.class_weights,
            "sample_weight": stage.sample_weight,
            "where": stage.filter,
            "inputs": context.inputs_key().to_string(),
            "seed": context.seed(),
            "positive": scoring.positive,
        });
        if let Some(costs) = &scoring.costs {
            subject["costs"] = json!(costs);
        }
        let params = stage.models.estimators().into_iter().map(|(name, estimator)| (name, estimator.params()));
        Kept { context, subject, params: params.collect(), known: AtomicU64::new(0) }
    }

    fn memo(&self, model: &str, fold: Option<usize>) -> Memo<'a> {
        let params = self.params.get(model);
        self.context.memo(&json!({"fit of": model, "params": params, "fold": fold, "on": self.subject}))
    }
}

impl KeptFits for Kept<'_> {
    fn get(&self, model: &str, fold: Option<usize>) -> Option<Vec<u8>> {
        let found = self.memo(model, fold).get();
        self.known.fetch_add(u64::from(found.is_some()), Ordering::Relaxed);
        found
    }

    fn put(&self, model: &str, fold: Option<usize>, bytes: &[u8]) {
        // The evaluation itself is none the worse for what cannot be kept.
        let _ = self.memo(model, fold).put(bytes);
    }
}
