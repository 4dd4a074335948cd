//! The last file under way, while other threads have nothing to do: one reads, one hashes.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::name::Digest;
use crate::sha256::{self, Kernels};

use super::lane::{Lane, Piece, Source};

/// The bytes that are read at once, and how many such pieces go round.
const PIECE: usize = 1 << 20;
const PIECES: usize = 3;

/// Hashes a file to its end, while a thread of its own reads on. `should_continue` is told of the bytes of
/// each piece that is hashed, and may stop: then there is no digest.
///
/// `None` where no thread can be had: then nothing was done.
pub(super) fn finish_alone(
    lane: &mut Lane<'_>,
    kernels: Kernels,
    mut should_continue: impl FnMut(u64) -> bool,
) -> Option<io::Result<Option<Digest>>> {
    let (mut state, mut total) = (lane.state, lane.at());
    let source = match lane.source() {
        Ok(source) => source,
        Err(error) => return Some(Err(error)),
    };
    thread::scope(|scope| {
        let (give_back, free) = mpsc::channel();
        let (hand_over, filled) = mpsc::channel();
        let builder = thread::Builder::new().name("modelkeep-reader".to_owned());
        let reader = builder.spawn_scoped(scope, move || read_on(source, &free, &hand_over));
        reader.ok()?;
        for _ in 0..PIECES {
            let _ = give_back.send(Piece::new());
        }
        for piece in filled {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => return Some(Err(error)),
            };
            let whole = piece.whole();
            kernels.advance(std::slice::from_mut(&mut state), &[piece.blocks(whole)]);
            let tail = piece.after(whole);
            total += (whole + tail.len()) as u64;
            let goes_on = should_continue((whole + tail.len()) as u64);
            if piece.is_last {
                return Some(Ok(Some(sha256::finish(state, tail, total).into())));
            }
            if !goes_on {
                break;
            }
            // The reader may have ended.
            let _ = give_back.send(piece);
        }
        Some(Ok(None))
    })
}

/// Fills the pieces that come free, until the file ends or nobody takes them.
fn read_on(mut source: Source<'_>, free: &Receiver<Piece>, hand_over: &Sender<io::Result<Piece>>) {
    for mut piece in free {
        let result = source.read(&mut piece, PIECE);
        source.advance(piece.whole());
        let ends = result.is_err() || piece.is_last;
        if hand_over.send(result.map(|()| piece)).is_err() || ends {
            return;
        }
    }
}
