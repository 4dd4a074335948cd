//! What a response carries: bytes that are in memory, or a part of a blob that is read while it is
//! sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use modelkeep::http_api::RegistryBlob;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::budget::{Held, Place};

/// How much of a file is in memory for each connection, in bytes.
const PIECE: usize = 256 << 10;

/// What a response carries.
pub(crate) enum Payload {
    Bytes(Vec<u8>),
    Part(Part),
}

/// A part of a blob.
pub(crate) struct Part {
    pub blob: RegistryBlob,
    pub start: u64,
    pub length: u64,
}

impl Part {
    /// All of a blob.
    pub(crate) fn whole(blob: RegistryBlob) -> Self {
        Part {
            start: 0,
            length: blob.size(),
            blob,
        }
    }
}

/// The body of a response as it is sent.
pub(crate) type Sent = Either<Full<Bytes>, PartBody>;

impl Payload {
    /// The length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Part(part) => part.length,
        }
    }

    /// How many bytes of it are in memory at once.
    pub(crate) fn in_memory(&self) -> usize {
        usize::try_from(self.len()).map_or(PIECE, |length| match self {
            Payload::Bytes(_) => length,
            Payload::Part(_) => length.min(PIECE),
        })
    }

    /// Returns the body, which holds its share of the budget until it is sent.
    pub(crate) fn sent(self, place: Arc<Place>, held: Option<Held>) -> Sent {
        match self {
            Payload::Bytes(bytes) => Either::Left(Full::new(Bytes::from_owner(HeldBytes {
                bytes,
                _held: held,
            }))),
            Payload::Part(part) => Either::Right(PartBody {
                left: part.length,
                at: part.start,
                next: Next::Idle(part.blob),
                place,
                _held: held,
            }),
        }
    }
}

/// The bytes of a reply. They count for as long as they are in memory, and so until they are sent.
struct HeldBytes {
    bytes: Vec<u8>,
    _held: Option<Held>,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A part of a blob, a piece at a time: the next one is read when the client has taken the last, by
/// a thread that may block.
pub(crate) struct PartBody {
    at: u64,
    left: u64,
    next: Next,
    place: Arc<Place>,
    _held: Option<Held>,
}

enum Next {
    Idle(RegistryBlob),
    Reading(JoinHandle<io::Result<(RegistryBlob, Vec<u8>)>>),
    Ended,
}

/// Reads a piece, all of it: a file that has become shorter is an error.
fn read(blob: RegistryBlob, at: u64, length: usize) -> io::Result<(RegistryBlob, Vec<u8>)> {
    let mut piece = vec![0; length];
    blob.read_exact_at(&mut piece, at)?;
    Ok((blob, piece))
}

impl Body for PartBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            match std::mem::replace(&mut self.next, Next::Ended) {
                Next::Ended => return Poll::Ready(None),
                Next::Idle(..) if self.left == 0 => return Poll::Ready(None),
                Next::Idle(blob) => {
                    let at = self.at;
                    let length = usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE));
                    self.next = Next::Reading(spawn_blocking(move || read(blob, at, length)));
                }
                Next::Reading(mut reading) => {
                    let Poll::Ready(done) = Pin::new(&mut reading).poll(context) else {
                        self.next = Next::Reading(reading);
                        return Poll::Pending;
                    };
                    let (blob, piece) = done.map_err(io::Error::other)??;
                    self.at = self.at.saturating_add(piece.len() as u64);
                    self.left = self.left.saturating_sub(piece.len() as u64);
                    self.next = Next::Idle(blob);
                    // The client's time to take it begins.
                    drop(self.place.busy());
                    return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_text_all_is_in_memory() {
        let payload = |length| Payload::Bytes(vec![0; length]);
        for length in [0, 5, 10 * PIECE] {
            assert_eq!(payload(length).in_memory(), length);
        }
    }
}
