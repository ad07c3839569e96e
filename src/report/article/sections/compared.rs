//! One model against another, as sentences.

use super::{ArticleContext, bilingual, codes, methods};
use crate::article::language::{Language, Voice};
use crate::compared::is_higher;
use crate::leaks;
use crate::ranking::{self, Source};
use crate::study::models::Model;
use crate::study::pairs::{Judgement, judge, other_verdicts, paired_test};
use runner_results::comparison::{Direction, ScoreMetric};
use runner_results::paired_test::PairwiseTest;

impl ArticleContext<'_> {
    /// The recommended model against the best of the standard classifiers, as a sentence that follows one on the first.
    pub(super) fn against_classical(&self) -> Option<String> {
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
        Some(
            [Some(against), self.ranked_higher(chosen, classical), self.other_inputs(chosen, classical)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// Where the rule that ranks all models puts a standard classifier above the best network or ensemble.
    pub(super) fn ranked_higher(&self, chosen: &Model, classical: &Model) -> Option<String> {
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
    pub(super) fn other_inputs(&self, chosen: &Model, classical: &Model) -> Option<String> {
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

    pub(super) fn judge(&self, a: &Model, b: &Model) -> Option<Judgement> {
        judge(&self.study, a, b)
    }

    /// How the first model does against the second on the same rows, as a sentence without its full stop that begins with `who`, or with `whose`
    /// where its accuracy is what is spoken of; the second is called `other`.
    pub(super) fn against(&self, who: &str, whose: &str, a: &Model, b: &Model, other: &str) -> Option<String> {
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
    pub(super) fn other_score(&self, (metric, direction): (ScoreMetric, Direction)) -> String {
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
    pub(super) fn points(&self, pair: &PairwiseTest) -> String {
        let [low, high] = [pair.accuracy.low, pair.accuracy.high].map(|end| self.voice.decimals(end * 100.0, 1));
        if self.voice.is_french() { format!("[{low}\u{202f};\u{a0}{high}]") } else { format!("[{low}, {high}]") }
    }
}

/// Where the score that ranks a model is from.
pub(super) fn source(model: &Model) -> Source {
    model.validation().map_or(Source::ValidationPart, |validation| validation.source)
}
