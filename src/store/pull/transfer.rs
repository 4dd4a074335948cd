//! One transfer: a part of a blob, and those that follow it where the registry sends blobs whole.

use std::cell::Cell;

use crate::error::Result;
use crate::fs::partial::Part;
use crate::registry::{Download, Fault, Registry};

use super::flight::Flight;

/// The bytes of a response are taken so many at a time.
const CHUNK: usize = 128 << 10;

/// Fetches a part, as far as it is not there, and what follows it where a registry without ranges
/// sends that too. However it ends, what came is noted for the next one.
pub(super) fn fetch_part(registry: &Registry, flight: &Flight, part: Part) -> Result<()> {
    let received = &Cell::new(0);
    let mut transfer = Transfer {
        registry,
        flight,
        part,
        received,
        buffer: vec![0; CHUNK],
    };
    flight.check(&mut transfer.part, || registry.pauses().check())?;
    let fetched = registry
        .pauses()
        .patiently(|| received.get(), || transfer.go_on());
    let mut part = transfer.part;
    flight.partial.note(&mut part)?;
    flight.put_back(part);
    fetched
}

/// One transfer, which goes on after it broke off.
struct Transfer<'t> {
    registry: &'t Registry,
    flight: &'t Flight,
    part: Part,
    /// The bytes that came.
    received: &'t Cell<u64>,
    buffer: Vec<u8>,
}

impl Transfer<'_> {
    /// Goes on by one request.
    fn go_on(&mut self) -> Result<(), Fault> {
        if self.part.left() == 0 {
            return Ok(());
        }
        let (from, to) = (self.part.next(), self.part.end);
        let (digest, size) = (&self.flight.digest, self.flight.size);
        let mut download = self.registry.download(digest, from, to, size)?;
        if (download.from, download.to) != (from, to) {
            self.flight.lacks_ranges();
        }
        let before = from - download.from;
        self.pass(&mut download, before)?;
        loop {
            self.receive(&mut download)?;
            let end = self.part.end;
            let next = match download.to > end {
                true => self.flight.take_after(&self.part),
                false => None,
            };
            let Some(mut next) = next else {
                return Ok(());
            };
            // What is there of the next part goes by once more.
            self.flight
                .check(&mut next, || self.registry.pauses().check())?;
            let there = next.next() - end;
            let done = std::mem::replace(&mut self.part, next);
            self.flight.put_back(done);
            self.pass(&mut download, there)?;
        }
    }

    /// Takes the bytes of the part.
    fn receive(&mut self, download: &mut Download) -> Result<(), Fault> {
        while self.part.left() > 0 {
            let count = self.read(download, self.part.left())?;
            let bytes = self.buffer.get(..count).unwrap_or_default();
            self.flight.partial.write(&mut self.part, bytes)?;
            self.received.set(self.received.get() + count as u64);
            self.flight.reach(&self.part);
        }
        Ok(())
    }

    /// Lets bytes go by.
    fn pass(&mut self, download: &mut Download, mut left: u64) -> Result<(), Fault> {
        while left > 0 {
            left -= self.read(download, left)? as u64;
        }
        Ok(())
    }

    fn read(&mut self, download: &mut Download, most: u64) -> Result<usize, Fault> {
        self.registry.pauses().check()?;
        let most = usize::try_from(most).unwrap_or(CHUNK).min(CHUNK);
        let into = self.buffer.get_mut(..most).unwrap_or_default();
        match download.read(into)? {
            0 => Err(download.too_short()),
            count => Ok(count),
        }
    }
}
