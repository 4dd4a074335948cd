//! One process among several that change one store.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use modelkeep::{
    Durability, ErrorKind, GcOptions, ImportOptions, ModelName, Reference, ShowOptions, Store,
    StoreOptions, VerifyOptions,
};

use crate::common::fixture;
use crate::history::{Call, Deed, Seen};

/// The names that everybody fights for.
pub const NAMES: [&str; 5] = ["a", "b", "b:other", "other/c", "host.example:80/d/e:f"];

/// The model that nobody changes.
pub const STABLE: &str = "stable";

pub const THREADS: usize = 3;

/// What a process is to do; it travels as words in the environment.
#[derive(Clone, Debug)]
pub struct Plan {
    pub root: PathBuf,
    pub history: PathBuf,
    pub seed: u64,
    /// Calls of each thread.
    pub calls: usize,
    pub delete_delay: Duration,
    /// Whether all processes take one lock, so that nobody ever sees a model without its blobs.
    pub locked: bool,
}

impl Plan {
    pub fn to_words(&self) -> String {
        let (root, history) = (self.root.display(), self.history.display());
        let delete_delay = self.delete_delay.as_millis();
        format!(
            "{root}\n{history}\n{}\n{}\n{delete_delay}\n{}",
            self.seed, self.calls, self.locked
        )
    }

    pub fn from_words(words: &str) -> Self {
        let words: Vec<&str> = words.lines().collect();
        let [root, history, seed, calls, delete_delay, locked] = words.as_slice() else {
            panic!("not a plan: {words:?}");
        };
        Plan {
            root: root.into(),
            history: history.into(),
            seed: seed.parse().unwrap(),
            calls: calls.parse().unwrap(),
            delete_delay: Duration::from_millis(delete_delay.parse().unwrap()),
            locked: *locked == "true",
        }
    }

    fn store(&self) -> Store {
        // Flushing changes no order, and takes as long as the disk is busy with somebody else's.
        let durable = match std::env::var_os("MODELKEEP_DURABLE") {
            Some(_) => Durability::Full,
            None => Durability::None,
        };
        let options = StoreOptions::new(&self.root).delete_delay(self.delete_delay);
        Store::open_with(options.durability(durable)).unwrap()
    }
}

/// The wall clock at the start and the steady one from there: comparable among processes.
#[derive(Clone, Copy)]
struct Clock(u64, Instant);

impl Clock {
    fn start() -> Self {
        let now = UNIX_EPOCH.elapsed().unwrap().as_nanos();
        Clock(u64::try_from(now).unwrap(), Instant::now())
    }

    fn now(self) -> u64 {
        self.0 + u64::try_from(self.1.elapsed().as_nanos()).unwrap()
    }
}

/// Pseudo-random numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// Does what the plan says and writes the history. Panics where a call fails in a way that no race
/// excuses.
pub fn work(plan: &Plan) {
    let clock = Clock::start();
    let store = plan.store();
    let calls: Vec<_> = thread::scope(|scope| {
        let one = |number| {
            let store = store.clone();
            scope.spawn(move || Worker::new(plan, number, store, clock).run())
        };
        let threads: Vec<_> = (0..THREADS).map(one).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.flat_map(Result::unwrap).collect()
    });
    let mut file = BufWriter::new(File::create(&plan.history).unwrap());
    for call in calls {
        writeln!(file, "{call}").unwrap();
    }
    file.flush().unwrap();
}

/// Shows and lists the stable model for as long as the others work: it never fails. Answers how
/// often it looked. Where all take one lock, no listed model ever lacks a blob, and a verification
/// takes nothing that is being deleted for damage.
pub fn watch(store: &Store, locked: bool, done: &AtomicBool) -> usize {
    let stable: Reference = STABLE.parse().unwrap();
    let mut looks = 0;
    while !done.load(Ordering::Relaxed) {
        let show = store.show(&stable, &ShowOptions::default());
        show.unwrap_or_else(|error| panic!("show of the stable model: {error}"));
        let listing = store.list().unwrap();
        let is_listed = |text: &str| listing.models.iter().any(|line| line.name == name(text));
        assert!(is_listed(STABLE), "{:?}", listing.problems);
        for line in listing.models.iter().filter(|_| locked) {
            assert_whole(store, &line.name);
        }
        if locked {
            let report = store.verify(&VerifyOptions::default()).unwrap();
            assert!(report.is_ok(), "{}", report.to_json().unwrap());
        }
        looks += 2;
    }
    looks
}

/// A model that is the same before and after the look had all its blobs in between.
fn assert_whole(store: &Store, name: &ModelName) {
    let reference = Reference::from(name.clone());
    let Ok(before) = store.model(&reference) else {
        return;
    };
    let paths = before.all_paths().unwrap();
    let missing: Vec<&PathBuf> = paths.iter().filter(|path| !path.exists()).collect();
    if missing.is_empty() {
        return;
    }
    if let Ok(after) = store.model(&reference) {
        let same = |model: &modelkeep::Model| model.manifest().id().to_owned();
        assert_ne!(same(&before), same(&after), "{name} lacks {missing:?}");
    }
}

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

struct Worker<'a> {
    plan: &'a Plan,
    store: Store,
    /// A store of its own, where it learns what its imports are going to be called.
    private: (tempfile::TempDir, Store),
    number: usize,
    dice: Dice,
    clock: Clock,
    calls: Vec<Call>,
}

impl<'a> Worker<'a> {
    fn new(plan: &'a Plan, number: usize, store: Store, clock: Clock) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(directory.path()).durability(Durability::None);
        let private = Store::open_with(options.delete_delay(Duration::ZERO)).unwrap();
        Worker {
            plan,
            store,
            private: (directory, private),
            number,
            dice: Dice(plan.seed.wrapping_mul(1000).wrapping_add(number as u64)),
            clock,
            calls: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Call> {
        for call in 0..self.plan.calls {
            match self.dice.below(20) {
                0..=5 => self.import(call),
                6..=9 => self.copy(),
                10..=13 => self.delete(),
                14..=15 => self.list(),
                16 => self.collect(),
                _ => self.look(),
            }
        }
        self.calls
    }

    fn note(&mut self, start: u64, deed: Deed) {
        let end = self.clock.now();
        self.calls.push(Call { start, end, deed });
    }

    fn any(&mut self) -> usize {
        self.dice.below(NAMES.len())
    }

    /// A content that nobody else writes, with a template that others share.
    fn import(&mut self, call: usize) {
        let Plan { seed, .. } = self.plan;
        let options = ImportOptions::new()
            .system(format!("{seed} {} {call}", self.number))
            .template(format!("{{{{ .Prompt }}}}{}", self.dice.below(3)))
            .replace(true);
        let content = self.content(&options);
        let replace = self.dice.below(2) == 0;
        let options = options.replace(replace);
        let to = self.any();
        let start = self.clock.now();
        match self.store.import(fixture(), name(NAMES[to]), &options) {
            Ok(imported) => self.note(start, Deed::Wrote(to, content, imported.replaced)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !replace => {
                self.note(start, Deed::Saw(to, Seen::Something));
            }
            Err(error) => assert_busy(&error),
        }
    }

    fn content(&self, options: &ImportOptions) -> String {
        let private = &self.private.1;
        private.import(fixture(), name("x"), options).unwrap();
        let model = private.model("x").unwrap();
        model.manifest().id().to_owned()
    }

    fn copy(&mut self) {
        let from = self.any();
        let to = (from + 1 + self.dice.below(NAMES.len() - 1)) % NAMES.len();
        let start = self.clock.now();
        match self.store.copy(&name(NAMES[from]), &name(NAMES[to])) {
            Ok(copied) => self.note(start, Deed::Copied(from, to, copied.replaced)),
            Err(error) => self.nothing(start, from, &error),
        }
    }

    fn delete(&mut self) {
        let which = self.any();
        let start = self.clock.now();
        match self.store.delete(NAMES[which]) {
            Ok(_) => self.note(start, Deed::Deleted(which)),
            Err(error) => self.nothing(start, which, &error),
        }
    }

    fn list(&mut self) {
        let start = self.clock.now();
        let listing = self.store.list().unwrap();
        let end = self.clock.now();
        for line in listing.models {
            let Some(which) = NAMES.iter().position(|text| name(text) == line.name) else {
                continue;
            };
            let deed = Deed::Saw(which, Seen::Content(line.digest));
            self.calls.push(Call { start, end, deed });
        }
    }

    fn collect(&mut self) {
        let grace = GcOptions::default().grace(Duration::ZERO);
        if let Err(error) = self.store.gc(&grace) {
            assert_busy(&error);
        }
    }

    fn look(&mut self) {
        let which = self.any();
        let reference: Reference = NAMES[which].parse().unwrap();
        let start = self.clock.now();
        match self.store.model(&reference) {
            Ok(model) => {
                let content = model.manifest().id().to_owned();
                self.note(start, Deed::Saw(which, Seen::Content(content)));
            }
            Err(error) => self.nothing(start, which, &error),
        }
        // Between the manifest and its blobs somebody may delete the model.
        if let Err(error) = self.store.show(&reference, &ShowOptions::default()) {
            let absent = [ErrorKind::NotFound, ErrorKind::FileNotFound];
            assert!(absent.contains(&error.kind()), "show: {error}");
        }
    }

    fn nothing(&mut self, start: u64, which: usize, error: &modelkeep::Error) {
        match error.kind() {
            ErrorKind::NotFound => self.note(start, Deed::Saw(which, Seen::Nothing)),
            _ => assert_busy(error),
        }
    }
}

/// Somebody else had the lock for half a minute: the disk is slow, and nothing was done.
fn assert_busy(error: &modelkeep::Error) {
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
}

/// The calls that the processes wrote down.
pub fn read(paths: &[PathBuf]) -> Vec<Call> {
    let lines = |path: &PathBuf| std::fs::read_to_string(path as &Path).unwrap();
    let calls = |text: String| -> Vec<Call> { text.lines().map(|l| l.parse().unwrap()).collect() };
    paths.iter().map(lines).flat_map(calls).collect()
}
