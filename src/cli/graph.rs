//! `runner graph`: the DAG as text, mermaid or dot.

use clap::{Args, ValueEnum};

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::engine::Plan;

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
}

pub(super) fn graph(arguments: &GraphArguments) -> Outcome {
    let study = Study::open(&arguments.study)?;
    super::print(&match arguments.format {
        Format::Ascii => ascii(&study.plan),
        Format::Mermaid => mermaid(&study.plan),
        Format::Dot => dot(&study.plan),
    });
    Ok(DONE)
}

/// One line per stage with its kind and what it reads.
fn ascii(plan: &Plan) -> String {
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
            vec![style.bold(&stage.name), style.dim(stage.stage.kind().name), from]
        })
        .collect();
    screen::table(&rows)
}

fn mermaid(plan: &Plan) -> String {
    let mut text = String::from("graph TD\n");
    for &i in &plan.order {
        let stage = &plan.stages[i];
        text.push_str(&format!("  s{i}[\"{}<br/><i>{}</i>\"]\n", stage.name, stage.stage.kind().name));
    }
    for (from, to, _) in edges(plan) {
        text.push_str(&format!("  s{from} --> s{to}\n"));
    }
    text
}

fn dot(plan: &Plan) -> String {
    let mut text = String::from("digraph pipeline {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for &i in &plan.order {
        let stage = &plan.stages[i];
        text.push_str(&format!("  s{i} [label=\"{}\\n{}\"];\n", stage.name, stage.stage.kind().name));
    }
    for (from, to, port) in edges(plan) {
        text.push_str(&format!("  s{from} -> s{to} [label=\"{port}\"];\n"));
    }
    text.push_str("}\n");
    text
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
