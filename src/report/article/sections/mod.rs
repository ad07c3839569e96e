//! What the article says: one file a section, each a function from the artifacts to sentences, figures and tables.
//!
//! A sentence that compares or judges is chosen by a test or a finding that the artifacts hold; a missing artifact leaves its sentences out.
//! Both languages stand side by side, so that neither can fall behind.

mod architecture;
mod choosing;
mod conclusion;
mod convergence;
mod course;
mod data;
mod description;
mod design;
mod discussion;
mod fitting;
mod inside;
mod introduction;
mod methods;
mod neighbours;
mod network;
mod note;
mod predictions;
mod protocol;
mod published;
mod results;
mod standard;
mod summary;
mod transfer;

use runner_results::paired_test::PairwiseTest;
use runner_results::profile::audit::Contradictions;
use runner_results::{Metric, Split, SplitPart, profile::Profile, scores::Scores};

pub(super) use note::note;
pub(crate) use summary::{keywords, summary};

use super::document::{Align, Block, Body, Column, Float, Section, Table};
use super::language::{Language, Voice};
use super::markup;
use super::subject::Subject;
use super::text::Text;
use crate::compared::is_higher;
use crate::figure::{ChartLayout, Drawing};
use crate::fitting::FittedOn;
use crate::leaks;
use crate::ranking::{self, Source};
use crate::read::StageArtifacts;
use crate::study::Study;
use crate::study::figures::in_colours;
use crate::study::models::{Group, Model, groups, models};
use crate::study::pairs::{Judgement, judge, other_verdicts, paired_test};
use runner_names::Localized;
use runner_results::Part;
use runner_results::comparison::{Direction, ScoreMetric};
use runner_results::search::Search;
use runner_results::threshold::ThresholdRows;
use runner_results::training::Training;
use runner_results::variations::Variations;

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
    /// What the author says of the study.
    pub(crate) subject: &'a Subject,
    groups: Vec<Group>,
}

/// Of line charts of which two stand beside one another, so that their text stays readable.
const HALF: ChartLayout = ChartLayout { size: Some((310.0, 150.0)), columns: None };
/// Of a figure of panels as wide as the text.
const PANELS: ChartLayout = ChartLayout { size: None, columns: Some(3) };

/// The sections that an article has, by the names under which an author's own text goes into them.
pub const SECTIONS: [&str; 6] = ["introduction", "data", "method", "results", "discussion", "conclusion"];

impl<'a> ArticleContext<'a> {
    pub(crate) fn new(study: Study<'a>, voice: Voice, subject: &'a Subject) -> ArticleContext<'a> {
        let mut groups = groups(&models(&study), study.metric);
        // The article is about what most models were tried on.
        groups.sort_by_key(|group| std::cmp::Reverse(group.models.len()));
        ArticleContext { study, voice, subject, groups }
    }

    /// The sections, in order.
    pub(crate) fn sections(&self) -> Vec<Section> {
        vec![
            introduction::section(self),
            data::section(self),
            network::section(self),
            results::section(self),
            discussion::section(self),
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
        let is_masculine = matches!(metric, Metric::Mcc | Metric::Brier | Metric::Cost | Metric::QuadraticKappa);
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

    /// The best network that reads numbers and texts, and the best that reads numbers alone.
    fn with_and_without_texts(&self) -> Option<(&Model, &Model)> {
        Some((self.reading(true, true)?, self.reading(true, false)?))
    }

    /// The best network that reads texts alone.
    fn on_texts_alone(&self) -> Option<&Model> {
        self.reading(false, true)
    }

    /// The best single network that reads numbers, or none, and texts, or none.
    fn reading(&self, numbers: bool, words: bool) -> Option<&Model> {
        let reads = |model: &&Model| {
            let training = self.stage(&model.stage).and_then(|stage| stage.documents.get::<Training>());
            training.is_some_and(|training| {
                training.inputs.numeric.is_empty() != numbers && training.inputs.text.is_empty() != words
            })
        };
        let networks = self.main()?.models.iter().filter(|model| self.kind(model) == Some("train"));
        ranking::best(networks.filter(reads), Some(self.metric()), |model| model.validation())
    }

    /// The best network or ensemble by validation rows: what one would hand in.
    fn chosen(&self) -> Option<&Model> {
        self.best(|kind| matches!(kind, "train" | "ensemble"))
    }

    /// The best single network by validation rows.
    fn network(&self) -> Option<&Model> {
        self.best(|kind| kind == "train")
    }

    /// The best classical learner by validation rows.
    fn classical(&self) -> Option<&Model> {
        self.best(|kind| kind == "baseline")
    }

    /// What one would hand in: the best network or ensemble, or where there is none the best classical learner.
    fn recommended(&self) -> Option<&Model> {
        self.chosen().or_else(|| self.classical())
    }

    /// Whether a model was chosen among several networks and ensembles, or where there is none among several classical learners.
    fn is_choice(&self) -> bool {
        match self.chosen() {
            Some(_) => self.count_of("train") + self.count_of("ensemble") > 1,
            None => self.count_of("baseline") > 1,
        }
    }

    /// The models that do not compare with the others, by why not.
    fn left_out(&self) -> Option<String> {
        let main = self.main()?;
        let voice = self.voice;
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        // Of transfers a section of their own tells.
        for model in models(&self.study).into_iter().filter(|model| self.kind(model) != Some("transfer")) {
            let reason = match model.judged() {
                None => voice.say("cross-validated only", "validation croisée seulement"),
                Some(scores) if !is_same_classes(&scores.classes, &main.classes) => {
                    voice.say("other classes", "autres classes")
                }
                Some(_) if model.judged_on() != main.part => match model.judged_on() {
                    Part::Test => voice.say("judged on test rows", "évaluation sur le test"),
                    Part::Valid => voice.say("judged on validation rows", "évaluation sur la validation"),
                },
                Some(scores) if scores.rows != main.rows || model.split != main.split => {
                    voice.say("judged on other rows", "évaluation sur d'autres lignes")
                }
                Some(_) => continue,
            };
            // Models of one stage have the same rows and classes.
            let stage = markup::code(&model.stage);
            let name = match self.kind(&model) {
                Some("baseline") => bilingual!(self, "the models of {stage}", "les modèles de {stage}"),
                _ => stage,
            };
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        let listed: Vec<String> =
            reasons.iter().map(|(reason, names)| format!("{} ({reason})", voice.list(names, 6))).collect();
        let list = voice.list(&listed, reasons.len());
        (!listed.is_empty())
            .then(|| bilingual!(self, "The comparison leaves out {list}.", "La comparaison laisse de côté {list}."))
    }

    /// How many models of a kind there are, without the guess of the largest class.
    fn count_of(&self, kind: &str) -> usize {
        let own = self.main().into_iter().flat_map(|group| &group.models);
        own.filter(|model| self.kind(model) == Some(kind) && !model.is_reference()).count()
    }

    fn best(&self, wanted: impl Fn(&str) -> bool) -> Option<&Model> {
        let own = self.main()?.models.iter().filter(|model| self.kind(model).is_some_and(&wanted));
        ranking::best(own, Some(self.metric()), |model| model.validation())
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

    /// The columns that models read: numbers, texts, categories.
    fn inputs(&self) -> [Vec<String>; 3] {
        let mut read: [Vec<String>; 3] = Default::default();
        for stage in ["train", "baseline"].into_iter().flat_map(|kind| self.of_kind(kind)) {
            let inputs = match stage.documents.get::<Training>() {
                Some(Training { inputs, .. }) => {
                    [inputs.numeric.clone(), inputs.text.clone(), inputs.categories.clone()]
                }
                None => stage.settings().columns(),
            };
            for (known, names) in read.iter_mut().zip(inputs) {
                let new: Vec<String> = names.into_iter().filter(|name| !known.contains(name)).collect();
                known.extend(new);
            }
        }
        read
    }

    /// Whether the study varies what a network is made of and how it is trained.
    fn varies(&self) -> bool {
        self.study.with::<Search>().next().is_some() || self.study.with::<Variations>().next().is_some()
    }

    /// The author's own words of the pipeline file, as blocks.
    fn own_blocks(&self, text: Option<&Localized>) -> Vec<Block> {
        let blocks = text.map(|text| markup::blocks(text.get(self.voice.code())).unwrap_or_default());
        let mut blocks: Vec<Block> = blocks.into_iter().flatten().map(|(_, block)| block).collect();
        for text in blocks.iter_mut().flat_map(Block::texts_mut) {
            text.map_plain(&|plain| self.voice.typography(plain));
        }
        blocks
    }

    /// What is predicted, with its article where the author gives it: `the genre`, or the label's column.
    fn label_name(&self) -> String {
        match &self.subject.label {
            Some(label) => markup::escaped(label.get(self.voice.code())),
            None => markup::code(self.label().unwrap_or("label")),
        }
    }

    /// What stands after `by` or `selon`: `genre`, `le genre`, or the label's column.
    fn by_class(&self) -> String {
        match (&self.subject.class, self.voice.is_french()) {
            (Some(class), false) => markup::escaped(class.get(self.voice.code())),
            _ => self.label_name(),
        }
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
        match self.kind(model) == Some("baseline") {
            true => self.classical_name(model, |method| self.voice.say(method.english, method.french)),
            false => self.stage_name(&model.stage),
        }
    }

    /// The same within a sentence, with its article.
    fn subject(&self, model: &Model) -> String {
        match self.kind(model) == Some("baseline") {
            true => self.classical_name(model, |method| self.voice.say(method.the, method.le)),
            false => self.stage_subject(&model.stage),
        }
    }

    fn classical_name(&self, model: &Model, usual: impl Fn(&methods::Method) -> &'static str) -> String {
        let name = methods::classical(&model.name).map_or_else(|| markup::code(&model.name), |m| usual(m).to_owned());
        let others: Vec<&Model> =
            self.main().into_iter().flat_map(|group| &group.models).filter(|other| other.name == model.name).collect();
        let reads_texts = |stage: &str| {
            let columns = self.stage(stage).map(|stage| stage.settings().columns());
            columns.is_some_and(|[_, texts, _]| !texts.is_empty())
        };
        // The same method on other columns.
        let own = reads_texts(&model.stage);
        match others.iter().filter(|other| reads_texts(&other.stage) == own).count() {
            _ if others.len() < 2 => name,
            0 | 1 if own => bilingual!(self, "{name} with texts", "{name} avec textes"),
            0 | 1 => bilingual!(self, "{name} on numbers", "{name} sur les nombres"),
            _ => format!("{name} ({})", markup::code(&model.stage)),
        }
    }

    /// The same with what it is, where a reader meets it first and it has no name for people.
    fn introduced(&self, model: &Model) -> String {
        let has_name = self.stage(&model.stage).is_some_and(|stage| stage.display_name.is_some());
        let what = match self.kind(model) {
            Some("train") if !has_name => self.voice.say("the network ", "le réseau "),
            Some("ensemble") if !has_name => self.voice.say("the ensemble ", "l’ensemble "),
            _ => "",
        };
        format!("{what}{}", self.subject(model))
    }

    /// What people call a stage, with its article as a sentence has it: `the fused network`; or its name in a fixed font.
    fn stage_subject(&self, stage: &str) -> String {
        let display = self.stage(stage).and_then(|stage| stage.display_name.as_ref());
        display.map_or_else(|| markup::code(stage), |name| markup::escaped(name.get(self.voice.code())))
    }

    /// The same for a table's cell, without its article.
    fn stage_name(&self, stage: &str) -> String {
        let subject = self.stage_subject(stage);
        let articles = self.voice.say("the ", "le |la |les |l'|l’");
        let found = articles.split('|').find_map(|article| subject.strip_prefix(article));
        found.map_or(subject.clone(), str::to_owned)
    }

    /// What people call a member of an ensemble: `STAGE`, or a standard classifier as `STAGE/MODEL`.
    fn member_name(&self, member: &str) -> String {
        match member.split_once('/') {
            Some((_, model)) => methods::classical(model).map_or_else(
                || markup::code(member),
                |method| self.voice.say(method.english, method.french).to_owned(),
            ),
            None => self.stage_subject(member),
        }
    }

    /// The recommended model against the best of the standard classifiers, as a sentence that follows one on the first.
    fn against_classical(&self) -> Option<String> {
        let (chosen, classical) = (self.chosen()?, self.classical()?);
        let name = self.subject(classical);
        let other = match self.count_of("baseline") {
            1 => name,
            _ => bilingual!(
                self,
                "the best standard classifier {by}, {name}",
                "le meilleur classifieur usuel {par}, {name}",
                by = match source(classical) {
                    Source::CrossValidation => "by cross-validation",
                    Source::ValidationPart => "on validation rows",
                },
                par = match source(classical) {
                    Source::CrossValidation => "par validation croisée",
                    Source::ValidationPart => "sur la validation",
                },
            ),
        };
        let (it, its) = (self.voice.say("It", "Il"), self.voice.say("Its accuracy", "Son exactitude"));
        let against = self.against(it, its, chosen, classical, &other)? + ".";
        Some([Some(against), self.ranked_higher(chosen, classical)].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }

    /// Where the rule that ranks all models puts a standard classifier above the best network or ensemble.
    fn ranked_higher(&self, chosen: &Model, classical: &Model) -> Option<String> {
        let best = ranking::best([chosen, classical], Some(self.metric()), |model| model.validation())?;
        if std::ptr::eq(best, chosen) {
            return None;
        }
        let score = |model: &Model| Some(self.voice.decimals(model.validation()?.score(self.metric())?, 3));
        Some(bilingual!(
            self,
            "By {metric} on validation rows, which ranks all models, {name} stands higher ({high} against {low}).",
            "Selon {metric} de validation, qui classe tous les modèles, {name} est devant ({high} contre {low}).",
            metric = methods::metric(self.voice, self.metric()),
            name = self.subject(classical),
            high = score(classical)?,
            low = score(chosen)?,
        ))
    }

    /// The columns that one of the two reads and the other does not.
    fn other_inputs(&self, chosen: &Model, classical: &Model) -> Option<String> {
        let [own, other] =
            [chosen, classical].map(|model| leaks::inputs_of(self.study.stages, self.study.edges, &model.stage));
        let told = |model: &Model, only: Vec<String>| {
            let columns = self.voice.list(&codes(&only), 6);
            (!only.is_empty()).then(|| {
                bilingual!(
                    self,
                    "only {name} reads {columns}",
                    "seul {name} lit {columns}",
                    name = self.subject(model),
                )
            })
        };
        let differences = [
            told(chosen, own.difference(&other).cloned().collect()),
            told(classical, other.difference(&own).cloned().collect()),
        ];
        let list: Vec<String> = differences.into_iter().flatten().collect();
        (!list.is_empty()).then(|| {
            bilingual!(
                self,
                "The two have different inputs: {list}.",
                "Leurs entrées diffèrent : {list}.",
                list = self.voice.list(&list, 2),
            )
        })
    }

    fn judge(&self, a: &Model, b: &Model) -> Option<Judgement> {
        judge(&self.study, a, b)
    }

    /// How the first model does against the second on the same rows, as a sentence without its full stop that begins with `who`, or with `whose`
    /// where its accuracy is what is spoken of; the second is called `other`.
    fn against(&self, who: &str, whose: &str, a: &Model, b: &Model, other: &str) -> Option<String> {
        let (voice, judgement) = (self.voice, self.judge(a, b)?);
        let difference = a.judged()?.accuracy - b.judged()?.accuracy;
        let reason = match paired_test(&self.study, a, b) {
            // The interval is of this pair alone, the p value of all: they may part.
            Some(pair) if !judgement.differ && pair.accuracy.excludes_zero() => bilingual!(
                self,
                "95% interval {points} points before correction, {p} after",
                "intervalle à 95 % {points} points avant correction, {p} après",
                points = self.points(&pair),
                p = voice.p(pair.adjusted_p),
            ),
            Some(pair) => bilingual!(
                self,
                "95% interval {points} points, {p}",
                "intervalle à 95 % {points} points, {p}",
                points = self.points(&pair),
                p = voice.p(pair.adjusted_p),
            ),
            None => voice.say("by the 95% intervals", "d'après les intervalles à 95 %").to_owned(),
        };
        let size = voice.decimals(difference.abs() * 100.0, 1);
        let of = methods::of_french(other);
        if judgement.p.is_none() && !judgement.differ {
            return Some(bilingual!(
                self,
                "{who} has an accuracy whose 95% interval overlaps that of {other}",
                "{who} a une exactitude dont l'intervalle à 95 % recoupe celui {of}",
            ));
        }
        let verdict = match (judgement.differ, difference > 0.0) {
            (false, _) => bilingual!(
                self,
                "{whose} does not differ significantly from that of {other} ({reason})",
                "{whose} ne diffère pas significativement de celle {of} ({reason})",
            ),
            (true, true) => bilingual!(
                self,
                "{who} is more accurate by {size} points than {other} ({reason})",
                "{who} est plus exact de {size} points que {other} ({reason})",
            ),
            (true, false) => bilingual!(
                self,
                "{who} is less accurate by {size} points than {other} ({reason})",
                "{who} est moins exact de {size} points que {other} ({reason})",
            ),
        };
        let besides: Vec<String> =
            other_verdicts(&self.study, a, b).into_iter().map(|verdict| self.other_score(verdict)).collect();
        Some(match besides.len() {
            0 => verdict,
            several => bilingual!(
                self,
                "{verdict}; {its} 95% {interval}, not corrected, it has {list}",
                "{verdict} ; d'après {leur} à 95 %, non {corrige}, il a {list}",
                its = if several == 1 { "by its" } else { "by their" },
                interval = if several == 1 { "interval" } else { "intervals" },
                leur = if several == 1 { "leur intervalle" } else { "leurs intervalles" },
                corrige = if several == 1 { "corrigé" } else { "corrigés" },
                list = voice.list(&besides, 2),
            ),
        })
    }

    /// `a higher macro-F1`.
    fn other_score(&self, (metric, direction): (ScoreMetric, Direction)) -> String {
        let higher = is_higher(metric, direction);
        let (name, nom) = match metric {
            ScoreMetric::Accuracy => ("accuracy", "exactitude"),
            ScoreMetric::MacroF1 => ("macro-F1", "macro-F1"),
            ScoreMetric::LogLoss => ("log loss", "perte logarithmique"),
            ScoreMetric::Other(metric) => (metric.title(), methods::bare_metric(Voice(Language::French), metric)),
        };
        bilingual!(
            self,
            "a {more} {name}",
            "une {nom} plus {plus}",
            more = if higher { "higher" } else { "lower" },
            plus = if higher { "élevée" } else { "basse" },
        )
    }

    /// The interval of a difference, in points.
    fn points(&self, pair: &PairwiseTest) -> String {
        let [low, high] = [pair.accuracy.low, pair.accuracy.high].map(|end| self.voice.decimals(end * 100.0, 1));
        if self.voice.is_french() { format!("[{low}\u{202f};\u{a0}{high}]") } else { format!("[{low}, {high}]") }
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

    /// Sentences as a paragraph; nothing without any.
    fn paragraph(&self, sentences: impl IntoIterator<Item = Option<String>>) -> Option<Block> {
        let sentences: Vec<String> = sentences.into_iter().flatten().filter(|one| !one.is_empty()).collect();
        (!sentences.is_empty()).then(|| Block::Paragraph(self.text(&sentences.join(" "))))
    }

    /// Markup of this crate's own as text, with the language's spaces.
    pub(crate) fn text(&self, source: &str) -> Text {
        let mut text = markup::inline(source);
        text.map_plain(&|plain| self.voice.typography(plain));
        text
    }

    fn table(&self, label: &str, caption: &str, heads: &[(&str, Align)], rows: Vec<Vec<String>>) -> Float {
        let columns = heads.iter().map(|(title, align)| Column { title: self.text(title), align: *align }).collect();
        let rows = rows.into_iter().map(|row| row.iter().map(|cell| self.text(cell)).collect()).collect();
        Float {
            label: label.to_owned(),
            caption: self.text(caption),
            body: Body::Table(Table { columns, rows, ruled: Vec::new() }),
        }
    }

    fn figure(&self, label: &str, caption: &str, drawings: Vec<Drawing>, share: f64) -> Float {
        let drawn = drawings.into_iter().map(|drawing| self.own_words(drawing.without_heading())).collect();
        Float { label: label.to_owned(), caption: self.text(caption), body: Body::Figure { drawings: drawn, share } }
    }

    /// The drawings of the report that a stage has under these names, or names that begin so; line charts as wide as it is asked for.
    fn drawings(&self, stage: &StageArtifacts, names: &[&str], layout: ChartLayout) -> Vec<Drawing> {
        let all = in_colours(stage, self.study.palette.clone(), false, layout);
        let found = names.iter().filter_map(|wanted| all.iter().find(|(name, _)| name.starts_with(wanted)));
        found.map(|(_, drawing)| drawing.clone()).collect()
    }

    /// A figure of the report in the article's language.
    fn own_words(&self, mut drawing: Drawing) -> Drawing {
        let voice = self.voice;
        drawing.change_texts(&|text| {
            let own = if voice.is_french() { methods::french_label(text) } else { None };
            own.unwrap_or_else(|| voice.label(text))
        });
        drawing
    }
}

/// The score that ranks a model: on validation rows, or by cross-validation where there are none.
fn validation(model: &Model, metric: Metric) -> Option<f64> {
    model.validation().and_then(|validation| validation.score(metric))
}

fn is_same_classes(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|class| other.contains(class))
}

/// Where the score that ranks a model is from.
fn source(model: &Model) -> Source {
    model.validation().map_or(Source::ValidationPart, |validation| validation.source)
}

/// Names in a fixed font.
fn codes(names: &[String]) -> Vec<String> {
    names.iter().map(|name| markup::code(name)).collect()
}
