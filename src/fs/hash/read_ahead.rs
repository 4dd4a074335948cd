//! The last file under way, while other threads have nothing to do: one reads, one hashes.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::name::Digest;
use crate::sha256::{self, Kernels};

use super::stream::{Chunk, Source, Stream};

/// The bytes that are read at once, and how many such chunks go round.
const CHUNK: usize = 1 << 20;
const CHUNKS: usize = 3;

/// Hashes a file to its end, while a thread of its own reads on. `should_continue` is told of the
/// bytes of each chunk that is hashed, and may stop: then there is no digest.
///
/// `None` where no thread can be had: then nothing was done.
pub(super) fn finish_with_reader(
    stream: &mut Stream<'_>,
    kernels: Kernels,
    mut should_continue: impl FnMut(u64) -> bool,
) -> Option<io::Result<Option<Digest>>> {
    let (mut state, mut total) = (stream.state, stream.at());
    let source = match stream.source() {
        Ok(source) => source,
        Err(error) => return Some(Err(error)),
    };
    thread::scope(|scope| {
        let (give_back, free) = mpsc::channel();
        let (hand_over, filled) = mpsc::channel();
        let builder = thread::Builder::new().name("modelkeep-reader".to_owned());
        let reader = builder.spawn_scoped(scope, move || read_on(source, &free, &hand_over));
        reader.ok()?;
        for _ in 0..CHUNKS {
            let _ = give_back.send(Chunk::new());
        }
        for chunk in filled {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Some(Err(error)),
            };
            let whole = chunk.whole();
            kernels.advance(std::slice::from_mut(&mut state), &[chunk.blocks(whole)]);
            let tail = chunk.after(whole);
            total += (whole + tail.len()) as u64;
            let goes_on = should_continue((whole + tail.len()) as u64);
            if chunk.is_last {
                return Some(Ok(Some(sha256::finish(state, tail, total).into())));
            }
            if !goes_on {
                break;
            }
            // The reader may have ended.
            let _ = give_back.send(chunk);
        }
        Some(Ok(None))
    })
}

/// Fills the chunks that come free, until the file ends or nobody takes them.
fn read_on(mut source: Source<'_>, free: &Receiver<Chunk>, hand_over: &Sender<io::Result<Chunk>>) {
    for mut chunk in free {
        let result = source.read(&mut chunk, CHUNK);
        source.advance(chunk.whole());
        let ends = result.is_err() || chunk.is_last;
        if hand_over.send(result.map(|()| chunk)).is_err() || ends {
            return;
        }
    }
}
