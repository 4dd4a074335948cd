//! Sockets: those that listen, and those of connections.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::time::{Sleep, sleep};

use crate::address::Address;
use crate::log::Peer;
use crate::system::{self, SocketListener};

/// How long a client that is still sending is listened to after the last reply.
const LINGER: Duration = Duration::from_millis(500);

/// A socket that listens.
pub(crate) enum Listener {
    Tcp(TcpListener),
    Socket(SocketListener),
}

impl Listener {
    /// Listens on an address: on each that its name stands for and this machine has.
    pub(crate) fn bind(address: &Address) -> io::Result<Vec<Self>> {
        match address {
            Address::Host(host, port) => bind_all(host, *port),
            Address::Socket(path) => Ok(vec![Listener::Socket(SocketListener::bind(path)?)]),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        let (stream, peer): (Box<dyn Io>, _) = match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                (Box::new(stream), Some(peer))
            }
            Listener::Socket(listener) => (Box::new(listener.accept().await?), None),
        };
        Ok(Stream {
            stream,
            peer: Peer(peer),
            linger: None,
        })
    }

    /// Returns whether a browser could be led here by a name that was pointed at this machine: the
    /// host of a request is then checked. A server for the network has names that it cannot know.
    pub(crate) fn checks_host(&self) -> bool {
        match self {
            Listener::Tcp(listener) => listener.local_addr().is_ok_and(|at| at.ip().is_loopback()),
            Listener::Socket(_) => false,
        }
    }

    /// Returns whether other machines can reach it, as far as the network lets them.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Listener::Tcp(listener) => {
                let at = listener.local_addr();
                at.map_or(true, |at| !at.ip().to_canonical().is_loopback())
            }
            Listener::Socket(_) => false,
        }
    }

    /// Returns the address as a client writes it.
    pub(crate) fn url(&self) -> io::Result<String> {
        Ok(match self {
            Listener::Tcp(listener) => format!("http://{}", listener.local_addr()?),
            Listener::Socket(listener) => format!("unix:{}", listener.path().display()),
        })
    }
}

fn bind_all(host: &str, port: u16) -> io::Result<Vec<Listener>> {
    let mut bound = Vec::new();
    let mut absent = io::Error::new(ErrorKind::NotFound, "the name has no address");
    // The first address takes a free port where none is named, the others that one.
    let mut port = port;
    for mut address in Address::resolve(host, port)? {
        address.set_port(port);
        match bind_tcp(address) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                bound.push(Listener::Tcp(listener));
            }
            Err(error) if is_absent(&error) => absent = error,
            Err(error) => return Err(error),
        }
    }
    if bound.is_empty() {
        Err(absent)
    } else {
        Ok(bound)
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = std::net::TcpListener::bind(address);
    // Without IPv6 all addresses are those of IPv4.
    let bound = match bound {
        Err(error) if is_absent(&error) && address.ip().is_unspecified() => {
            std::net::TcpListener::bind(("0.0.0.0", address.port()))
        }
        bound => bound,
    }?;
    bound.set_nonblocking(true)?;
    TcpListener::from_std(bound)
}

/// Returns whether this machine lacks the address, or its family.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(system::NO_SUCH_FAMILY)
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The socket of a connection. Its end lingers: a client that is still sending a body that was
/// refused would otherwise be reset, and lose the reply.
pub(crate) struct Stream {
    stream: Box<dyn Io>,
    peer: Peer,
    linger: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.linger = Some(Box::pin(sleep(LINGER)));
        }
        let Stream { stream, linger, .. } = &mut *self;
        loop {
            if linger
                .as_mut()
                .is_none_or(|end| end.as_mut().poll(cx).is_ready())
            {
                return Poll::Ready(Ok(()));
            }
            let mut scratch = [0; 4096];
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_machine_lacks_is_passed_over_and_one_that_is_taken_is_not() {
        let kind = |kind: ErrorKind| is_absent(&kind.into());
        assert!(kind(ErrorKind::AddrNotAvailable) && !kind(ErrorKind::AddrInUse));
        let family = io::Error::from_raw_os_error(system::NO_SUCH_FAMILY);
        assert!(is_absent(&family));
    }
}
