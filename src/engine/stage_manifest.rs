//! The manifest of a stage: the one walk over everything that its result depends on. See the table at the head of `engine`.

use super::entry::{Entry, InputEntry, InputName};
use super::manifest::Manifest;
use super::port::{External, Reads};
use super::record::OutputRecord;
use super::workspace::{Known, Workspace};
use runner_artifact::Digest;

/// Changes of this engine that alter results bump it.
const ENGINE_VERSION: u32 = 1;

impl Workspace<'_> {
    /// Of a stage whose inputs are known as far as `known` says.
    pub(super) fn manifest(
        &self,
        i: usize,
        known: &Known,
        externals: &[Box<dyn External>],
        external_digests: &[String],
    ) -> anyhow::Result<Manifest> {
        let planned = &self.plan.stages[i];
        let (stage, kind) = (&planned.stage, planned.stage.kind());
        let mut manifest = Manifest::default();
        manifest.add(Entry::Engine, ENGINE_VERSION);
        manifest.add(Entry::Kind, kind.name);
        manifest.add(Entry::Version, kind.version);
        manifest.add(Entry::Device, self.device);
        if kind.seeded {
            manifest.add(Entry::Seed, planned.seed);
        }
        for (key, word) in &planned.aims {
            manifest.add(Entry::Aim(key), word);
        }
        let sources = planned.sources();
        let by_content: Vec<&str> = (sources.iter().map(|source| source.at.as_str()))
            .chain(externals.iter().map(|external| external.at()))
            .collect();
        manifest.add_parameters(&stage.params(), &|path| by_content.contains(&path));
        for source in &sources {
            let digest = self.store.stats().digest(&source.path).map_err(|error| {
                self.at(i, &source.at, anyhow::anyhow!("cannot read '{}': {error}", source.path.display()))
            })?;
            manifest.add(Entry::Source(source.at.clone()), digest);
        }
        if let Some(lineage) = &planned.lineage {
            manifest.add(Entry::Lineage, Digest::of(format!("{}\n{}", lineage.command, lineage.pipeline).as_bytes()));
            for path in &lineage.needed {
                manifest.add(Entry::Needed(path.display().to_string()), "");
            }
        }
        for (external, digest) in externals.iter().zip(external_digests) {
            manifest.add(Entry::External(external.at().to_owned()), digest);
        }
        for input in &planned.inputs {
            let name = input.name();
            // What the plan says of a whole stage is known before any of its outputs.
            if input.output.is_none() {
                let view = serde_json::to_string(&self.view(input.from))?;
                manifest.add(Entry::Input(name.clone(), InputEntry::Stage), view);
            }
            let Some(record) = &known[input.from] else { continue };
            match &input.output {
                Some(port) => {
                    let output = record.output(port).ok_or_else(|| {
                        anyhow::anyhow!("stage '{}' has no output '{port}'", self.plan.stages[input.from].name)
                    })?;
                    add_output(&mut manifest, name, output, planned.reads(input.port));
                }
                None => {
                    let warnings = &record.provenance.warnings;
                    if !warnings.is_empty() {
                        let warnings = serde_json::to_string(warnings)?;
                        manifest.add(Entry::Input(name.clone(), InputEntry::Warnings), warnings);
                    }
                    for output in &record.outputs {
                        let entry = Entry::Input(name.clone(), InputEntry::output(&output.port));
                        manifest.add(entry, output.digest());
                    }
                }
            }
        }
        Ok(manifest)
    }
}

fn add_output(manifest: &mut Manifest, name: InputName, output: &OutputRecord, reads: &Reads) {
    let Some(table) = &output.table else {
        return manifest.add(Entry::Input(name, InputEntry::Whole), output.digest());
    };
    let mut add = |what: InputEntry, value: String| manifest.add(Entry::Input(name.clone(), what), value);
    if matches!(reads, Reads::All | Reads::ColumnsAndMetadata(_)) {
        add(InputEntry::Metadata, table.metadata.to_string());
    }
    match reads {
        Reads::All => {
            for (column, digest) in &table.columns {
                add(InputEntry::Column(column.clone()), digest.to_string());
            }
        }
        Reads::Columns(names) | Reads::ColumnsAndMetadata(names) => {
            add(InputEntry::Rows, table.rows.to_string());
            for column in names {
                let digest = table.columns.iter().find(|(present, _)| present == column);
                let value = digest.map_or("absent".to_owned(), |(_, digest)| digest.to_string());
                add(InputEntry::Column(column.clone()), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use runner_artifact::Store;
    use serde::Serialize;

    use super::*;
    use crate::{CheckContext, InputPort, Kind, KindInfo, OutputPort, Plan, Registry, Stage, StageContext};

    #[derive(Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Nothing {}

    impl Stage for Nothing {
        const KIND: &'static str = "nothing";
        const VERSION: u32 = 7;
        const SUMMARY: &'static str = "nothing";
        const INPUTS: &'static [InputPort] = &[];

        fn outputs(&self) -> Vec<OutputPort> {
            Vec::new()
        }

        fn check(&self, _context: &mut CheckContext) {}

        fn run(&self, _context: &mut StageContext) -> anyhow::Result<()> {
            Ok(())
        }
    }

    static KINDS: &[KindInfo] = &[Nothing::INFO];

    #[test]
    fn the_engines_version_the_kind_and_its_version_are_in_every_key() {
        let spec = runner_spec::parse("toy.yaml", "stages: {a: {kind: nothing}}", &[]).unwrap();
        let plan = Plan::new(spec, Registry(KINDS)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
        let manifest = workspace.decide(0, &[None]).unwrap().manifest().cloned().unwrap();
        let entries = ["engine", "kind", "version", "device", "seed"].map(Entry::parse).into_iter();
        let entries: Vec<(Entry, String)> = entries.zip(["1", "nothing", "7", "cpu", "0"].map(String::from)).collect();
        assert_eq!(manifest.entries()[..5], entries, "a new engine version: say in CHANGELOG.md why results change");
    }
}
