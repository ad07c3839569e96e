//! The tree of a pipeline file → [`PipelineSpec`]: top-level keys, names, variables, instances.
//!
//! Every check goes on after a finding, so that all are reported at once.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::definitions;
use super::extends::{self, Extended};
use super::include::{self, Included};
use super::node::Node;
use super::pipeline::PipelineSpec;
use super::problem::Problem;
use super::problems::Problems;
use super::reader::Reader;
use super::settings;
use super::source::{Sources, Span};

/// Reads a text that is already in `sources` as file 0.
pub(super) fn read(fallback_name: &str, mut sources: Sources, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let mut problems = Vec::new();
    let included = include::read(0, &mut sources, &mut problems);
    let Some(Included { mut root, seeds, mut warnings, is_whole }) = included else {
        if problems.is_empty() {
            problems.push(
                Problem::new(sources.span(0, 0..0), "the pipeline file is empty")
                    .help("write at least `stages:` with one stage; `runner init` makes an example"),
            );
        }
        return Err(Problems::new(problems, sources));
    };
    let mut named = Vec::new();
    definitions::references(&root, &mut named);
    let named: HashSet<String> = named.into_iter().collect();
    let settings = settings::read(sets, &mut sources, &mut problems);
    let changes_stages = settings.iter().any(|setting| setting.changes_stages(&root));
    let (early, late) = settings.into_iter().partition(|setting| setting.shapes_templates(&root));
    settings::apply(&mut root, early, &sources, &mut problems);
    let Some(Extended { templates, unused, deprived }) = extends::resolve(&mut root, is_whole, &mut problems) else {
        return Err(Problems::new(problems, sources));
    };
    settings::apply(&mut root, late, &sources, &mut problems);
    // Files that are included serve others, too.
    let is_own = |span: &Span| span.file == 0;
    for (name, span) in unused.into_iter().filter(|(_, span)| is_own(span)) {
        let warning =
            Problem::new(span, format!("no stage extends the template '{name}', so nothing in it is checked"));
        warnings.push(warning.help("remove it, or extend it"));
    }
    for (name, entry) in root.get("vars").map(Node::entries).unwrap_or_default() {
        if is_own(&entry.key_span) && !named.contains(name) {
            let warning = Problem::new(entry.key_span, format!("nothing uses the variable '{name}'"));
            warnings.push(warning.help(format!("remove it, or write ${{{name}}} where it is meant")));
        }
    }
    if let Some(seed) = root.entry("seed") {
        warnings.extend(seeds.values().filter_map(|inner| include::seed_replaced(inner, seed, &sources)));
    }
    let before = problems.iter().filter(|problem| !problem.conclusive).count();
    let mut reader = Reader::new(&sources, &mut problems);
    reader.is_whole = before == 0;
    reader.deprived = deprived;
    reader.lacks_files(!is_whole);
    reader.seeds = if root.get("seed").is_some() { IndexMap::new() } else { seeds };
    let mut spec = reader.pipeline(fallback_name, &root);
    let unread = spec.as_mut().map(|spec| std::mem::take(&mut spec.warnings)).unwrap_or_default();
    for problem in unread {
        // What the file reads may be set for one run; a matrix that is set itself is a mistake of that.
        let is_set = problem.span.is_some_and(|span| sources.is_argument(span.file));
        if changes_stages && !is_set { &mut warnings } else { &mut problems }.push(problem);
    }
    match spec {
        Some(spec) if problems.is_empty() => {
            Ok(PipelineSpec { sources, templates, warnings, written: Arc::new(root), ..spec })
        }
        spec => {
            // Where files or templates are missing, nobody can tell what is.
            let rest = spec.filter(|spec| before == 0 && !spec.stages.is_empty());
            let rest = rest.map(|spec| {
                Box::new(PipelineSpec {
                    sources: sources.clone(),
                    templates: templates.clone(),
                    written: Arc::new(root.clone()),
                    ..spec
                })
            });
            let written = root.get("stages").map(Node::entries).unwrap_or_default();
            let stages = written.iter().map(|(name, entry)| (name.as_str(), entry.key_span, &entry.node, None));
            extends::name_users(&mut problems, &templates, stages);
            Err(Problems { rest, ..Problems::new(problems, sources) })
        }
    }
}
