//! `runner graph`: the DAG as text, mermaid, dot or SVG, and what `run` would do with each stage of it.

use clap::{Args, ValueEnum};

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::boundary::text::of_chain;
use crate::engine::{self, Plan, Status};
use crate::report::figure::{Node, Paint, State, dag, feeds, transitive_reduction};

#[derive(Args)]
pub(super) struct GraphArguments {
    #[command(flatten)]
    study: StudyArguments,
    #[arg(long, value_enum, default_value_t = Format::Ascii)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Ascii,
    Mermaid,
    Dot,
    /// The drawing of the report's page; edges that a longer way implies are left out
    Svg,
}

pub(super) fn graph(arguments: &GraphArguments) -> Outcome {
    let study = Study::of_results(&arguments.study)?;
    let plan = &study.plan;
    let mut states = vec![None; plan.stages.len()];
    match engine::plan_decisions(&study.workspace(), &study.select(&[])?) {
        Ok(decisions) => decisions.into_iter().for_each(|(i, decision)| states[i] = Some(decision.status())),
        // The graph is known all the same.
        Err(error) => {
            let lead = screen::Style::stderr().warning("warning:");
            super::eprint(&format!("{lead} what is up to date is not known: {}\n", of_chain(error.chain())));
        }
    }
    super::print(&match arguments.format {
        Format::Ascii => ascii(plan, &states),
        Format::Mermaid => mermaid(plan, &states),
        Format::Dot => dot(plan, &states),
        Format::Svg => svg(plan, &states),
    });
    Ok(DONE)
}

/// How a state is called, and its workspace and border in a picture.
fn look(status: Status) -> (&'static str, &'static str, &'static str) {
    match status {
        Status::Fresh => ("fresh", "#e3f4e6", "#2e7d43"),
        Status::Restore => ("restore", "#dff0fa", "#1f6f9f"),
        Status::Run => ("run", "#fdecc8", "#a86400"),
    }
}

/// One line per stage with its state, its kind and what it reads.
fn ascii(plan: &Plan, states: &[Option<Status>]) -> String {
    let style = screen::Style::stdout();
    let rows: Vec<Vec<String>> = (plan.order.iter())
        .map(|&i| {
            let stage = &plan.stages[i];
            let from: Vec<String> = (stage.inputs.iter())
                .map(|input| match &input.output {
                    Some(port) => format!("{}.{port}", plan.stages[input.from].name),
                    None => plan.stages[input.from].name.clone(),
                })
                .collect();
            let from = if from.is_empty() { String::new() } else { format!("← {}", from.join(", ")) };
            let state = states[i].map(|status| state(status, style)).unwrap_or_default();
            vec![state, style.bold(&stage.name), style.dim(stage.stage.kind().name), from]
        })
        .collect();
    let count = |status| states.iter().filter(|state| **state == Some(status)).count();
    let mut text = screen::table_within(&rows, screen::width());
    if states.iter().any(Option::is_some) {
        let [run, restore, fresh] = [Status::Run, Status::Restore, Status::Fresh].map(count);
        text.push_str(&format!("\n{run} to run, {restore} to restore, {fresh} fresh\n"));
    }
    text
}

/// The mark and the word that a run's own lines have.
fn state(status: Status, style: screen::Style) -> String {
    match status {
        Status::Fresh => style.good("✓ fresh"),
        Status::Restore => style.accent("↺ restore"),
        Status::Run => style.warning("● run"),
    }
}

fn mermaid(plan: &Plan, states: &[Option<Status>]) -> String {
    let mut text = String::from("graph TD\n");
    for &i in &plan.order {
        let stage = &plan.stages[i];
        let class = states[i].map(|status| format!(":::{}", look(status).0)).unwrap_or_default();
        text.push_str(&format!("  s{i}[\"{}<br/><i>{}</i>\"]{class}\n", stage.name, stage.stage.kind().name));
    }
    for (from, to, _) in edges(plan) {
        text.push_str(&format!("  s{from} --> s{to}\n"));
    }
    for status in [Status::Fresh, Status::Restore, Status::Run] {
        let (name, fill, stroke) = look(status);
        if states.contains(&Some(status)) {
            text.push_str(&format!("  classDef {name} fill:{fill},stroke:{stroke},color:#1a1a1a\n"));
        }
    }
    text
}

fn dot(plan: &Plan, states: &[Option<Status>]) -> String {
    let mut text = String::from("digraph pipeline {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for &i in &plan.order {
        let stage = &plan.stages[i];
        let look = states[i].map(look).map(|(name, fill, stroke)| {
            format!(", style=filled, fillcolor=\"{fill}\", color=\"{stroke}\", tooltip=\"{name}\"")
        });
        let look = look.unwrap_or_default();
        text.push_str(&format!("  s{i} [label=\"{}\\n{}\"{look}];\n", stage.name, stage.stage.kind().name));
    }
    for (from, to, port) in edges(plan) {
        text.push_str(&format!("  s{from} -> s{to} [label=\"{port}\"];\n"));
    }
    text.push_str("}\n");
    text
}

fn svg(plan: &Plan, states: &[Option<Status>]) -> String {
    let name = |i: usize| plan.stages[i].name.clone();
    // The report's figures have colours for both themes, which those of `look` are not.
    let state = |status| {
        let paint = match status {
            Status::Fresh => Paint::Class(2),
            Status::Restore => Paint::Positive,
            Status::Run => Paint::Negative,
        };
        State { word: look(status).0, paint }
    };
    let node = |&i: &usize| Node {
        name: name(i),
        kind: plan.stages[i].stage.kind().name.to_owned(),
        link: String::new(),
        state: states[i].map(state),
    };
    let nodes: Vec<Node> = plan.order.iter().map(node).collect();
    let all: Vec<(String, String)> = edges(plan).iter().map(|&(from, to, _)| (name(from), name(to))).collect();
    let shown = transitive_reduction(&all);
    dag(&plan.spec.name, &feeds(&shown), &nodes, &shown).svg()
}

/// From, to, and the input port or the name that the user gave the input, each once.
fn edges(plan: &Plan) -> Vec<(usize, usize, &str)> {
    let mut edges: Vec<(usize, usize, &str)> = (plan.order.iter())
        .flat_map(|&i| {
            plan.stages[i].inputs.iter().map(move |input| (input.from, i, input.label.as_deref().unwrap_or(input.port)))
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}
