//! `command`: a program of the user's as a stage of the DAG, e.g. a Python script.
//!
//! The program is shown copies of its inputs and gives files; it is in the cache like any other stage.

mod declared;
pub(super) mod environment;
mod foreign;
mod orphans;
mod outputs;
pub(super) mod process;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use environment::Variable;
use outputs::Files;
use process::{End, Program};
use runner_boundary::text::{Lines, yaml};
use runner_engine::{Accepts, Arity, CheckContext, External, InputPort, OutputPort, Source, Stage, StageContext};
use runner_names::Folder;
use words::Word;

/// Runs a program. It is found as a shell would find it, but there is no shell: each word reaches it as it is. In the words, `{NAME}` is the
/// path of an input and `{out}` the folder for outputs; `{{NAME}}` stands for a literal `{NAME}`, and all other braces for themselves.
///
/// The program starts in the folder where runner was started, with nothing on its standard input, and sees read-only copies of its inputs in
/// a scratch folder that is removed afterwards. What it prints is shown while it runs and not kept. It runs anew when a word, an input, a
/// declared file or variable, or `outputs` changes; of the program itself only the name counts, so bump a word (e.g. `--version 2`) after an
/// upgrade that matters. Ctrl-C, a failure elsewhere or `timeout` end it with all that it started: its process group first politely
/// (SIGTERM), after 0.3 s by force; on Linux also who left the group, once no other program runs. If runner itself is killed by force, the program runs on until it ends or prints; nothing of it is kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    /// The program and its arguments, e.g. `[python3, scripts/cluster.py, "{rows}", "{out}/clusters.arrow", --k, 5]`; quote words with
    /// braces. `{NAME}` is the file of an input, or a folder where the input has several files; an input that names several stages needs a
    /// word of its own, which becomes several. Words that name existing files count by their content too.
    #[schemars(length(min = 1))]
    run: Vec<Word>,
    /// Further files whose content counts, e.g. a module that the script imports, or a folder with all files in it (but
    /// hidden ones and `__pycache__`); paths count from where runner is started.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    files: Vec<String>,
    /// What the program writes in `{out}`, by the name of a port: a file's name, or a list of names. An `.arrow` file (Arrow IPC, uncompressed)
    /// is a table, kept as `PORT.arrow`; `.json` is JSON, `.safetensors` a model, anything else a file.
    #[schemars(with = "BTreeMap<String, Files>", extend("minProperties" = 1))]
    outputs: IndexMap<String, Files>,
    /// Environment variables to pass on; their values count. Besides them the program sees only PATH, HOME, LANG and TMPDIR, which do not.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    env: Vec<String>,
    /// Seconds after which the program is ended and the stage fails; not part of the cache key.
    // Not serialised, so that it stays out of the canonical parameters: it can prevent a result, not change one.
    #[serde(default, skip_serializing)]
    #[schemars(range(min = 0.001, max = 1e12))]
    timeout: Option<f64>,
}

const INPUTS: &str = "inputs";
const OUT: &str = "out";

impl Stage for Command {
    const KIND: &'static str = "command";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a program of yours, e.g. a Python script";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: INPUTS,
        accepts: Accepts::Any,
        arity: Arity::Named,
        summary: "what the program reads, by names for `{NAME}`: references to any ports, e.g. `{rows: folds, model: numeric.model}`",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        self.outputs.iter().map(|(port, files)| OutputPort::new(port, files.holds())).collect()
    }

    fn sources(&self) -> Vec<Source> {
        let mut seen = BTreeSet::new();
        // Quoted, since what stands behind the dot is the file's name and not a place in the list: the name itself counts as well.
        let files = self.files.iter().flat_map(|path| declared::files(path).unwrap_or_else(|_| vec![path.clone()]));
        let files = files.map(|path| (format!("files.'{path}'"), path));
        let words = self.files_in_words().map(|path| (format!("run.'{path}'"), path));
        let sources = files.chain(words).filter(|(_, path)| seen.insert(path.clone()));
        sources.map(|(at, path)| Source { at, path: PathBuf::from(path) }).collect()
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        let external = |name: &String| -> Box<dyn External> { Box::new(Variable::new(name)) };
        self.env.iter().map(external).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        self.check_words(context);
        for (i, path) in self.files.iter().enumerate() {
            if let Some(problem) = declared::unreadable(path) {
                let help = "paths count from where runner is started".to_owned();
                let message = format!("cannot read '{path}': {problem}");
                context.source_problem(&["files", &i.to_string()], format!("file {path}"), message, Some(help));
            }
        }
        outputs::check(&self.outputs, context);
        for (i, name) in self.env.iter().enumerate() {
            if !environment::is_name(name) {
                let message = format!("'{name}' is not the name of an environment variable");
                let help = "name variables only, e.g. CUDA_VISIBLE_DEVICES; their values are taken from where runner is started";
                context.problem(&["env", &i.to_string()], message, Some(help.to_owned()));
            }
        }
        if let Some(seconds) = self.timeout
            && Duration::try_from_secs_f64(seconds).map_or(true, |timeout| timeout.is_zero())
        {
            context.problem(&["timeout"], format!("a timeout of {seconds} s"), Some("give seconds above 0".to_owned()));
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let scratch = context.scratch()?;
        let out = scratch.path().join(OUT);
        std::fs::create_dir(&out).with_context(|| format!("cannot create '{}'", out.display()))?;
        let mut values = lay_out_inputs(context, scratch.path())?;
        values.insert(OUT.to_owned(), vec![text(&out)?]);
        let words = words::expand(&self.run, &values)?;
        let program = Program {
            words: &words,
            environment: environment::of(&self.env),
            // Beyond what a clock can count is never.
            timeout: self.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        };
        let run = process::run(&program, context.report()).with_context(|| format!("cannot start '{}'", words[0]));
        let (end, said) = run.map_err(|error| context.placed("run", error))?;
        let failed = |what: String| {
            let colon = if said.is_empty() { "" } else { ":" };
            let lines = std::iter::once(format!("{what}{colon}")).chain(said.iter().map(|line| format!("  {line}")));
            Err(context.placed("run", Lines::new(lines)))
        };
        match end {
            End::Done => {}
            End::Cancelled => bail!("interrupted"),
            End::TimedOut => {
                let seconds = self.timeout.unwrap_or_default();
                return failed(format!(
                    "'{}' was ended after {seconds} s (raise `timeout` if it needs longer)",
                    words[0]
                ));
            }
            End::Failed(how) => return failed(format!("'{}' ended with {how}", words[0])),
        }
        outputs::take(&self.outputs, &out, context)?;
        let ports: Vec<&str> = self.outputs.keys().map(String::as_str).collect();
        context.headline(format!("wrote {}", ports.join(", ")));
        Ok(())
    }
}

impl Command {
    fn check_words(&self, context: &mut CheckContext) {
        if self.run.first().is_none_or(|word| word.text().is_empty()) {
            context.problem(&["run"], "no program to run", Some("e.g. `run: [python3, script.py]`".to_owned()));
            return;
        }
        for (i, _) in self.run.iter().enumerate().filter(|(_, word)| word.text().contains('\0')) {
            let help = "words of a program cannot hold it: write such text to a file, and name that".to_owned();
            context.problem(&["run", &i.to_string()], "a NUL character in a word", Some(help));
        }
        // Results that are known need no program, so it may be missing; `{…}` stands for one that is made.
        let program = self.run[0].text();
        if words::placeholders(&program).is_empty()
            && let Some((message, help)) = environment::fault_of_program(&program)
        {
            context.warn(&["run", "0"], message, Some(help));
        }
        let known = self.sources();
        for (i, word) in self.run.iter().enumerate().skip(1) {
            let word = word.text();
            let unnoticed = declared::named_in(&word).into_iter();
            let unnoticed = unnoticed.filter(|path| known.iter().all(|source| !source.path.starts_with(path)));
            for path in unnoticed {
                let message = format!("whether '{}' changes is not noticed", path.display());
                let help = format!("name it under `files: [{}]` too", yaml(&path.display().to_string()));
                context.warn(&["run", &i.to_string()], message, Some(help));
            }
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for label in context.inputs(INPUTS).iter().filter_map(|shape| shape.label.clone()) {
            *counts.entry(label).or_default() += 1;
        }
        let mut folder = Folder::default();
        for name in counts.keys().cloned().collect::<Vec<_>>() {
            if name == OUT || !words::is_name(&name) {
                let message = format!("an input cannot be named '{name}'");
                let help = "names are letters, digits, '_' and '-'; `{out}` is the folder for outputs".to_owned();
                context.problem(&[INPUTS, &name], message, Some(help));
            } else {
                context.file_name(&[INPUTS, &name], &mut folder, &name, "");
            }
        }
        counts.insert(OUT.to_owned(), 1);
        let (mut writes, mut is_unknown) = (false, false);
        for (i, word) in self.run.iter().enumerate() {
            let named = words::placeholders(&word.text());
            writes |= named.contains(&OUT.to_owned());
            // Which may be meant for it.
            is_unknown |= named.iter().any(|name| !counts.contains_key(name));
            for (message, help) in words::check(&word.text(), &counts) {
                context.problem(&["run", &i.to_string()], message, Some(help));
            }
        }
        if !writes && !is_unknown && !self.outputs.is_empty() {
            let help = "write e.g. \"{out}/result.json\" where the program takes the path of its output".to_owned();
            context.problem(&["run"], "no word holds `{out}`, so the program cannot know where to write", Some(help));
        }
    }

    /// Words that name files. The program itself only if it is given by a relative path: one found on PATH belongs to the machine.
    fn files_in_words(&self) -> impl Iterator<Item = String> {
        let words = self.run.iter().map(Word::text).enumerate();
        words.filter_map(|(i, word)| {
            let path = Path::new(&word);
            let own = i > 0 || (word.contains('/') && path.is_relative());
            (own && words::placeholders(&word).is_empty() && path.is_file()).then_some(word)
        })
    }
}

/// Copies every input into a folder of its own and returns the paths by the inputs' names.
fn lay_out_inputs(context: &StageContext, scratch: &Path) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut values = BTreeMap::new();
    for (name, views) in context.named_inputs(INPUTS) {
        let mut paths = Vec::with_capacity(views.len());
        for (i, view) in views.iter().enumerate() {
            let mut folder = scratch.join("in").join(name);
            if views.len() > 1 {
                folder = folder.join(i.to_string());
            }
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot create '{}'", folder.display()))?;
            let files = view.copy_into(&folder)?;
            paths.push(text(match files.as_slice() {
                [only] => only,
                _ => &folder,
            })?);
        }
        values.insert(name.to_owned(), paths);
    }
    Ok(values)
}

fn text(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.with_context(|| format!("'{}' is not UTF-8: choose another --artifacts folder", path.display()))
}
