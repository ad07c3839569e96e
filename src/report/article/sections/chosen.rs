//! Which models the article is about: the best of each kind by validation rows, and those that do not compare with them.

use super::{ArticleContext, bilingual};
use crate::article::markup;
use crate::ranking;
use crate::study::models::{Model, models};
use runner_results::Part;

impl ArticleContext<'_> {
    /// The best network or ensemble by validation rows: what one would hand in.
    pub(super) fn chosen(&self) -> Option<&Model> {
        self.best(|kind| matches!(kind, "train" | "ensemble"))
    }

    /// The best single network by validation rows.
    pub(super) fn network(&self) -> Option<&Model> {
        self.best(|kind| kind == "train")
    }

    /// The best classical learner by validation rows.
    pub(super) fn classical(&self) -> Option<&Model> {
        self.best(|kind| kind == "baseline")
    }

    /// What one would hand in: the best network or ensemble, or where there is none the best classical learner.
    pub(super) fn recommended(&self) -> Option<&Model> {
        self.chosen().or_else(|| self.classical())
    }

    /// Whether a model was chosen among several networks and ensembles, or where there is none among several classical learners.
    pub(super) fn is_choice(&self) -> bool {
        match self.chosen() {
            Some(_) => self.count_of("train") + self.count_of("ensemble") > 1,
            None => self.count_of("baseline") > 1,
        }
    }

    /// The models that do not compare with the others, by why not.
    pub(super) fn left_out(&self) -> Option<String> {
        let main = self.main()?;
        let voice = self.voice;
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for model in models(&self.study) {
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
    pub(super) fn count_of(&self, kind: &str) -> usize {
        let own = self.main().into_iter().flat_map(|group| &group.models);
        own.filter(|model| self.kind(model) == Some(kind) && !model.is_reference()).count()
    }

    pub(super) fn best(&self, wanted: impl Fn(&str) -> bool) -> Option<&Model> {
        let own = self.main()?.models.iter().filter(|model| self.kind(model).is_some_and(&wanted));
        ranking::best(own, Some(self.metric()), |model| model.validation())
    }

    /// What the recommended model was chosen among, where standard classifiers are not part of it.
    pub(super) fn among(&self) -> (&'static str, &'static str) {
        match (self.chosen(), self.classical()) {
            (Some(_), Some(_)) => (" among networks and ensembles", " parmi les réseaux et les ensembles"),
            _ => ("", ""),
        }
    }
}

fn is_same_classes(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|class| other.contains(class))
}
