//! The same model on several splits: stages of one kind that differ in nothing but seeds and the `split` stage that they read.

use std::collections::HashMap;

use serde_json::Value;

use super::Study;
use super::models::{Model, baselines, network, split_of};
use crate::read::StageArtifacts;

/// One model under every split.
pub(super) struct Family<'a> {
    pub(super) name: String,
    /// In the order of the pipeline.
    pub(super) members: Vec<Member<'a>>,
}

pub(super) struct Member<'a> {
    stage: &'a str,
    /// The `split` stage.
    pub(super) split: &'a str,
    pub(super) model: Model,
}

/// Those of more than one split.
pub(super) fn families<'a>(study: &Study<'a>) -> Vec<Family<'a>> {
    let mut recipes = Recipes { study, known: HashMap::new(), all: Vec::new() };
    let mut found: Vec<(usize, Option<String>, Vec<Member>)> = Vec::new();
    for stage in study.stages {
        let Some(split) = split_of(study, &stage.stage) else { continue };
        let recipe = recipes.of(stage);
        for model in baselines(stage).into_iter().chain(network(stage)) {
            let own = (model.name != stage.stage).then(|| model.name.clone());
            let member = Member { stage: &stage.stage, split, model };
            match found.iter_mut().find(|(known, name, _)| *known == recipe && *name == own) {
                Some((_, _, members)) => members.push(member),
                None => found.push((recipe, own, vec![member])),
            }
        }
    }
    let several = |members: &[Member]| members.iter().any(|member| member.split != members[0].split);
    let found = found.into_iter().filter(|(_, _, members)| several(members));
    found.map(|(_, name, members)| Family { name: name.unwrap_or_else(|| common_name(&members)), members }).collect()
}

/// Whether two `split` stages differ in their seeds alone.
pub(super) fn are_draws(study: &Study, one: &str, other: &str) -> bool {
    let params = |name: &str| study.stages.iter().find(|stage| stage.stage == name).map(|stage| &stage.params);
    params(one) == params(other)
}

/// What stages are made by, but for seeds and splits: those that differ in nothing else have the same number.
struct Recipes<'s, 'a> {
    study: &'s Study<'a>,
    known: HashMap<&'a str, usize>,
    /// Kind, parameters unless it is a split, and what it reads.
    all: Vec<(&'a str, Option<&'a Value>, Vec<usize>)>,
}

impl<'a> Recipes<'_, 'a> {
    fn of(&mut self, stage: &'a StageArtifacts) -> usize {
        if let Some(known) = self.known.get(stage.stage.as_str()) {
            return *known;
        }
        // Of edges that go in circles, which nobody checked.
        self.known.insert(&stage.stage, usize::MAX);
        let parents: Vec<&str> = self.study.parents(&stage.stage).collect();
        let parents = parents.into_iter().filter_map(|name| self.study.stages.iter().find(|own| own.stage == name));
        let mut reads: Vec<usize> = parents.map(|parent| self.of(parent)).collect();
        reads.sort_unstable();
        let own = (stage.kind.as_str(), Some(&stage.params).filter(|_| stage.kind != "split"), reads);
        let number = self.all.iter().position(|known| *known == own).unwrap_or_else(|| {
            self.all.push(own);
            self.all.len() - 1
        });
        self.known.insert(&stage.stage, number);
        number
    }
}

/// The name of instances without the choices that tell them apart: `net@size=64` of `net@draw=1,size=64` and `net@draw=2,size=64`; of other names
/// what they begin with.
fn common_name(members: &[Member]) -> String {
    let names: Vec<(&str, Vec<&str>)> = (members.iter())
        .map(|member| match member.stage.split_once('@') {
            Some((base, choices)) => (base, choices.split(',').collect()),
            None => (member.stage, Vec::new()),
        })
        .collect();
    let (base, choices) = &names[0];
    if names.iter().all(|(own, _)| own == base) {
        let common = choices.iter().filter(|choice| names.iter().all(|(_, own)| own.contains(choice)));
        let common: Vec<&str> = common.copied().collect();
        return if common.is_empty() { (*base).to_owned() } else { format!("{base}@{}", common.join(",")) };
    }
    let shared = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let length = names.iter().map(|(own, _)| shared(base, own)).min().unwrap_or(0);
    let start: String = base.chars().take(length).collect();
    let start = start.trim_end_matches(|c: char| !c.is_alphanumeric());
    if start.is_empty() { (*base).to_owned() } else { start.to_owned() }
}
