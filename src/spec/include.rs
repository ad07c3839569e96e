//! `include`: other pipeline files whose `vars`, `templates` and `stages` join those of the file that names them.
//!
//! Paths count from the folder of the file in which they are written, and are written out: variables are not known yet. What stands nearer
//! wins for variables: the including file over what it includes, a later file over an earlier one. Stages and templates have one place
//! each. A file's `seed` holds for its stages and for those of what it includes, unless a file that includes it says one: so the models of a
//! study are the same when another pipeline includes it. A study has one `metric`, one `positive` and one map of `costs`: the including file's, or else that of the file
//! included last. `name` serves when a file is run by itself; here it does not count. Where a seed or a
//! variable of an included file does not hold, that is a warning. A file that is reached twice is read once. Does not know what variables,
//! templates and stages mean.

use indexmap::IndexMap;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::definitions;
use super::file;
use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::schema_hint;
use super::source::{Sources, Span};
use super::yaml;
use runner_names::{did_you_mean, suggest};

/// The keys that a pipeline file may have.
pub(super) const TOP_LEVEL: [&str; 9] =
    ["name", "seed", "metric", "positive", "costs", "include", "vars", "templates", "stages"];

/// What the models of a study are chosen by, each said once for all stages: values whose meaning the kinds know that use them.
pub const AIMS: [&str; 3] = ["metric", "positive", "costs"];

/// Files that include each other in a longer chain are a mistake, and would cost stack.
const MOST_LEVELS: usize = 32;

/// The root of file `file`, whose text is in `sources`, with all that it includes. `None` after a fault in that file's own syntax, or if it
/// holds nothing.
pub(super) fn read(file: usize, sources: &mut Sources, problems: &mut Vec<Problem>) -> Option<Included> {
    let start = identity(Path::new(sources.name(file)));
    let mut includer = Includer {
        sources,
        problems,
        open: vec![(file, start.clone())],
        seen: HashSet::from([start]),
        seeds: IndexMap::new(),
        warnings: Vec::new(),
        is_whole: true,
    };
    let root = includer.root(file)?;
    Some(Included { root, seeds: includer.seeds, warnings: includer.warnings, is_whole: includer.is_whole })
}

/// A pipeline file with all that it includes.
pub(super) struct Included {
    pub(crate) root: Node,
    /// Of stages of included files the seed that holds there, unless the pipeline says one.
    pub(crate) seeds: IndexMap<String, Entry>,
    /// What an included file says and does not hold.
    pub(crate) warnings: Vec<Problem>,
    /// Whether all files could be read, so that nothing is missing that one of them may hold.
    pub(crate) is_whole: bool,
}

struct Includer<'a> {
    sources: &'a mut Sources,
    problems: &'a mut Vec<Problem>,
    /// The files that are being read, each included by the one before.
    open: Vec<(usize, PathBuf)>,
    seen: HashSet<PathBuf>,
    seeds: IndexMap<String, Entry>,
    warnings: Vec<Problem>,
    is_whole: bool,
}

/// What joins, by top-level key.
type Parts = IndexMap<&'static str, Entry>;

impl Includer<'_> {
    fn root(&mut self, file: usize) -> Option<Node> {
        let mut root = match yaml::read(self.sources, file, 0, self.problems) {
            Ok(root) => root?,
            Err(found) => {
                self.problems.extend(found);
                return None;
            }
        };
        let Value::Mapping(top) = &root.value else {
            let message = format!("a pipeline must be a mapping with `stages`, not {}", root.value.noun());
            self.problems.push(Problem::new(root.span, message));
            return None;
        };
        let mut unknown = Vec::new();
        for (key, entry) in top {
            if !TOP_LEVEL.contains(&key.as_str()) {
                let guess = did_you_mean(key, TOP_LEVEL);
                let problem = Problem::new(entry.key_span, format!("unknown key '{key}'{guess}"))
                    .help(format!("keys of a pipeline are {}", TOP_LEVEL.join(", ")));
                unknown.push((key.clone(), problem));
            }
        }
        for (key, problem) in unknown {
            let is_harmless = self.leave_out(&mut root, &key);
            self.problems.push(if is_harmless { problem.conclusive() } else { problem });
        }
        self.warnings.extend(schema_hint::missing(self.sources, file));
        if let Some(include) = root.remove("include") {
            let mut parts = Parts::new();
            for (path, span) in self.paths(&include.node) {
                if let Some(included) = self.include(file, &path, span) {
                    self.join(&mut parts, included);
                }
            }
            self.join_own(parts, &mut root);
        }
        Some(root)
    }

    /// Takes out a key that no pipeline has, so that the rest can be checked: what it holds is read as what was most likely meant. False where what it
    /// holds may be missed.
    fn leave_out(&mut self, root: &mut Node, key: &str) -> bool {
        let meant = suggest(key, TOP_LEVEL).filter(|meant| root.entry(meant).is_none());
        let Some(entry) = root.remove(key) else { return true };
        if let (Some(meant), Value::Mapping(top)) = (meant, &mut root.value) {
            top.insert(meant.to_owned(), entry);
            return true;
        }
        let mut named = Vec::new();
        definitions::references(root, &mut named);
        let holds = |name: &String| entry.node.get(name).is_some();
        let is_missed = root.entry("stages").is_none() || named.iter().any(holds);
        self.is_whole &= !is_missed;
        !is_missed
    }

    /// The paths of an `include`: one text or a list of texts.
    fn paths(&mut self, node: &Node) -> Vec<(String, Span)> {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null => &[],
            _ => std::slice::from_ref(node),
        };
        let mut paths = Vec::new();
        for item in items {
            match item.as_str() {
                Some(path) if path.contains("${") => {
                    self.is_whole = false;
                    self.problems.push(
                        Problem::new(item.span, format!("a variable in the path '{path}'"))
                            .help("files are included before variables are known: write the path out"),
                    );
                }
                Some(path) => paths.push((path.to_string(), item.span)),
                None => self.problems.push(
                    Problem::new(
                        item.span,
                        format!("`include` wants paths of pipeline files, not {}", item.value.noun()),
                    )
                    .help("e.g. `include: [common.yaml]`"),
                ),
            }
        }
        paths
    }

    fn include(&mut self, from: usize, path: &str, span: Span) -> Option<Node> {
        let path = Path::new(self.sources.name(from)).parent().unwrap_or(Path::new("")).join(path);
        let identity = identity(&path);
        if let Some(start) = self.open.iter().position(|(_, open)| *open == identity) {
            let circle: Vec<&str> = self.open[start..].iter().map(|(file, _)| self.sources.name(*file)).collect();
            let message = match circle.as_slice() {
                [own] => format!("'{own}' includes itself"),
                _ => format!("files include each other in a circle: {} → {}", circle.join(" → "), path.display()),
            };
            self.problems
                .push(Problem::new(span, message).help("remove this line, or move what both need to a third file"));
            return None;
        }
        if !self.seen.insert(identity.clone()) {
            return None;
        }
        if self.open.len() >= MOST_LEVELS {
            let message = format!("files include each other more than {MOST_LEVELS} levels deep");
            self.problems.push(Problem::new(span, message).help("name the files in one `include` list instead"));
            return None;
        }
        match file::read(&path, Some(span), self.sources) {
            Ok(file) => {
                self.open.push((file, identity));
                let root = self.root(file);
                self.open.pop();
                match &root {
                    Some(root) => self.seed(root),
                    None => self.is_whole = false,
                }
                root
            }
            Err(problem) => {
                self.is_whole = false;
                self.problems.push(*problem);
                None
            }
        }
    }

    /// Notes that the seed of an included file, if it says one, holds for all stages in it.
    fn seed(&mut self, root: &Node) {
        let Some(seed) = root.entry("seed").filter(|seed| seed.node.value != Value::Null) else { return };
        for (stage, _) in root.get("stages").map(Node::entries).unwrap_or_default() {
            if let Some(inner) = self.seeds.insert(stage.clone(), seed.clone()) {
                self.warnings.extend(seed_replaced(&inner, seed, self.sources));
            }
        }
    }

    /// Adds what an included file gives; of variables the later one wins.
    fn join(&mut self, parts: &mut Parts, mut included: Node) {
        for key in AIMS {
            let Some(entry) = included.remove(key).filter(|entry| entry.node.value != Value::Null) else { continue };
            if let Some(inner) = parts.insert(key, entry.clone()) {
                self.warnings.extend(aim_replaced(key, &inner, &entry, self.sources));
            }
        }
        for key in ["vars", "templates", "stages"] {
            let Some(entry) = included.remove(key) else { continue };
            match (&entry.node.value, parts.get_mut(key)) {
                (Value::Null, _) => {}
                (Value::Mapping(_), None) => {
                    parts.insert(key, entry);
                }
                (Value::Mapping(_), Some(before)) => self.merge(key, &mut before.node, entry.node),
                (other, _) => {
                    let message = format!("`{key}` must be a mapping, not {}", other.noun());
                    self.problems.push(Problem::new(entry.node.span, message));
                }
            }
        }
    }

    /// Puts what was included under the file's own values. An own value of the wrong kind stays, for its own check to report.
    fn join_own(&mut self, parts: Parts, root: &mut Node) {
        let Value::Mapping(top) = &mut root.value else { return };
        for (key, mut included) in parts {
            match top.get_mut(key) {
                None => {
                    top.insert(key.to_string(), included);
                }
                Some(own) if matches!(own.node.value, Value::Null) => *own = included,
                Some(own) if AIMS.contains(&key) => {
                    self.warnings.extend(aim_replaced(key, &included, own, self.sources));
                }
                Some(own) if matches!(own.node.value, Value::Mapping(_)) => {
                    let written = own.node.span;
                    let node = std::mem::replace(&mut own.node, Node::new(written, Value::Null));
                    self.merge(key, &mut included.node, node);
                    included.node.span = written;
                    own.node = included.node;
                }
                Some(_) => {}
            }
        }
    }

    fn merge(&mut self, key: &str, into: &mut Node, from: Node) {
        let (Value::Mapping(into), Value::Mapping(from)) = (&mut into.value, from.value) else { return };
        for (name, entry) in from {
            match into.get(&name) {
                Some(first) if key != "vars" => {
                    let what = key.trim_end_matches('s');
                    self.problems.push(
                        Problem::new(entry.key_span, format!("{what} '{name}' is defined twice"))
                            .related(first.key_span, "first defined here")
                            .help("rename one of them; `extends` makes a variant of a template"),
                    );
                }
                first => {
                    if let Some(first) = first.filter(|first| first.node.to_json() != entry.node.to_json()) {
                        let file = self.sources.name(first.key_span.file);
                        let message =
                            format!("the value of variable '{name}' in '{file}' does not hold here: this one does");
                        let warning = Problem::new(entry.key_span, message).related(first.key_span, "the value there");
                        self.warnings.push(
                            warning
                                .help("give this variable another name if the stages of that file shall keep theirs"),
                        );
                    }
                    into.insert(name, entry);
                }
            }
        }
    }
}

/// That a seed which differs holds instead of an included file's own.
pub(super) fn seed_replaced(inner: &Entry, outer: &Entry, sources: &Sources) -> Option<Problem> {
    if inner.node.to_json() == outer.node.to_json() {
        return None;
    }
    let file = sources.name(inner.key_span.file);
    let message =
        format!("the seed of '{file}' does not hold here: its stages draw by this one, and its models are others");
    let warning = Problem::new(outer.node.span, message).related(inner.node.span, "the seed there");
    let help = "leave `seed` out to use the models of that file; `seed` on a stage is that stage's own";
    Some(warning.help(help).about(format!("seed of {file}")))
}

/// That a metric (or another aim) which differs holds instead of an included file's own.
fn aim_replaced(key: &str, inner: &Entry, outer: &Entry, sources: &Sources) -> Option<Problem> {
    if inner.node.to_json() == outer.node.to_json() {
        return None;
    }
    let file = sources.name(inner.key_span.file);
    let message = format!("`{key}` of '{file}' does not hold here: this one does, for all stages");
    let warning = Problem::new(outer.node.span, message).related(inner.node.span, format!("`{key}` there"));
    Some(warning.help(format!("leave `{key}` out to keep that of the file")).about(format!("{key} of {file}")))
}

/// What tells whether two paths are the same file.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
