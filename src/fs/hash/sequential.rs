//! A stream that is hashed while it is handed on.

use std::io::{self, Read};
use std::mem;
use std::panic;
use std::sync::mpsc;
use std::thread;

use crate::name::{Digest, Hasher};

use super::buffer::Buffer;

/// Large enough that the calls cost nothing, small enough for any machine.
const CHUNK: usize = 1 << 20;

/// From how many bytes on a thread of its own hashes what was handed on, while more is read: a shorter
/// stream is done before it is worth one.
const WORTH_A_THREAD: u64 = 8 << 20;

/// How many chunks go round between the two.
const CHUNKS: usize = 3;

/// Reads a stream to its end, and hands each chunk on. Returns the digest and the number of bytes.
///
/// The stream is read and handed on on this thread; a long one is hashed beside it.
///
/// # Errors
/// What `at` makes of an error of the stream, and what `sink` returns.
pub(crate) fn hash_stream<E>(
    from: &mut dyn Read,
    at: impl Fn(io::Error) -> E,
    sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(Digest, u64), E> {
    let mut passing = Passing {
        from,
        at,
        sink,
        passed: 0,
    };
    let mut hasher = Hasher::new();
    let mut chunk = Chunk::default();
    if passing.hash_here(&mut chunk, &mut hasher, WORTH_A_THREAD)? {
        passing.hash_beside(chunk, &mut hasher)?;
    }
    Ok((hasher.finish(), passing.passed))
}

/// A part of the stream.
#[derive(Default)]
struct Chunk {
    buffer: Buffer,
    filled: usize,
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(0..self.filled)
    }
}

/// A stream, and where it goes.
struct Passing<'f, At, Sink> {
    from: &'f mut dyn Read,
    at: At,
    sink: Sink,
    /// How many bytes were handed on.
    passed: u64,
}

impl<E, At, Sink> Passing<'_, At, Sink>
where
    At: Fn(io::Error) -> E,
    Sink: FnMut(&[u8]) -> Result<(), E>,
{
    /// Reads the next chunk and hands it on; `false` at the end.
    fn next(&mut self, chunk: &mut Chunk) -> Result<bool, E> {
        chunk.filled = loop {
            match self.from.read(chunk.buffer.room(CHUNK)) {
                Ok(0) => return Ok(false),
                Ok(length) => break length,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err((self.at)(e)),
            }
        };
        (self.sink)(chunk.bytes())?;
        self.passed += chunk.filled as u64;
        Ok(true)
    }

    /// Hashes on this thread, about `most` bytes; `false` where the stream ended.
    fn hash_here(&mut self, chunk: &mut Chunk, hasher: &mut Hasher, most: u64) -> Result<bool, E> {
        while self.passed < most {
            if !self.next(chunk)? {
                return Ok(false);
            }
            hasher.update(chunk.bytes());
        }
        Ok(true)
    }

    /// Hashes the rest of the stream on a thread of its own, where there can be one.
    fn hash_beside(&mut self, mut chunk: Chunk, hasher: &mut Hasher) -> Result<(), E> {
        thread::scope(|scope| {
            let (give_back, free) = mpsc::channel();
            let (hand_over, filled) = mpsc::channel::<Chunk>();
            for _ in 1..CHUNKS {
                let _ = give_back.send(Chunk::default());
            }
            let mut beside = hasher.clone();
            let hash = move || {
                for chunk in filled {
                    beside.update(chunk.bytes());
                    // Nobody takes it where the stream has ended.
                    let _ = give_back.send(chunk);
                }
                beside
            };
            let builder = thread::Builder::new().name("modelkeep-hasher".to_owned());
            let Ok(hashing) = builder.spawn_scoped(scope, hash) else {
                return self.hash_here(&mut chunk, hasher, u64::MAX).map(drop);
            };
            while self.next(&mut chunk)? {
                // Without an answer the other thread has panicked, which the join tells.
                let Ok(next) = free.recv() else { break };
                let _ = hand_over.send(mem::replace(&mut chunk, next));
            }
            drop(hand_over);
            *hasher = hashing
                .join()
                .unwrap_or_else(|cause| panic::resume_unwind(cause));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes as many at a time as a pipe does, and fails at a place.
    struct Pipe<'b> {
        bytes: &'b [u8],
        fails_at: usize,
        given: usize,
    }

    impl Read for Pipe<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let left = &self.bytes[self.given..];
            let count = room
                .len()
                .min(left.len())
                .min(60_001)
                .min(self.fails_at - self.given);
            if count == 0 && !left.is_empty() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            room[..count].copy_from_slice(&left[..count]);
            self.given += count;
            Ok(count)
        }
    }

    fn hashed(
        bytes: &[u8],
        fails_at: usize,
        refused_at: usize,
    ) -> (Result<(Digest, u64), String>, Vec<u8>) {
        let mut pipe = Pipe {
            bytes,
            fails_at,
            given: 0,
        };
        let mut passed = Vec::new();
        let sink = |piece: &[u8]| {
            if passed.len() >= refused_at {
                return Err("refused".to_owned());
            }
            passed.extend_from_slice(piece);
            Ok(())
        };
        (
            hash_stream(&mut pipe, |e| e.kind().to_string(), sink),
            passed,
        )
    }

    #[test]
    fn a_stream_of_any_length_has_the_digest_of_what_was_handed_on() {
        let long = usize::try_from(3 * WORTH_A_THREAD).unwrap() + 17;
        let bytes: Vec<u8> = (0..long).map(|at| (at % 251) as u8).collect();
        let worth = usize::try_from(WORTH_A_THREAD).unwrap();
        for len in [0, 1, CHUNK, worth - 1, worth, worth + 1, long] {
            let (digest, passed) = hashed(&bytes[..len], usize::MAX, usize::MAX);
            assert_eq!(digest, Ok((Digest::of(&bytes[..len]), len as u64)));
            assert!(passed == bytes[..len], "{len}");
        }
        for at in [0, CHUNK, worth + CHUNK + 1] {
            assert_eq!(
                hashed(&bytes, at, usize::MAX).0,
                Err("broken pipe".to_owned()),
                "{at}"
            );
            assert_eq!(
                hashed(&bytes, usize::MAX, at).0,
                Err("refused".to_owned()),
                "{at}"
            );
        }
    }
}
