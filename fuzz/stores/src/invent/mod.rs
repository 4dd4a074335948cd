//! Plans made at random, the same for a seed.

mod calls;
mod oddity;

use fastrand::Rng;

use crate::content::{CONTENTS, FORMS};
use crate::plan::Plan;

/// Returns the plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut inventor = Inventor {
        rng: Rng::with_seed(seed),
        lines: Vec::new(),
        models: Vec::new(),
    };
    inventor.invent();
    // What is invented is a plan: a line that is none is a fault of this file.
    Plan::parse(&inventor.lines.join("\n")).unwrap_or_else(|line| panic!("{line}"))
}

struct Inventor {
    rng: Rng,
    lines: Vec<String>,
    /// The names that are stored, as people type them.
    models: Vec<String>,
}

const HOSTS: [&str; 4] = ["registry.ollama.ai", "hf.co", "localhost:5000", "HF.co"];
const NAMESPACES: [&str; 3] = ["library", "team", "Team"];
const MODELS: [&str; 5] = ["a", "b", "A", "llama3", "x.y-z_1"];
const TAGS: [&str; 4] = ["latest", "Q4", "8b", "LATEST"];

impl Inventor {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.rng.usize(..of.len())]
    }

    /// Whether something that happens once in so many times does.
    fn once_in(&mut self, times: usize) -> bool {
        self.rng.usize(..times) == 0
    }

    fn content(&mut self) -> u8 {
        self.rng.u8(..CONTENTS)
    }

    fn invent(&mut self) {
        if self.once_in(6) {
            self.line("nobody");
        }
        if !self.once_in(20) {
            self.line("dir store/manifests");
            self.line("dir store/blobs");
        }
        for _ in 0..self.rng.usize(0..5) {
            self.model();
        }
        for _ in 0..self.rng.usize(0..3) {
            let content = self.content();
            self.blob(content);
        }
        let oddities = [0, 0, 1, 1, 2, 3, 5][self.rng.usize(..7)];
        for _ in 0..oddities {
            self.oddity();
        }
        if self.once_in(3) {
            self.several()
        } else {
            self.one()
        }
    }

    /// A path below `store/manifests`, and the name that people type for it.
    fn name(&mut self) -> (String, String) {
        let host = if self.once_in(3) {
            self.pick(&HOSTS)
        } else {
            HOSTS[0]
        };
        let namespace = if self.once_in(4) {
            self.pick(&NAMESPACES)
        } else {
            NAMESPACES[0]
        };
        let (model, tag) = (self.pick(&MODELS), self.pick(&TAGS));
        let typed = match (host, namespace) {
            ("registry.ollama.ai", "library") => format!("{model}:{tag}"),
            ("registry.ollama.ai", namespace) => format!("{namespace}/{model}:{tag}"),
            _ => format!("{host}/{namespace}/{model}:{tag}"),
        };
        (
            format!("store/manifests/{host}/{namespace}/{model}/{tag}"),
            typed,
        )
    }

    /// A name that is likely to be stored.
    fn known(&mut self) -> String {
        match self.rng.usize(..=self.models.len()) {
            0 => self.name().1,
            index => self.models[index - 1].clone(),
        }
    }

    fn layers(&mut self) -> String {
        let count = self.rng.usize(1..4);
        let layers: Vec<String> = (0..count).map(|_| self.content().to_string()).collect();
        layers.join(",")
    }

    fn form(&mut self) -> &'static str {
        match self.once_in(5) {
            true => FORMS[self.rng.usize(..FORMS.len() - 1)].0,
            false if self.once_in(200) => "huge",
            false => "plain",
        }
    }

    fn model(&mut self) {
        let (path, typed) = self.name();
        let (form, layers) = (self.form(), self.layers());
        for number in layers.split(',') {
            let number = number.parse().unwrap_or(0);
            self.blob(number);
        }
        if form == "deepindex" {
            for number in [9, 0, 2] {
                self.blob(number);
            }
        }
        self.line(format!("file {path} {form}:{layers}"));
        self.models.push(typed);
    }

    fn blob(&mut self, content: u8) {
        let separator = if self.once_in(15) { ':' } else { '-' };
        let path = format!("store/blobs/sha256{separator}${content}");
        match self.rng.usize(..24) {
            0 => {}
            1 => self.line(format!("file {path} flip:{content}")),
            2 => self.line(format!("file {path} cut:{content}")),
            3 => self.line(format!("link {path} @sentinel/dir/${content}")),
            4 => {
                self.line(format!("file sentinel/dir/${content} blob:{content}"));
                self.line(format!("link {path} @sentinel/dir/${content}"));
            }
            5 => {
                self.line(format!("file sentinel/dir/${content} blob:{content}"));
                self.line(format!("hard {path} sentinel/dir/${content}"));
            }
            _ => self.line(format!("file {path} blob:{content}")),
        }
        if self.once_in(6) {
            let seconds = self.pick(&["7200", "90", "-7200"]);
            self.line(format!("age {seconds} {path}"));
        }
    }

    /// A directory or file of the manifests: its parent, its own name and its depth.
    fn place(&mut self) -> (String, usize) {
        let (path, _) = self.name();
        let depth = self.rng.usize(0..5);
        let parts: Vec<&str> = path.split('/').take(2 + depth).collect();
        (parts.join("/"), depth)
    }

    /// Where a link at some depth leads. What stands for a directory of manifests is the store's,
    /// and so nothing that nobody may touch.
    fn target(&mut self, depth: usize) -> String {
        let inside = self.place().0;
        match self.rng.usize(..9) {
            1 if depth < 4 => {
                self.line("dir elsewhere/m/library/a");
                "@elsewhere/m".to_owned()
            }
            2 | 5 | 6 if depth == 0 => "@elsewhere/m".to_owned(),
            0 => "/mnt/gone/away".to_owned(),
            1 => "@sentinel/dir".to_owned(),
            2 => "@sentinel/file".to_owned(),
            3 => "@elsewhere/m".to_owned(),
            4 => "@other/m".to_owned(),
            5 => ".".to_owned(),
            6 => "..".to_owned(),
            _ => format!("@{inside}"),
        }
    }
}
