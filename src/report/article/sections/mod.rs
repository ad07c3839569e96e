//! What the article says: one file a section, each a function from the artifacts to sentences, figures and tables.
//!
//! A sentence that compares or judges is chosen by a test or a finding that the artifacts hold; a missing artifact leaves its sentences out.
//! Both languages stand side by side, so that neither can fall behind.

mod choosing;
mod chosen;
mod compared;
mod conclusion;
mod convergence;
mod course;
mod data;
mod earlier;
mod floats;
mod inside;
mod introduction;
mod judging;
mod methods;
mod note;
mod protocol;
mod results;
mod summary;
mod transfer;

use runner_results::profile::audit::Contradictions;
use runner_results::{Metric, Split, SplitPart, profile::Profile, scores::Scores};

pub(super) use note::note;
pub(crate) use summary::{keywords, summary};

use super::document::Section;
use super::language::Voice;
use super::markup;
use crate::fitting::FittedOn;
use crate::leaks;
use crate::read::StageArtifacts;
use crate::study::Study;
use crate::study::models::{Group, Model, groups, models};
use runner_results::Part;
use runner_results::threshold::ThresholdRows;

/// A sentence in the context's language; what is in braces is formatted the same way in both.
macro_rules! bilingual {
    ($context:expr, $english:literal, $french:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        $(let $name = $value;)*
        if $context.voice.is_french() { format!($french) } else { format!($english) }
    }};
}
use bilingual;

/// All that the sections look at.
pub(crate) struct ArticleContext<'a> {
    pub(crate) study: Study<'a>,
    pub(crate) voice: Voice,
    groups: Vec<Group>,
}

/// Width of a line chart in units where two stand beside one another, so that their text stays readable.
const HALF: Option<f64> = Some(310.0);

/// The five sections that an article has, by the names under which an author's own text goes into them.
pub const SECTIONS: [&str; 5] = ["introduction", "data", "method", "results", "conclusion"];

impl<'a> ArticleContext<'a> {
    pub(crate) fn new(study: Study<'a>, voice: Voice) -> ArticleContext<'a> {
        let mut groups = groups(&models(&study), study.metric);
        // The article is about what most models were tried on.
        groups.sort_by_key(|group| std::cmp::Reverse(group.models.len()));
        ArticleContext { study, voice, groups }
    }

    /// The five sections.
    pub(crate) fn sections(&self) -> Vec<Section> {
        vec![
            introduction::section(self),
            data::section(self),
            protocol::section(self),
            results::section(self),
            conclusion::section(self),
        ]
    }

    /// Models on the rows that most were tried on.
    fn main(&self) -> Option<&Group> {
        self.groups.first()
    }

    /// What ranks the models.
    fn metric(&self) -> Metric {
        self.main().map_or_else(Metric::default, |group| group.metric)
    }

    /// `the highest macro-F1`.
    fn top_score(&self, de: &str) -> String {
        let (metric, voice) = (self.metric(), self.voice);
        let name = methods::metric(voice, metric);
        let is_masculine = matches!(metric, Metric::Mcc | Metric::Brier);
        match (metric.is_loss(), is_masculine) {
            _ if !voice.is_french() => format!("the {} {name}", if metric.is_loss() { "lowest" } else { "highest" }),
            (true, true) => format!("{name} {de} le plus bas"),
            (true, false) => format!("{name} {de} la plus basse"),
            (false, true) => format!("{name} {de} le plus élevé"),
            (false, false) => format!("{name} {de} la plus élevée"),
        }
    }

    /// `its average precision 0.41 [0.35, 0.47], ` where it is neither accuracy nor macro-F1 that ranks, for the beginning of a list of scores.
    fn other_score_of(&self, scores: &Scores) -> Option<(&'static str, String)> {
        let metric = Some(self.metric()).filter(|metric| ![Metric::Accuracy, Metric::MacroF1].contains(metric))?;
        let value = self.voice.decimals(scores.value(metric)?, 3);
        let word = self.voice.say("95% interval", "intervalle à 95 %");
        let interval =
            scores.interval(metric).map(|(low, high)| format!(" ({word} {})", self.voice.interval(low, high)));
        Some((methods::metric(self.voice, metric), value + &interval.unwrap_or_default()))
    }

    /// What ranks, where that is neither accuracy nor macro-F1, and the threshold that a model predicts by, as sentences after one on its scores.
    fn question(&self, scores: &Scores) -> Option<String> {
        let other = self.other_score_of(scores).map(|(name, value)| {
            bilingual!(
                self,
                "Its {name}, by which models are chosen, is {value}.",
                "Le critère du choix, {name}, vaut {value}.",
            )
        });
        Some([other, self.threshold(scores)].into_iter().flatten().collect::<Vec<_>>().join(" "))
            .filter(|text| !text.is_empty())
    }

    /// The threshold that a model predicts by.
    fn threshold(&self, scores: &Scores) -> Option<String> {
        let threshold = scores.threshold.as_ref()?;
        let rows = match threshold.fitted_on {
            ThresholdRows::Validation => self.voice.say("on validation rows", "sur la validation"),
            ThresholdRows::CrossFitted => self.voice.say("by cross-validation", "par validation croisée"),
        };
        Some(bilingual!(
            self,
            "It predicts {class} from a probability of {value} on, a threshold chosen {rows}.",
            "La classe {class} est prédite dès une probabilité de {value}, seuil choisi {rows}.",
            class = markup::code(&threshold.positive),
            value = self.voice.decimals(threshold.value, 3),
        ))
    }

    /// `test rows`, or what there is instead: after a number, in a list, after an article-less preposition.
    fn rows_on(&self, part: Part) -> &'static str {
        match part {
            Part::Test => self.voice.say("test rows", "lignes de test"),
            Part::Valid => self.voice.say("validation rows", "lignes de validation"),
        }
    }

    /// `on the test part`.
    fn on(&self, part: Part) -> &'static str {
        match part {
            Part::Test => self.voice.say("on the test part", "sur le test"),
            Part::Valid => self.voice.say("on the validation part", "sur la validation"),
        }
    }

    /// `test accuracy`, as an adjective.
    fn part(&self, part: Part) -> &'static str {
        match part {
            Part::Test => self.voice.say("test", "de test"),
            Part::Valid => self.voice.say("validation", "de validation"),
        }
    }

    /// The part that the models are judged on.
    fn judged_on(&self) -> Part {
        self.main().map_or(Part::Test, |group| group.part)
    }

    /// What a model reads that leaks the label, as a sentence to stand beside its score.
    fn leak(&self, model: &Model) -> Option<String> {
        let leaks = leaks::all(self.study.stages, self.study.edges);
        let leak = leaks.iter().find(|leak| leak.stage == model.stage)?;
        let (columns, members) = (self.voice.list(&codes(&leak.columns), 5), self.voice.list(&codes(&leak.members), 4));
        let (name, one) = (self.name(model), leak.columns.len() == 1);
        let reads = match leak.members.len() {
            0 => bilingual!(self, "{name} reads {columns}", "{name} lit {columns}"),
            1 => bilingual!(
                self,
                "{name} averages {members}, which reads {columns}",
                "{name} fait la moyenne avec {members}, qui lit {columns}",
            ),
            _ => bilingual!(
                self,
                "{name} averages {members}, which read {columns}",
                "{name} fait la moyenne avec {members}, qui lisent {columns}",
            ),
        };
        Some(bilingual!(
            self,
            "Caution: {reads}, which {leaks} the label, so that this score measures a look-up and means nothing for rows where {known} not yet known.",
            "Attention : {reads}, dont la valeur suffit à révéler l'étiquette : ce score mesure une simple consultation et ne vaut rien pour des lignes où {known} pas encore connue.",
            leaks = if one { "leaks" } else { "leak" },
            known = self.voice.say(if one { "it is" } else { "they are" }, "elle n'est"),
        ))
    }

    /// The vocabularies that were fitted on more than the training part: the stage, and the rows.
    fn fitted_on_more(&self) -> Vec<(&'a str, String)> {
        let fitted = self.of_kind("embed").filter_map(|stage| match FittedOn::of(&self.study, stage)? {
            FittedOn::MoreRows(rows) => Some((stage.stage.as_str(), rows)),
            FittedOn::TrainingPart => None,
        });
        fitted.collect()
    }

    /// Whether the split keeps rows together by keys that it was given.
    fn keeps_together(&self) -> bool {
        self.split().is_some_and(|split| !split.group_keys.is_empty())
    }

    /// Whether intervals and tests are over groups of rows.
    fn is_grouped(&self) -> bool {
        let scores = self.main().and_then(|group| group.models.first()).and_then(Model::judged);
        scores.is_some_and(|scores| scores.groups.is_some())
            || self.study.tests.iter().any(|tests| tests.groups.is_some())
    }

    fn kind(&self, model: &Model) -> Option<&'a str> {
        self.study.kind_of(&model.stage)
    }

    fn stage(&self, name: &str) -> Option<&'a StageArtifacts> {
        self.study.stages.iter().find(|stage| stage.stage == name)
    }

    fn of_kind<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'a StageArtifacts> + use<'a, 'b> {
        let stages: &'a [StageArtifacts] = self.study.stages;
        stages.iter().filter(move |stage| stage.kind == kind)
    }

    /// The rows of these classes in all parts of the split.
    fn rows_of(&self, classes: &[String]) -> Option<u64> {
        let parts = self.split()?.parts.all();
        let of = |part: &SplitPart| classes.iter().filter_map(|class| part.classes.get(class)).sum::<u64>();
        Some(parts.iter().map(|(_, part)| of(part)).sum()).filter(|rows| *rows > 0)
    }

    /// The label's name, where a stage tells it.
    fn label(&self) -> Option<&'a str> {
        self.split().map(|split| split.label.as_str())
    }

    /// The first profile of the data.
    fn profile(&self) -> Option<&'a Profile> {
        self.study.with().next().map(|(_, profile)| profile)
    }

    /// The lowest accuracy that no model can exceed since labels contradict one another, and the key whose values carry several: one that decides all
    /// that the models read.
    fn ceiling(&self) -> Option<(&'a Contradictions, &'a str)> {
        let read = leaks::all_inputs(self.study.stages);
        let decides =
            |found: &Contradictions| !read.is_empty() && !found.varying.iter().any(|name| read.contains(name));
        let capping = self.profile()?.audit.capping().filter(|(found, _)| decides(found));
        capping.min_by(|a, b| a.0.ceiling.total_cmp(&b.0.ceiling))
    }

    /// The first split.
    fn split(&self) -> Option<&'a Split> {
        self.study.with().next().map(|(_, split)| split)
    }

    /// What a table calls a model: classical learners by their usual name, networks and ensembles by their stage's.
    fn name(&self, model: &Model) -> String {
        self.called(model, |method| self.voice.say(method.english, method.french))
    }

    /// The same within a sentence, with its article.
    fn subject(&self, model: &Model) -> String {
        self.called(model, |method| self.voice.say(method.the, method.le))
    }

    fn called(&self, model: &Model, usual: impl Fn(&methods::Method) -> &'static str) -> String {
        if self.kind(model) != Some("baseline") {
            return markup::code(&model.name);
        }
        let name = methods::classical(&model.name).map_or_else(|| markup::code(&model.name), |m| usual(m).to_owned());
        let others = self.main().into_iter().flat_map(|group| &group.models);
        let is_alone = others.filter(|other| other.name == model.name).count() < 2;
        if is_alone { name } else { format!("{name} ({})", markup::code(&model.stage)) }
    }

    /// The same with what it is, where a reader meets it first.
    fn introduced(&self, model: &Model) -> String {
        let what = match self.kind(model) {
            Some("train") => self.voice.say("the network ", "le réseau "),
            Some("ensemble") => self.voice.say("the ensemble ", "l’ensemble "),
            _ => "",
        };
        format!("{what}{}", self.subject(model))
    }

    /// `0.758 (95% interval [0.742, 0.774])`.
    fn accuracy(&self, scores: &Scores) -> String {
        let accuracy = self.voice.decimals(scores.accuracy, 3);
        match scores.accuracy_interval() {
            Some((low, high)) => {
                let word = self.voice.say("95% interval", "intervalle à 95 %");
                format!("{accuracy} ({word} {})", self.voice.interval(low, high))
            }
            None => accuracy,
        }
    }
}

/// The score that ranks a model: on validation rows, or by cross-validation where there are none.
fn validation(model: &Model, metric: Metric) -> Option<f64> {
    model.validation().and_then(|validation| validation.score(metric))
}

/// Names in a fixed font.
fn codes(names: &[String]) -> Vec<String> {
    names.iter().map(|name| markup::code(name)).collect()
}
