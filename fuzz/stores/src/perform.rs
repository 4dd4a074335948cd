//! A process that makes the calls of a plan, one for each line on its standard input.

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use modelkeep::{
    CopyMode, Digest, Durability, GcOptions, ImportOptions, ModelName, Reference, Report,
    ShowOptions, Store, StoreOptions, VerifyOptions,
};

use crate::call::{Call, Collect, Import, Open, Source};
use crate::content;
use crate::foreign;
use crate::place::Case;
use crate::plan::Plan;

/// What a call returned, in a line.
type Answer = Result<String, modelkeep::Error>;

/// A process of a case.
pub struct Performer {
    case: Case,
    store: Option<Store>,
    report: Option<Report>,
}

impl Performer {
    /// Makes the calls of `process` from the call of number `from` on. For each line on standard
    /// input it writes one: `ok` or `err`, the most memory so far in KiB, and what was returned.
    pub fn run(case: Case, process: usize, from: usize) -> io::Result<()> {
        let text = fs::read_to_string(case.root.join("plan"))?;
        let plan = Plan::parse(&text).map_err(io::Error::other)?;
        let mut performer = Performer {
            case,
            store: None,
            report: None,
        };
        let mut lines = io::stdin().lines();
        for step in plan.steps(process).into_iter().skip(from) {
            if lines.next().transpose()?.is_none() {
                return Ok(());
            }
            let answer = performer.call(&step.call);
            let (word, text) = match &answer {
                Ok(text) => ("ok", text.clone()),
                Err(error) => ("err", format!("{:?} {error}", error.kind())),
            };
            let text = text.replace('\n', " ");
            writeln!(io::stdout().lock(), "{word} {} {text}", peak_memory())?;
        }
        // The last answer is read before the process ends.
        drop(lines.next());
        Ok(())
    }

    fn store(&mut self) -> Result<Store, modelkeep::Error> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        self.open(Open::default())
    }

    fn open(&mut self, open: Open) -> Result<Store, modelkeep::Error> {
        let durability = if open.durable {
            Durability::Full
        } else {
            Durability::None
        };
        let options = StoreOptions::new(self.case.store())
            .durability(durability)
            .delete_delay(Duration::from_millis(open.delay))
            .mmap(!open.reads)
            .read_only(open.read_only);
        let store = Store::open_with(options)?;
        self.store = Some(store.clone());
        Ok(store)
    }

    fn call(&mut self, call: &Call) -> Answer {
        match call {
            Call::Open(open) => self.open(*open).map(|_| String::new()),
            call if call.is_foreign() => Ok(foreign::perform(&self.case, call)),
            Call::VerifyKept => {
                self.report = Some(verify(&self.store()?, &VerifyOptions::default())?);
                Ok(String::new())
            }
            Call::RepairKept => {
                let report = self.report.take().unwrap_or_default();
                Ok(self.store()?.repair(&report)?.to_json()?)
            }
            Call::Import(import) => self.import(import),
            call if call.is_change() => change(&self.store()?, call),
            call => read(&self.store()?, call),
        }
    }

    fn import(&mut self, import: &Import) -> Answer {
        let store = self.store()?;
        let name: ModelName = import.name.parse()?;
        let copy_mode = match import.link {
            true => CopyMode::HardLink,
            false => CopyMode::default(),
        };
        let options = ImportOptions::new()
            .replace(import.replace)
            .copy_mode(copy_mode);
        let inputs = self.case.root.join("in");
        let number = match &import.source {
            Source::File(number) | Source::Modelfile(number) => *number,
            Source::Model(_) => 0,
        };
        let at = |e| modelkeep::Error::io("writing", &inputs, e);
        let weights = inputs.join(format!("{number}.gguf"));
        if !weights.exists() {
            foreign::write_whole(&weights, &content::blob(number)).map_err(at)?;
        }
        let modelfile = inputs.join(format!("Modelfile-{}", std::process::id()));
        let imported = match &import.source {
            Source::File(_) => store.import(&weights, &name, &options)?,
            source => {
                let from = match source {
                    Source::Model(model) => model.clone(),
                    _ => format!("./{number}.gguf"),
                };
                let text = format!("FROM {from}\nSYSTEM \"be {}\"\n", import.name);
                fs::write(&modelfile, text).map_err(at)?;
                store.import_modelfile(&modelfile, &name, &options)?
            }
        };
        listed(&store, &imported.name)
    }
}

fn reference(name: &str) -> Result<Reference, modelkeep::Error> {
    name.parse()
}

fn read(store: &Store, call: &Call) -> Answer {
    let done = String::new();
    match call {
        Call::List => Ok(store.list()?.models.len().to_string()),
        Call::Show(name) => {
            store.show(&reference(name)?, &ShowOptions::default().verbose(true))?;
            Ok(done)
        }
        Call::Path(name) => Ok(store
            .model(&reference(name)?)?
            .manifest()
            .size()
            .to_string()),
        Call::Usage => Ok(store.usage()?.to_json()?),
        Call::Doctor => Ok(store.doctor()?.to_json()?),
        Call::Verify => verify(store, &VerifyOptions::default().gguf(true)).map(|_| done),
        Call::VerifyRemembered => {
            verify(store, &VerifyOptions::default().use_cache(true)).map(|_| done)
        }
        Call::VerifyModel(name) => {
            let models = vec![reference(name)?];
            verify(store, &VerifyOptions::default().models(models)).map(|_| done)
        }
        Call::Collect(options) => Ok(store.gc(&collection(*options))?.to_json()?),
        _ => Ok(done),
    }
}

fn change(store: &Store, call: &Call) -> Answer {
    let done = String::new();
    match call {
        Call::Repair => {
            let report = verify(store, &VerifyOptions::default())?;
            Ok(store.repair(&report)?.to_json()?)
        }
        Call::Remove(names) => {
            let references: Result<Vec<_>, _> = names.iter().map(|name| reference(name)).collect();
            match references?.as_slice() {
                [one] => Ok(store.delete(one)?.to_json()?),
                all => Ok(store.delete_all(all)?.to_json()?),
            }
        }
        Call::Copy(from, to) => {
            let copied = store.copy(from, to)?;
            listed(store, &copied.to)
        }
        Call::AddBlob { content, expected } => {
            let expected: Digest = format!("sha256:{}", content::hex(*expected)).parse()?;
            let bytes = content::blob(*content);
            store.add_blob(&mut &*bytes, Some(&expected)).map(|_| done)
        }
        Call::Collect(options) => Ok(store.gc(&collection(*options))?.to_json()?),
        Call::Maintain => store.maintain().map(|_| done),
        Call::RenameOld => Ok(store.rename_old_blobs()?.len().to_string()),
        _ => Ok(done),
    }
}

/// Says how a name is stored, and whether the list has it.
fn listed(store: &Store, name: &ModelName) -> Answer {
    let listing = store.list()?;
    let is_listed = listing.models.iter().any(|model| model.name == *name);
    let is_known = listing
        .problems
        .iter()
        .any(|problem| problem.name() == Some(name));
    let [host, namespace, model, tag] = name.parts();
    let word = if is_listed {
        "listed"
    } else if is_known {
        "problem"
    } else {
        "unlisted"
    };
    Ok(format!("{word} {host}/{namespace}/{model}/{tag}"))
}

fn collection(options: Collect) -> GcOptions {
    GcOptions::default()
        .grace(Duration::from_secs(options.grace))
        .dry_run(options.dry_run)
        .partials(options.partials)
        .quarantine(options.quarantine)
        .all(options.all)
}

fn verify(store: &Store, options: &VerifyOptions) -> Result<Report, modelkeep::Error> {
    store.verify(options)
}

/// Returns the most memory that this process has had, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}
