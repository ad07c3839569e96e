//! # How we know that a result is current
//!
//! A stage sees only what its [`manifest::Manifest`] lists, so an equal manifest may reuse the result. Anything new that a stage may see
//! joins the manifest in the same commit. The manifest's digest is the cache key.
//!
//! | value | in the key | why |
//! |---|---|---|
//! | stage kind, its version, the engine's version | yes | code is an input; bumped when the same inputs give another result |
//! | parameters, parsed, defaulted, flattened in canonical order | yes | comments, key order and YAML style do not matter; a new default does |
//! | digests of the input columns that the stage declares it reads, by port; the number of rows, the schema's metadata if declared; outputs that are no tables | yes | identical output upstream means a hit downstream (early cutoff); a new CSV column that nobody reads invalidates nothing |
//! | content of source files, digest of encoders | yes | the bytes that the stage reads; the stat cache only spares reading them to decide |
//! | the stage's seed, or else the pipeline's (of the kinds that draw numbers), device class | yes | they can change the result |
//! | the pipeline's `metric`, `positive` and `costs`, where they are written (of the kinds that choose by them) | yes | they can change the result |
//! | names, kinds, versions, parameters (paths as written) and links of the stages that a report reads | yes, for that report only | it shows them |
//! | the pipeline behind the inputs, and the paths that it needs | yes, for `bundle` only | it carries them |
//! | stage name, pipeline name, paths of sources, thread count, time, host | no | they must not reach the result |
//!
//! One walk over the manifest feeds both the hash and the explanation, so `explain` cannot omit what the hash saw. Failed or killed stages
//! commit nothing. A commit is: blobs by temporary file + fsync + rename, then in the same way the record, which comes last of what counts; the delivered files
//! and the pointer that says what they are follow.
//!
//! **Freshness is decided from the files on disk.** The stat cache (`artifact::stamp`, `artifact::stat_cache`) takes a file for unchanged if its size, times
//! of modification and of change, device and inode are as they were, and only if both times were clearly older when the file was read; encoders'
//! sums follow the same rule. A stage gets a source's bytes through [`StageContext::source`], which hashes them: if they are not what the key
//! counts, the stage is decided on anew. What others read for it (a command's files) is hashed again after it. `--force` forgets the stamps.
//!
//! A blob is read and hashed, once per process, before a stage sees it or a restore copies it. One that is damaged is removed, and the
//! stage that made it runs again (`repair`): once, however many wait for it. Files for people are copies of blobs, by reference where the file
//! system shares blocks, so that whoever writes into one damages nothing else and is noticed by its stamp. `runner verify` hashes everything
//! and leaves nothing damaged in the store. Records may come from others: every name in one is checked when it is loaded.
//!
//! **Memos.** Inside a stage [`StageContext::memo`] is the one finer-grained cache: a training's state, a trial's curves, rows of embeddings. A memo's
//! key holds the stage's kind and version and all that the stage says its content depends on; it never holds names or times. A memo decides no result:
//! with `--force`, or where one is damaged or gone, the stage computes the same bytes without it. `gc` frees memos that no recent run used.
//!
//! **Locks.** Runs share the store under one kernel lock, and `gc` has it alone. An action is computed under a lock of its key, so that two runners
//! compute it once; who meets another's lock waits without a share of the budget. A stage's folder has a lock of its own while files are put there.
//! The kernel releases locks with their process, so there is nothing to clean up after a kill. `--locked` is something else: a plan that is
//! checked against the keys and outputs of a lock *file* (`lock`).
//!
//! **Large tables** are several files of 65,536 rows each, and their columns' digests are taken over the same parts: a part that an edit leaves as it
//! was is neither read nor written anew, and lies in the store once for all tables that hold it. Readers map one part at a time.
//!
//! The engine is a build system. It does not depend on learning, CSV or genres; it prints nothing, it emits [`event::Event`]s.

mod audit;
mod bind;
mod calendar;
mod check;
mod comments;
mod context;
mod dag;
mod decision;
mod divergence;
mod entry;
mod event;
mod execute;
mod fact;
mod forecast;
mod history;
mod input;
mod keys;
mod lineage;
mod lock;
pub mod machine;
mod manifest;
mod memory_probe;
pub mod patience;
mod placing;
mod plan;
mod plan_decisions;
mod port;
mod queue;
mod ranges;
mod ready_set;
mod reason;
mod record;
mod recorder;
mod repair;
mod resolve;
mod resources;
mod run;
mod stage;
mod stage_manifest;
mod work;
mod workspace;

pub use audit::{AuditOptions, Audited, audit};
pub use bind::{DISPLAY_NAME, SEED};
pub use calendar::utc;
pub use check::{CheckContext, InputShape};
pub use context::{Memo, StageContext};
pub use decision::{Decision, Status};
pub use divergence::{Divergence, divergences};
pub use entry::InputName;
pub use entry::{Entry, InputEntry};
pub use event::{Event, Outcome};
pub use fact::Fact;
pub use fact::Facts;
pub use forecast::{Basis, Forecast, Forecaster};
pub use history::{History, HistoryError, Run, RunOutcome, RunRecord, StageEntry};
pub use input::ViewedInput;
pub use input::{InputView, StageView, WholeStage};
pub use lineage::Lineage;
pub use lock::LockFile;
pub use manifest::{Change, Manifest};
pub use plan::{Plan, sources};
pub use plan_decisions::plan_decisions;
pub use port::{Accepts, Arity, External, InputPort, OutputPort, PortType, Reads, Report, Source, Threads};
pub use ranges::out_of_range;
pub use reason::{StaleReason, difference, shorten};
pub use record::{ActionRecord, FileRecord, OutputRecord, TableRecord};
pub use recorder::{Recorded, RunLabel, run_recorded};
pub use resources::{Memory, Resources};
pub use run::{RunOptions, RunSummary, run};
pub use stage::{Aim, Kind, KindInfo, Registry, Stage};
pub use workspace::Workspace;

pub use keys::parameter_paths;
pub use runner_spec::{Node, Problem, Span, Step, listed, steps, suggest, typed_as, typed_json};
