//! `templates` and `extends`: what several stages share is written once.
//!
//! A stage says `extends: net`, or a list of templates of which a later one wins; a template may extend others. Mappings are merged key by
//! key, everything else is replaced; a stage's own keys win. A key that is given as `null` takes away what was inherited under it. Every
//! value keeps the place where it was written. Does not know what the keys mean; templates are resolved before variables, so that they may
//! use the variables and matrix choices of the stage that extends them.

use indexmap::IndexMap;
use std::collections::HashSet;

use super::node::{Entry, Node, Value};
use super::problem::{MOST_ADVISED, Problem};
use super::source::Span;
use super::tidy::tidy;
use super::variables::{is_name, measure};
use runner_names::{listed, suggest};

/// Templates that extend each other in a longer chain are a mistake, and would cost stack.
const MOST_LEVELS: usize = 64;

/// Templates may give the stages that extend them so many values altogether; more is an attack or a mistake.
const MOST_COPIED: usize = 1_000_000;

/// Where a template was written, so that a fault in it can name the stages that suffer from it.
#[derive(Debug, Clone)]
pub(super) struct TemplatePlace {
    name: String,
    pub(super) body: Span,
    /// The kind that it names, if no variable gives it, and where.
    pub(super) kind: Option<(String, Span)>,
}

/// What became of the templates.
#[derive(Default)]
pub(super) struct Extended {
    pub(crate) templates: Vec<TemplatePlace>,
    /// Templates that no stage extends, directly or through others, with their places.
    pub(crate) unused: Vec<(String, Span)>,
    /// Stages that lack what a template at fault was to give them: nobody knows what they are.
    pub(crate) deprived: HashSet<String>,
}

/// Takes `templates` out of the root, replaces every `extends` of a stage by what it stands for, and returns where the templates are;
/// `None` if it gave up, since they would grow without measure. `is_whole`: no file is missing that may hold more of them.
pub(super) fn resolve(root: &mut Node, is_whole: bool, problems: &mut Vec<Problem>) -> Option<Extended> {
    let templates = match root.remove("templates").map(|entry| entry.node) {
        None => IndexMap::new(),
        Some(Node { value: Value::Null, .. }) => IndexMap::new(),
        Some(Node { value: Value::Mapping(entries), .. }) => entries,
        Some(other) => {
            let message = format!("`templates` must be a mapping, not {}", other.value.noun());
            problems.push(Problem::new(other.span, message).help("e.g. `templates: {net: {kind: train, epochs: 60}}`"));
            return Some(Extended::default());
        }
    };
    let unused = unused(&templates, root);
    let mut resolver = Resolver {
        templates: &templates,
        is_whole,
        whole: IndexMap::new(),
        open: Vec::new(),
        copied: 0,
        lost: false,
        problems,
    };
    let mut deprived = HashSet::new();
    for (name, entry) in &templates {
        resolver.check(name, entry);
        resolver.template(name);
    }
    if let Some(Value::Mapping(stages)) = root.child_mut(&"stages".into()).map(|stages| &mut stages.value) {
        for (name, entry) in stages.iter_mut().filter(|(_, entry)| entry.node.get("extends").is_some()) {
            resolver.lost = false;
            let own = std::mem::replace(&mut entry.node, Node::new(entry.key_span, Value::Null));
            entry.node = resolver.extend(own);
            if resolver.copied > MOST_COPIED {
                return None;
            }
            if resolver.lost {
                deprived.insert(name.clone());
            }
        }
    }
    if resolver.copied > MOST_COPIED {
        return None;
    }
    let place = |(name, entry): (&String, &Entry)| {
        let kind = entry.node.get("kind").and_then(|node| Some((node.as_str()?.to_owned(), node.span)));
        let kind = kind.filter(|(kind, _)| !kind.contains("${"));
        TemplatePlace { name: name.clone(), body: entry.node.span, kind }
    };
    Some(Extended { templates: templates.iter().map(place).collect(), unused, deprived })
}

fn unused(templates: &IndexMap<String, Entry>, root: &Node) -> Vec<(String, Span)> {
    let named = |node: &Node| -> Vec<String> {
        let extends = node.get("extends").into_iter();
        let items = extends.flat_map(|node| match &node.value {
            Value::Sequence(items) => items.iter().collect(),
            _ => vec![node],
        });
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let stages = root.get("stages").map(Node::entries).unwrap_or_default();
    let mut next: Vec<String> = stages.iter().flat_map(|(_, entry)| named(&entry.node)).collect();
    let mut used = HashSet::new();
    while let Some(name) = next.pop() {
        if let Some(entry) = templates.get(&name)
            && used.insert(name)
        {
            next.extend(named(&entry.node));
        }
    }
    let left = templates.iter().filter(|(name, _)| !used.contains(*name));
    left.map(|(name, entry)| (name.clone(), entry.key_span)).collect()
}

/// A stage to name: its name and where that stands, its body, and the place of its kind if that is no longer in the body.
pub(super) type StagePlace<'a> = (&'a str, Span, &'a Node, Option<Span>);

/// Lets every problem inside a template tell which stage took the faulty part over.
pub(super) fn name_users<'a>(
    problems: &mut Vec<Problem>,
    templates: &[TemplatePlace],
    stages: impl Iterator<Item = StagePlace<'a>> + Clone,
) {
    // A template's fault is found in every stage that extends it.
    tidy(problems);
    for problem in problems.iter_mut().take(MOST_ADVISED) {
        let Some(span) = problem.span else { continue };
        let Some(template) = templates.iter().find(|template| template.body.contains(span)) else { continue };
        let took = |node: &Node| holds(node, &|part| template.body.contains(part) && part.contains(span));
        let took = |stage: &StagePlace| took(stage.2) || stage.3 == Some(span);
        let mut users: Vec<(&str, Span)> = stages.clone().filter(took).map(|(name, at, ..)| (name, at)).collect();
        users.dedup();
        let Some((first, at)) = users.first().copied() else { continue };
        let others = if users.len() > 1 { format!(" (and {} more)", users.len() - 1) } else { String::new() };
        let label = format!("stage '{first}'{others} takes it from the template '{}'", template.name);
        match (&problem.related, &mut problem.help) {
            (None, _) => problem.related = Some((at, label)),
            (Some(_), Some(help)) => *help = format!("{help} ({label})"),
            (Some(_), help) => *help = Some(label),
        }
    }
}

/// A template with all that it extends, and the number of its values.
struct Whole {
    node: Node,
    nodes: usize,
    /// Whether it lacks something of what it extends.
    is_deprived: bool,
}

struct Resolver<'a> {
    templates: &'a IndexMap<String, Entry>,
    /// Whether all templates are there.
    is_whole: bool,
    /// Templates with all that they extend; `None` for one at fault, which is reported once.
    whole: IndexMap<&'a str, Option<Whole>>,
    open: Vec<&'a str>,
    /// Values that templates gave to those that extend them.
    copied: usize,
    /// Whether something that was to be inherited since this was reset is not there.
    lost: bool,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Resolver<'a> {
    fn check(&mut self, name: &str, entry: &Entry) {
        if !is_name(name) {
            self.problems.push(
                Problem::new(entry.key_span, format!("'{name}' cannot name a template"))
                    .help("names are letters, digits, '_' and '-', starting with a letter")
                    .conclusive(),
            );
        }
        if !matches!(entry.node.value, Value::Mapping(_)) {
            let message = format!("template '{name}' must be a mapping, not {}", entry.node.value.noun());
            self.problems.push(
                Problem::new(entry.node.span, message)
                    .help(format!("e.g. `{name}: {{kind: train, epochs: 60}}`"))
                    .conclusive(),
            );
        }
    }

    /// Resolves a template; `None` if it is at fault.
    fn template(&mut self, name: &'a str) -> Option<&Whole> {
        if !self.whole.contains_key(name) {
            let entry = self.templates.get(name)?;
            let whole = matches!(entry.node.value, Value::Mapping(_)).then(|| {
                self.open.push(name);
                let outer = std::mem::replace(&mut self.lost, false);
                let node = self.extend(entry.node.clone());
                let is_deprived = std::mem::replace(&mut self.lost, outer);
                self.open.pop();
                Whole { nodes: measure(&node).0, node, is_deprived }
            });
            self.whole.insert(name, whole);
        }
        self.whole.get(name)?.as_ref()
    }

    /// A stage or template laid over what it extends.
    fn extend(&mut self, mut own: Node) -> Node {
        let Some(extends) = own.remove("extends") else { return own };
        let items = match extends.node.value {
            Value::Sequence(items) => items,
            Value::Null => Vec::new(),
            _ => vec![extends.node],
        };
        let mut inherited: Option<Node> = None;
        for item in items {
            let Some(body) = self.named(&item) else {
                self.lost = true;
                continue;
            };
            inherited = Some(match inherited {
                Some(before) => merge(before, body),
                None => body,
            });
        }
        match inherited {
            Some(base) => merge(base, own),
            None => own,
        }
    }

    fn named(&mut self, item: &Node) -> Option<Node> {
        let Some(name) = item.as_str() else {
            let message = format!("`extends` wants names of templates, not {}", item.value.noun());
            let problem = Problem::new(item.span, message).help("e.g. `extends: net` or `extends: [net, long]`");
            self.problems.push(problem.conclusive());
            return None;
        };
        if name.contains("${") {
            self.problems.push(
                Problem::new(item.span, format!("a variable in the template's name '{name}'"))
                    .help("templates are resolved before variables: write the name out")
                    .conclusive(),
            );
            return None;
        }
        let Some((name, first)) = self.templates.get_key_value(name) else {
            if !self.is_whole {
                return None;
            }
            let known = || self.templates.keys().map(String::as_str);
            let is_advised = self.problems.len() < MOST_ADVISED;
            let meant = if is_advised { suggest(name, known()) } else { None };
            let guess = meant.map_or(String::new(), |meant| format!(" (did you mean '{meant}'?)"));
            let problem = Problem::new(item.span, format!("unknown template '{name}'{guess}")).conclusive();
            self.problems.push(match self.templates.is_empty() {
                true => problem.help("define it under `templates`"),
                false if is_advised => problem.help(format!("templates are {}", listed(known()))),
                false => problem,
            });
            // As what was most likely meant the rest can be checked.
            let meant = Node::new(item.span, Value::String(meant?.to_owned()));
            return self.named(&meant);
        };
        if let Some(start) = self.open.iter().position(|open| *open == name.as_str()) {
            let circle = self.open[start..].join(" → ");
            let message = format!("templates extend each other in a circle: {circle} → {name}");
            self.problems.push(
                Problem::new(item.span, message)
                    .related(first.key_span, format!("'{name}' is defined here"))
                    .help("one of them must not extend another")
                    .conclusive(),
            );
            return None;
        }
        if self.open.len() >= MOST_LEVELS {
            let message = format!("templates extend each other more than {MOST_LEVELS} levels deep");
            let problem = Problem::new(item.span, message).help("name the templates in one `extends` list instead");
            self.problems.push(problem.conclusive());
            return None;
        }
        let Whole { nodes, is_deprived, .. } = *self.template(name)?;
        self.lost |= is_deprived;
        let was_affordable = self.copied <= MOST_COPIED;
        self.copied += nodes;
        if self.copied <= MOST_COPIED {
            return self.template(name).map(|whole| whole.node.clone());
        }
        if was_affordable {
            let message = format!("templates give more than {MOST_COPIED} values to what extends them");
            self.problems.push(Problem::new(item.span, message).help("make them smaller, or extend fewer of them"));
        }
        None
    }
}

/// Lays `over` on `base`.
fn merge(base: Node, over: Node) -> Node {
    let (mut under, entries) = match (base.value, over.value) {
        (Value::Mapping(under), Value::Mapping(entries)) => (under, entries),
        (_, value) => return Node { value, ..over },
    };
    let mut taken_away = HashSet::new();
    for (key, entry) in entries {
        let inherited = under.get_mut(&key);
        match (inherited, &entry.node.value) {
            (Some(_), Value::Null) => {
                taken_away.insert(key);
            }
            (Some(inherited), _) => {
                let place = inherited.node.span;
                let before = std::mem::replace(&mut inherited.node, Node::new(place, Value::Null));
                *inherited = Entry { key_span: entry.key_span, node: merge(before, entry.node) };
            }
            (None, _) => {
                under.insert(key, entry);
            }
        }
    }
    if !taken_away.is_empty() {
        under.retain(|key, _| !taken_away.contains(key));
    }
    Node { span: over.span, origin: over.origin, value: Value::Mapping(under) }
}

/// Whether a test holds for the span of any key or value under a node.
fn holds(node: &Node, test: &dyn Fn(Span) -> bool) -> bool {
    let own = match &node.value {
        // A mapping's span covers keys that may have been replaced: only its parts count.
        Value::Mapping(entries) => entries.values().any(|entry| test(entry.key_span) || holds(&entry.node, test)),
        Value::Sequence(items) => items.iter().any(|item| holds(item, test)),
        _ => false,
    };
    let empty = matches!(&node.value, Value::Mapping(entries) if !entries.is_empty());
    own || (!empty && test(node.span))
}
