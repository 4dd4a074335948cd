//! What is strange in a store.

use super::Inventor;

/// Names that no model has, but a file may.
const ODD: [&str; 14] = [
    ".hidden", "-x", "%20", "a%20b", "%ff%fe", "%c3%a9", "..a", "a%0ab", "sha256", "tmp.new",
    ".tmp-1", "a%5bb", "%1b[31m", "a:b:c",
];

const DROPPINGS: [&str; 10] = [
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "lost+found",
    ".snapshot",
    ".zfs",
    ".Trash-1000",
    "$RECYCLE.BIN",
    ".fseventsd",
    "._a",
];

impl Inventor {
    /// Adds one strange thing.
    pub(super) fn oddity(&mut self) {
        match self.rng.usize(..18) {
            0..4 => self.linked(),
            4 => self.moved(),
            5 => self.shared_blobs(),
            6..8 => self.odd_name(),
            8 => self.dropping(),
            9..11 => self.own(),
            11 => self.special(),
            12 => self.partial(),
            13 => self.closed(),
            14 => self.spellings(),
            15 => self.aliases(),
            16 => self.stray(),
            _ => self.model(),
        }
    }

    /// A link in the place of something, which is lost.
    fn linked(&mut self) {
        let (place, depth) = self.place();
        let target = self.target(depth);
        self.line(format!("rm {place}"));
        self.line(format!("link {place} {target}"));
    }

    /// A link in the place of something that has moved, perhaps to where it is not any more.
    fn moved(&mut self) {
        let (place, _) = self.place();
        let place = if self.once_in(3) {
            "store/blobs".to_owned()
        } else {
            place
        };
        let to = self.pick(&["elsewhere/moved", "other/moved"]);
        self.line(format!("mv {place} {to}"));
        self.line(format!("link {place} @{to}"));
        if self.once_in(2) {
            self.line(format!("mv {to} {to}-gone"));
        }
    }

    /// Another store whose blobs these are.
    fn shared_blobs(&mut self) {
        let to = self.pick(&["elsewhere/second", "other/second"]);
        let (content, form) = (self.content(), self.form());
        self.line(format!(
            "file {to}/manifests/hf.co/team/shared/latest {form}:{content}"
        ));
        self.line(format!("mv store/blobs {to}/blobs"));
        self.line(format!("link store/blobs @{to}/blobs"));
        self.line(format!("file {to}/blobs/sha256-${content} blob:{content}"));
    }

    fn odd_name(&mut self) {
        let long = "n".repeat([81, 96, 200, 255][self.rng.usize(..4)]);
        let odd = if self.once_in(2) {
            long
        } else {
            self.pick(&ODD).to_owned()
        };
        let mut parts = ["registry.ollama.ai", "library", "odd", "latest"].map(str::to_owned);
        parts[self.rng.usize(..4)] = odd;
        let (content, form) = (self.content(), self.form());
        self.line(format!("file store/blobs/sha256-${content} blob:{content}"));
        self.line(format!(
            "file store/manifests/{} {form}:{content}",
            parts.join("/")
        ));
    }

    fn dropping(&mut self) {
        let name = self.pick(&DROPPINGS);
        let place = if self.once_in(3) {
            "store/blobs".to_owned()
        } else {
            self.place().0
        };
        match self.rng.usize(..3) {
            0 => self.line(format!("dir {place}/{name}/inside")),
            1 => self.line(format!("file {place}/{name} text:%00%00%00%01Bud1")),
            _ => {
                let content = self.content();
                self.line(format!("file {place}/{name}/a/b/c plain:{content}"));
            }
        }
    }

    /// Something in our own directory.
    fn own(&mut self) {
        let content = self.content();
        let own = if self.once_in(4) {
            "store/blobs/.modelkeep"
        } else {
            "store/.modelkeep"
        };
        let place = self.pick(&[
            "",
            "/tmp",
            "/trash",
            "/quarantine",
            "/lock",
            "/verified.json",
            "/tmp/77-0-18f00",
            "/trash/x",
            "/quarantine/x",
            "/tmp/x",
        ]);
        let blob = format!("{own}/trash/sha256-${content}");
        let place = if self.once_in(3) {
            blob
        } else {
            format!("{own}{place}")
        };
        match self.rng.usize(..9) {
            0 => self.line(format!("fifo {place}")),
            1 => self.line(format!("dir {place}/inside")),
            2 => self.line(format!("dir {place}")),
            3 => self.line(format!("link {place} @sentinel/dir")),
            4 => self.line(format!("link {place} @sentinel/file")),
            5 => self.line(format!("link {place} gone")),
            6 => self.line(format!("file {place} zeros:20000000")),
            7 => self.line(format!("file {place} flip:{content}")),
            _ => self.line(format!("file {place} blob:{content}")),
        }
        if self.once_in(2) {
            self.line(format!("age 7200 {place}"));
        }
    }

    /// A FIFO or a directory where a file should be.
    fn special(&mut self) {
        let content = self.content();
        let place = match self.rng.usize(..3) {
            0 => format!("store/blobs/sha256-${content}"),
            1 => "store/blobs/strange".to_owned(),
            _ => self.place().0,
        };
        self.line(format!("rm {place}"));
        match self.rng.usize(..3) {
            0 => self.line(format!("dir {place}")),
            1 => self.line(format!("dir {place}/inside")),
            _ => self.line(format!("fifo {place}")),
        }
    }

    fn partial(&mut self) {
        let content = self.content();
        let ending = self.pick(&[
            "-partial",
            "-partial-0",
            "-partial-17",
            "-partial-x",
            ".part",
        ]);
        self.line(format!(
            "file store/blobs/sha256-${content}{ending} zeros:5000"
        ));
        self.line("file store/blobs/sha256-123456789 text:x".to_owned());
        if self.once_in(2) {
            self.line(format!("age 7200 store/blobs/sha256-${content}{ending}"));
        }
    }

    fn closed(&mut self) {
        let content = self.content();
        let place = match self.rng.usize(..4) {
            0 => "store/blobs".to_owned(),
            1 => format!("store/blobs/sha256-${content}"),
            2 => "store/.modelkeep".to_owned(),
            _ => self.place().0,
        };
        let mode = self.pick(&["000", "444", "555", "300"]);
        self.line(format!("mode {mode} {place}"));
    }

    /// One digest under two names.
    fn spellings(&mut self) {
        let content = self.content();
        let [new, old] = [self.pick(&["blob", "flip"]), self.pick(&["blob", "cut"])];
        self.line(format!(
            "file store/blobs/sha256-${content} {new}:{content}"
        ));
        self.line(format!(
            "file store/blobs/sha256:${content} {old}:{content}"
        ));
    }

    /// Two names of one manifest.
    fn aliases(&mut self) {
        let ((from, _), (to, typed)) = (self.name(), self.name());
        let (content, how) = (self.content(), self.pick(&["hard", "link"]));
        self.line(format!("file {from} plain:{content}"));
        self.line(format!("file store/blobs/sha256-${content} blob:{content}"));
        let at = if how == "link" { "@" } else { "" };
        match self.once_in(2) {
            true => self.line(format!("{how} {to} {at}{from}")),
            false => {
                let [from, to] = [from, to].map(|path| parent(&path));
                self.line(format!("link {to} @{from}"));
            }
        }
        self.models.push(typed);
    }

    fn stray(&mut self) {
        let (place, _) = self.place();
        let name = self.pick(&["stray", "readme.txt", "77-0-18f00", "a.tmp"]);
        self.line(format!("file {place}/{name} text:hello"));
        self.line("file store/notes text:hello");
        self.line("file store/blobs/notes text:hello");
    }
}

fn parent(path: &str) -> String {
    path.rsplit_once('/')
        .map_or(path, |(parent, _)| parent)
        .to_owned()
}
