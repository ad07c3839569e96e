//! The room `spec` through its public door: one pipeline text in, a spec or rendered problems out.

mod agreement;
mod faults;
mod growth;
mod include;
mod instances;
mod pipeline;
mod rendering;
mod syntax;
mod templates;
mod typed;
mod typed_property;

use runner::spec::{self, PipelineSpec, Problems};
use serde_json::Value;

/// A pipeline text under test: `read("…").set("a=1").says()`.
struct Pipeline {
    text: String,
    sets: Vec<String>,
}

fn read(text: &str) -> Pipeline {
    Pipeline { text: text.to_string(), sets: Vec::new() }
}

impl Pipeline {
    fn set(mut self, set: &str) -> Self {
        self.sets.push(set.to_string());
        self
    }

    fn result(&self) -> Result<PipelineSpec, Problems> {
        spec::parse("full.yaml", &self.text, &self.sets)
    }

    #[track_caller]
    fn spec(&self) -> PipelineSpec {
        self.result().unwrap_or_else(|problems| panic!("a valid pipeline:\n{problems}"))
    }

    /// The whole rendered error.
    #[track_caller]
    fn says(&self) -> String {
        self.result().expect_err("a faulty pipeline").render(false)
    }

    /// The first lines of all problems, in order.
    fn messages(&self) -> Vec<String> {
        let problems = self.result().expect_err("a faulty pipeline");
        problems.list.into_iter().map(|p| p.message).collect()
    }

    #[track_caller]
    fn stages(self, expected: &[&str]) -> Self {
        let spec = self.spec();
        assert_eq!(spec.stages.keys().collect::<Vec<_>>(), expected);
        self
    }

    /// The body of a stage as JSON.
    #[track_caller]
    fn body(self, stage: &str, expected: Value) -> Self {
        assert_eq!(self.spec().stages[stage].body.to_json(), expected);
        self
    }

    #[track_caller]
    fn var(self, name: &str, expected: Value) -> Self {
        assert_eq!(self.spec().vars[name].to_json(), expected);
        self
    }

    /// Where a value of a stage was written, e.g. `full.yaml:3:7`.
    #[track_caller]
    fn written_at(self, stage: &str, path: &[&str], expected: &str) -> Self {
        let steps: Vec<spec::Step> = path
            .iter()
            .map(|part| match part.parse::<usize>() {
                Ok(index) => index.into(),
                Err(_) => (*part).into(),
            })
            .collect();
        let place = self.spec().position_of(stage, &steps);
        assert_eq!(place.as_deref(), Some(expected));
        self
    }
}
