//! What is called.

use super::Inventor;
use crate::content::WEIGHTS;

impl Inventor {
    /// The calls of one process.
    pub(super) fn one(&mut self) {
        let delay = [0, 0, 1, 5][self.rng.usize(..4)];
        self.open(0, delay);
        for _ in 0..self.rng.usize(1..9) {
            let call = if self.once_in(6) {
                self.outside()
            } else {
                self.call()
            };
            let kill = self.once_in(12);
            self.does(0, &call, kill);
        }
        if self.once_in(20) {
            self.line("do 0 mv store store-away");
            let call = self.call();
            self.does(0, &call, false);
            self.line("do 0 mv store-away store");
        }
    }

    /// The calls of several processes, one of which may be a foreign writer.
    pub(super) fn several(&mut self) {
        let foreign = self.once_in(2);
        let processes = self.rng.usize(2..4);
        for process in 0..processes {
            self.open(process, 50);
            for _ in 0..self.rng.usize(1..5) {
                let call = match foreign && process == 0 {
                    true => self.foreign(),
                    false => self.call(),
                };
                // A collection without grace takes what a server is just about to use.
                let call = if foreign {
                    call.replace("gc 0", "gc 3600")
                } else {
                    call
                };
                let kill = self.once_in(10);
                self.does(process, &call, kill);
            }
        }
    }

    fn open(&mut self, process: usize, delay: u64) {
        let mut line = format!("do {process} open {delay}");
        for (word, times) in [(" durable", 4), (" reads", 4), (" readonly", 25)] {
            if self.once_in(times) {
                line.push_str(word);
            }
        }
        self.line(line);
    }

    fn does(&mut self, process: usize, call: &str, kill: bool) {
        match kill {
            true => {
                let micros = 1 << self.rng.u32(4..17);
                let signal = self.pick(&["kill", "kill", "int", "term"]);
                self.line(format!("kill {micros} {signal} {process} {call}"));
            }
            false => self.line(format!("do {process} {call}")),
        }
    }

    fn call(&mut self) -> String {
        let (name, other, content) = (self.known(), self.known(), self.content());
        match self.rng.usize(..40) {
            0..3 => "list".to_owned(),
            3 => format!("show {name}"),
            4 => format!("path {name}"),
            5 => "usage".to_owned(),
            6 => "doctor".to_owned(),
            7 => "verify".to_owned(),
            8 => "verifyremembered".to_owned(),
            9 => format!("verifymodel {name}"),
            10..12 => "repair".to_owned(),
            12 => "verifykept".to_owned(),
            13 => "repairkept".to_owned(),
            14..19 => format!("remove {name}"),
            19 => format!("remove {name} {other}"),
            20..24 => format!("copy {name} {other}"),
            24..28 => self.import(),
            28 => format!("addblob {content} {content}"),
            29 => format!("addblob {content} {}", self.content()),
            30..33 => "gc 0".to_owned(),
            33 => "gc 0 all".to_owned(),
            34 => "gc 0 quarantine".to_owned(),
            35 => "gc 0 partials".to_owned(),
            36 => "gc 3600".to_owned(),
            37 => "gc 0 dry".to_owned(),
            38 => "maintain".to_owned(),
            _ => "renameold".to_owned(),
        }
    }

    fn import(&mut self) -> String {
        let (name, content) = (self.known(), WEIGHTS[self.rng.usize(..WEIGHTS.len())]);
        let source = match self.rng.usize(..4) {
            0 => format!("model:{}", self.known()),
            1 => format!("modelfile:{content}"),
            _ => format!("file:{content}"),
        };
        let replace = if self.once_in(2) { " replace" } else { "" };
        let link = if self.once_in(4) { " link" } else { "" };
        format!("import {source} {name}{replace}{link}")
    }

    fn foreign(&mut self) -> String {
        let (name, other) = (self.known(), self.known());
        match self.rng.usize(..6) {
            0..2 => format!("foreigncopy {name} {other}"),
            2..4 => format!("foreignremove {name}"),
            _ => format!("foreignpull {name} {}", self.layers()),
        }
    }

    /// What happens to a store between two calls.
    fn outside(&mut self) -> String {
        let content = self.content();
        let (place, _) = self.place();
        match self.rng.usize(..7) {
            0 => format!("file store/blobs/sha256-${content} flip:{content}"),
            1 | 2 => format!("file store/blobs/sha256-${content} blob:{content}"),
            3 => format!("mv {place} elsewhere/later"),
            4 => format!("link {place} gone"),
            5 => format!("file {place} nothing:"),
            _ => self.foreign(),
        }
    }
}
