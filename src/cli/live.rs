//! What a run shows while it works: a live line per running stage in a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::screen::{self, Style};
use crate::engine::{Event, Outcome, Plan};

pub(super) struct Live {
    bars: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
    style: Style,
    terminal: bool,
    width: usize,
}

impl Live {
    pub fn new(plan: &Plan, selected: &[usize]) -> Self {
        let width = selected.iter().map(|&i| plan.stages[i].name.chars().count()).max().unwrap_or(0);
        let terminal = std::io::stderr().is_terminal();
        Live { bars: MultiProgress::new(), running: Mutex::default(), style: Style::stderr(), terminal, width }
    }

    pub fn show(&self, event: Event) {
        match event {
            Event::Started { stage, reasons } => self.started(stage, &reasons),
            Event::Waiting { stage } => {
                let text = self.style.dim("waits for another runner that does the same");
                self.line(&format!("· {stage:width$}  {text}", width = self.width));
            }
            Event::Progress { stage, done, total, note } => self.progressed(&stage, done, total, note),
            Event::Warned { stage, message } => {
                self.line(&format!("{} {:width$}  {message}", self.style.warning("!"), stage, width = self.width));
            }
            Event::Finished { stage, outcome, seconds, error } => {
                if let Some(bar) = self.lock().remove(&stage) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.finished(&stage, outcome, seconds, error);
            }
        }
    }

    pub fn finish(&self) {
        let _ = self.bars.clear();
    }

    fn started(&self, stage: String, reasons: &[String]) {
        if !self.terminal {
            return;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        let template = "{spinner:.cyan} {prefix}  {elapsed:>4}  {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(format!("{stage:width$}", width = self.width));
        bar.set_message(reasons.first().cloned().unwrap_or_default());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.lock().insert(stage, bar);
    }

    fn progressed(&self, stage: &str, done: u64, total: u64, note: String) {
        let running = self.lock();
        let Some(bar) = running.get(stage) else { return };
        let elapsed = bar.elapsed().as_secs_f64();
        let left = if done > 0 && total > done && elapsed > 2.0 {
            let seconds = elapsed / done as f64 * (total - done) as f64;
            format!("  {} left", screen::duration(seconds))
        } else {
            String::new()
        };
        let share = if total > 0 { format!("{done}/{total}  ") } else { String::new() };
        bar.set_message(format!("{share}{note}{left}"));
    }

    fn finished(&self, stage: &str, outcome: Outcome, seconds: f64, error: Option<String>) {
        let time = screen::duration(seconds);
        let (mark, word) = match outcome {
            Outcome::Ran => (self.style.good("✓"), format!("ran       {time:>9}")),
            Outcome::Restored => (self.style.accent("↺"), format!("restored  {time:>9}")),
            Outcome::Fresh => return,
            Outcome::Failed => (self.style.error("✗"), "failed".to_owned()),
            Outcome::Interrupted => (self.style.warning("◦"), format!("interrupted after {time}")),
            Outcome::Blocked => (self.style.dim("·"), self.style.dim("blocked by what failed")),
        };
        self.line(&format!("{mark} {stage:width$}  {word}", width = self.width));
        for line in error.iter().flat_map(|error| error.lines()) {
            self.line(&format!("  {}", self.style.error(line)));
        }
    }

    fn line(&self, text: &str) {
        if !self.terminal || self.bars.println(text).is_err() {
            eprintln!("{text}");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
