//! Kinds of stages that a program adds to those of `runner`: [`extend`] makes them known to plans, keys, schema, pages and the terminal alike.

use std::sync::OnceLock;

use runner_engine::{Kind as _, KindInfo, Stage};
use runner_report::StageArtifacts;
use runner_report::page::Block;

/// What stands on a page under the name of a stage.
pub(crate) type Blocks = fn(&StageArtifacts) -> Vec<Block>;
/// What `runner show` says of a stage, line by line.
pub(crate) type Lines = fn(&StageArtifacts) -> Vec<String>;

/// A kind, with what is shown of its results.
pub struct Extension {
    pub(crate) kind: KindInfo,
    pub(crate) page: Option<Blocks>,
    pub(crate) terminal: Option<Lines>,
}

impl Extension {
    /// A kind whose results are shown as those of a `command`: its tables and JSON documents as they are.
    pub fn new<S: Stage>() -> Self {
        Extension { kind: S::INFO, page: None, terminal: None }
    }

    /// What the page of a study shows of each stage of this kind. A report's key holds the version of the kind: raise that when the page shows something else.
    pub fn on_page(mut self, blocks: Blocks) -> Self {
        self.page = Some(blocks);
        self
    }

    /// What `runner show` says of a stage of this kind.
    pub fn on_terminal(mut self, lines: Lines) -> Self {
        self.terminal = Some(lines);
        self
    }
}

/// Why kinds cannot be added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// The name is taken.
    #[error("there are two kinds of stages named '{0}'")]
    Duplicate(&'static str),
    /// Kinds were asked for or added before.
    #[error("kinds can be added once, before anything is planned")]
    Late,
}

/// All kinds of this program, and what the added ones show.
struct Known {
    kinds: Vec<KindInfo>,
    added: Vec<Extension>,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

fn known() -> &'static Known {
    KNOWN.get_or_init(|| Known { kinds: super::KINDS.to_vec(), added: Vec::new() })
}

/// Makes these kinds known beside those of `runner`, once in a process.
///
/// # Errors
/// Two kinds have one name, or kinds were asked for or added before.
pub fn extend(added: Vec<Extension>) -> Result<(), ExtendError> {
    let mut kinds = super::KINDS.to_vec();
    for Extension { kind, .. } in &added {
        if kinds.iter().any(|known| known.name == kind.name) {
            return Err(ExtendError::Duplicate(kind.name));
        }
        kinds.push(*kind);
    }
    KNOWN.set(Known { kinds, added }).map_err(|_| ExtendError::Late)
}

pub(crate) fn kinds() -> &'static [KindInfo] {
    &known().kinds
}

fn of_kind(kind: &str) -> Option<&'static Extension> {
    known().added.iter().find(|extension| extension.kind.name == kind)
}

/// What the page shows of stages of an added kind.
pub(crate) fn on_page(kind: &str) -> Option<Blocks> {
    of_kind(kind)?.page
}

/// What `runner show` says of stages of an added kind.
pub(crate) fn on_terminal(kind: &str) -> Option<Lines> {
    of_kind(kind)?.terminal
}
