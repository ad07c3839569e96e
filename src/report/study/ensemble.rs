//! Ensembles: what they are made of, and what they gain.

use runner_results::Metric;
use runner_results::ensemble::Ensemble;
use runner_results::ensemble::{Average, Member, Weighting};

use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::{Study, calibration, plural, stage_id};
use crate::figure::text::decimals;
use crate::figure::{Bar, Paint, bar_chart};
use crate::page::{Block, Figure, Section};
use crate::part_name;
use crate::ranking::{self, Validation};
use crate::read::StageArtifacts;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("ensembles", "Ensembles");
    for (stage, document) in study.with::<Ensemble>() {
        section.subsections.push(stage_section(study, stage, document));
    }
    Some(section)
}

fn stage_section(study: &Study, stage: &StageArtifacts, document: &Ensemble) -> Section {
    let mut section = Section::new(stage_id(stage), stage.stage.clone());
    section.say(sentence(document, stage.metric));
    section.blocks.extend(weights(document).map(Block::Figure));
    section.blocks.extend(calibration::block(stage, study.layout));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = part_name(model.judged_on());
            section.blocks.extend(class_blocks(&format!("{} on the {part} part", stage.stage), scores, &study.palette));
        }
    }
    section
}

fn sentence(document: &Ensemble, metric: Option<Metric>) -> String {
    let members = &document.members;
    let used = members.iter().filter(|member| member.weight > 0.0).count();
    let average = match document.average {
        Average::Probabilities => "probabilities",
        Average::Logits => "logits",
    };
    let chosen = match document.weights {
        Weighting::Greedy => {
            let metric = document.metric.unwrap_or(Metric::Loss).title();
            format!("by greedy selection on validation {metric} (Caruana et al. 2004)")
        }
        Weighting::Equal => "the same for all".to_owned(),
        Weighting::Convex => "by least validation log loss, a convex problem".to_owned(),
    };
    let best = ranking::best(members, metric, |member| Some(Validation::of_member(member)));
    let fair = &document.cross_fitted_valid;
    let mut sentence = format!(
        "A weighted average of the {average} of {} ({used} with a weight); weights {chosen}.",
        plural(members.len() as u64, "model")
    );
    if let Some(Member { name, valid: alone, .. }) = best {
        let how = match document.weights {
            Weighting::Equal => "It has",
            _ => "With weights chosen on other validation rows it has",
        };
        sentence.push_str(&format!(
            " {how} validation macro-F1 {} and accuracy {}, its best member {name} {} and {}.",
            decimals(fair.macro_f1, 3),
            decimals(fair.accuracy, 3),
            decimals(alone.macro_f1, 3),
            decimals(alone.accuracy, 3)
        ));
    }
    sentence
}

fn weights(document: &Ensemble) -> Option<Figure> {
    let mut members: Vec<&Member> = document.members.iter().collect();
    members.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let bars: Vec<Bar> = members
        .iter()
        .map(|member| Bar {
            label: member.name.clone(),
            value: member.weight,
            paint: Paint::Positive,
            note: format!("{:.3} · alone {:.3}", member.weight, member.valid.accuracy),
        })
        .collect();
    let description = bars.iter().map(|bar| format!("{} {}", bar.label, bar.note)).collect::<Vec<_>>().join("; ");
    let svg = bar_chart("Weights of the members", &description, "weight", &bars);
    (!bars.is_empty()).then(|| Figure::new(svg, "Behind each weight the member's own accuracy on validation rows."))
}
