//! Standard input and output that nobody has to wait for: an interrupt ends a call although the
//! program at the other end stands still.

use std::io::{self, Read, Write};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread;
use std::time::Duration;

/// The bytes that go by at once.
const CHUNK: usize = 1 << 20;

/// How long nothing may come before that is said.
const PATIENCE: Duration = Duration::from_millis(50);

/// Standard input, which says by `WouldBlock` that it has nothing yet.
pub(crate) struct Source {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    /// How far it is read.
    at: usize,
}

impl Source {
    pub(crate) fn stdin() -> Self {
        Source::of(io::stdin())
    }

    fn of(mut from: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = sync_channel(1);
        // It ends with the stream, with who listens, or with the program.
        thread::spawn(move || {
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = from.read(&mut chunk).map(|length| {
                    chunk.truncate(length);
                    chunk
                });
                let is_last = !matches!(&read, Ok(chunk) if !chunk.is_empty());
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Source {
            chunks,
            chunk: Vec::new(),
            at: 0,
        }
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            self.chunk = match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => chunk?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.at = 0;
        }
        let mut left = self.chunk.get(self.at..).unwrap_or_default();
        let length = left.read(into)?;
        self.at += length;
        Ok(length)
    }
}

/// Standard output, which says by `WouldBlock` that it takes nothing just now.
pub(crate) struct Sink {
    chunks: SyncSender<Vec<u8>>,
    /// What each chunk came to.
    written: Receiver<io::Result<()>>,
    /// The chunks that are under way.
    waiting: usize,
}

impl Sink {
    pub(crate) fn stdout() -> Self {
        Sink::of(io::stdout())
    }

    fn of(mut to: impl Write + Send + 'static) -> Self {
        let (chunks, from) = sync_channel::<Vec<u8>>(2);
        let (sender, written) = sync_channel(3);
        thread::spawn(move || {
            for chunk in from {
                let done = to.write_all(&chunk).and_then(|()| to.flush());
                if sender.send(done).is_err() {
                    return;
                }
            }
        });
        Sink {
            chunks,
            written,
            waiting: 0,
        }
    }

    /// Takes in what has been written meanwhile.
    fn settle(&mut self) -> io::Result<()> {
        loop {
            match self.written.try_recv() {
                Ok(done) => {
                    self.waiting = self.waiting.saturating_sub(1);
                    done?;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.settle()?;
        let chunk = bytes.get(..CHUNK).unwrap_or(bytes);
        match self.chunks.try_send(chunk.to_vec()) {
            Ok(()) => {
                self.waiting += 1;
                Ok(chunk.len())
            }
            Err(TrySendError::Full(_)) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.settle()?;
        match self.waiting {
            0 => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that never has anything, and takes nothing.
    struct Still;

    impl Read for Still {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            thread::park();
            Ok(0)
        }
    }

    impl Write for Still {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            thread::park();
            Ok(0)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stream_that_stands_still_says_so() {
        let error = Source::of(Still).read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let mut sink = Sink::of(Still);
        let blocked = (0..9).find_map(|_| sink.write(b"bytes").err());
        assert_eq!(blocked.unwrap().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(sink.flush().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn bytes_come_through_in_their_order_to_the_end() {
        let bytes: Vec<u8> = (0..5 * CHUNK + 7).map(|n| (n % 251) as u8).collect();
        let mut read: Vec<u8> = Vec::new();
        let mut source = Source::of(io::Cursor::new(bytes.clone()));
        let mut buffer = vec![0; 70_000];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => read.extend(&buffer[..length]),
                Err(e) => assert_eq!(e.kind(), io::ErrorKind::WouldBlock),
            }
        }
        assert!(read == bytes);
    }
}
