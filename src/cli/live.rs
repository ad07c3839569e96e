//! What a run shows while it works: a live line per running stage in a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::output;
use super::super::screen::{self, Style};
use crate::boundary::text::quoted;
use crate::engine::{Event, Outcome, Plan};

/// A running stage: its line, and where its present stretch of work began. What an earlier run left, or another phase did, says nothing of the speed.
struct Running {
    bar: ProgressBar,
    stretch: Option<Stretch>,
}

struct Stretch {
    begun: Instant,
    first: u64,
    last: u64,
    total: u64,
    unit: String,
}

impl Stretch {
    /// Goes on, or begins anew where the count does.
    fn advance(stretch: Option<Stretch>, done: u64, total: u64, unit: &str) -> Stretch {
        match stretch {
            Some(stretch) if stretch.total == total && stretch.unit == unit && done >= stretch.last => {
                Stretch { last: done, ..stretch }
            }
            _ => Stretch { begun: Instant::now(), first: done, last: done, total, unit: unit.to_owned() },
        }
    }

    /// `3/40 epochs  2.1/s  18 s left  `, as far as known: the rate from the second notice on, when it means something.
    fn text(&self) -> String {
        let share =
            if self.total > 0 { format!("{}/{} {}  ", self.last, self.total, self.unit) } else { String::new() };
        pace(self.last - self.first, self.total.saturating_sub(self.last), self.begun.elapsed().as_secs_f64())
            .map_or(share.clone(), |pace| format!("{share}{pace}  "))
    }
}

/// The rate of `done` units in `seconds` and the time that `left` more will take; nothing within the first second.
fn pace(done: u64, left: u64, seconds: f64) -> Option<String> {
    if done == 0 || seconds < 1.0 {
        return None;
    }
    let rate = done as f64 / seconds;
    // More digits would only flicker.
    let rate_text = if rate >= 10.0 {
        format!("{rate:.0}/s")
    } else if rate >= 1.0 {
        format!("{rate:.1}/s")
    } else {
        format!("{} each", screen::duration(1.0 / rate))
    };
    Some(if left > 0 {
        let seconds = (left as f64 / rate).ceil();
        // An estimate has no decimals.
        let time = if seconds < 60.0 { format!("{seconds} s") } else { screen::duration(seconds) };
        format!("{rate_text}  {time} left")
    } else {
        rate_text
    })
}

pub(super) struct Live {
    bars: MultiProgress,
    running: Mutex<HashMap<String, Running>>,
    style: Style,
    terminal: bool,
    width: usize,
}

impl Live {
    pub(super) fn new(plan: &Plan, selected: &[usize]) -> Self {
        let width = selected.iter().map(|&i| screen::visible(&quoted(&plan.stages[i].name))).max().unwrap_or(0);
        let terminal = std::io::stderr().is_terminal();
        Live { bars: MultiProgress::new(), running: Mutex::default(), style: Style::stderr(), terminal, width }
    }

    pub(super) fn show(&self, event: Event) {
        match event {
            Event::Started { stage, reasons } => self.started(stage, &reasons),
            Event::Waiting { stage } => {
                let text = self.style.dim("waits for another runner that does the same");
                self.line(&format!("· {}  {text}", self.name(&stage)));
            }
            Event::Progress { stage, done, total, unit, note } => {
                self.progressed(&stage, (done, total, &unit), &note);
            }
            Event::Warned { stage, message } => {
                let lead = format!("{} {}  ", self.style.warning("!"), self.name(&stage));
                // Elsewhere than in a terminal a warning keeps to its line.
                let width = if self.terminal { screen::width() } else { usize::MAX };
                self.line(screen::wrap(&quoted(&message), &lead, width).trim_end());
            }
            Event::Finished { stage, outcome, seconds, error, .. } => {
                if let Some(Running { bar, .. }) = self.lock().remove(&stage) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.finished(&stage, outcome, seconds, error);
            }
        }
    }

    pub(super) fn finish(&self) {
        let _ = self.bars.clear();
    }

    fn started(&self, stage: String, reasons: &[String]) {
        if !self.terminal {
            return;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        // A wide message is cut where the terminal ends; another would run on into the next line.
        let template = "{spinner:.cyan} {prefix}  {elapsed:>4}  {wide_msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(self.name(&stage));
        bar.set_message(reasons.first().map(|reason| quoted(reason).into_owned()).unwrap_or_default());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.lock().insert(stage, Running { bar, stretch: None });
    }

    fn progressed(&self, stage: &str, (done, total, unit): (u64, u64, &str), note: &str) {
        let mut running = self.lock();
        let Some(running) = running.get_mut(stage) else { return };
        let stretch = Stretch::advance(running.stretch.take(), done, total, unit);
        // The note comes last: it is what a narrow terminal cuts.
        running.bar.set_message(format!("{}{}", stretch.text(), quoted(note)));
        running.stretch = Some(stretch);
    }

    fn finished(&self, stage: &str, outcome: Outcome, seconds: f64, error: Option<String>) {
        let time = screen::duration(seconds);
        let (mark, word) = match outcome {
            Outcome::Ran => (self.style.good("✓"), format!("ran       {time:>9}")),
            Outcome::Restored => (self.style.accent("↺"), format!("restored  {time:>9}")),
            Outcome::Fresh => return,
            Outcome::Failed => (self.style.error("✗"), "failed".to_owned()),
            Outcome::Interrupted => (self.style.warning("◦"), format!("interrupted after {time}")),
            Outcome::NotReached => (self.style.dim("·"), self.style.dim("not reached")),
            Outcome::Blocked => (self.style.dim("·"), self.style.dim("blocked by what failed")),
        };
        self.line(&format!("{mark} {}  {word}", self.name(stage)));
        for line in error.iter().flat_map(|error| error.lines()) {
            self.line(&format!("  {}", self.style.error(line)));
        }
    }

    fn line(&self, text: &str) {
        if !self.terminal || self.bars.println(output::rendered(text)).is_err() {
            super::super::eprint(&format!("{text}\n"));
        }
    }

    /// A stage's name in a column as wide as the widest.
    fn name(&self, stage: &str) -> String {
        screen::pad(&quoted(stage), self.width)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_told_once_it_means_something() {
        assert_eq!(pace(0, 40, 5.0), None);
        assert_eq!(pace(3, 40, 0.5), None);
        assert_eq!(pace(10, 30, 5.0).as_deref(), Some("2.0/s  15 s left"));
        assert_eq!(pace(2, 3, 8.0).as_deref(), Some("4.00 s each  12 s left"));
        assert_eq!(pace(1, 20, 8.0).as_deref(), Some("8.00 s each  2 min 40 s left"));
        assert_eq!(pace(10, 0, 5.0).as_deref(), Some("2.0/s"));
        assert_eq!(pace(4703, 0, 5.0).as_deref(), Some("941/s"));
    }

    #[test]
    fn a_count_that_begins_anew_or_was_there_before_is_no_speed() {
        let resumed = Stretch::advance(None, 30, 40, "epochs");
        assert_eq!((resumed.first, resumed.last), (30, 30));
        let on = Stretch::advance(Some(resumed), 31, 40, "epochs");
        assert_eq!(on.text(), "31/40 epochs  ");
        assert_eq!((on.first, on.last), (30, 31));
        let phase = Stretch::advance(Some(on), 1, 500, "epochs");
        assert_eq!((phase.first, phase.last), (1, 1));
        let other = Stretch::advance(Some(phase), 5, 500, "texts");
        assert_eq!(other.first, 5);
    }
}
