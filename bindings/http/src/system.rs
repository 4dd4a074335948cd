//! Sockets that are files, and what ends a program: the only place that asks which system it is on.

#[cfg(unix)]
pub(crate) use unix::{Interrupts, SocketListener};
#[cfg(windows)]
pub(crate) use windows::{Interrupts, SocketListener};

/// The number of the error of a family of addresses that the system lacks.
pub(crate) const NO_SUCH_FAMILY: i32 = if cfg!(windows) {
    // WinSock2.h, WSAEAFNOSUPPORT
    10047
} else if cfg!(target_os = "linux") {
    // Linux, asm-generic/errno.h, EAFNOSUPPORT
    97
} else {
    // BSD and macOS, sys/errno.h, EAFNOSUPPORT
    47
};

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixSocket, UnixStream};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The signals that ask a program to end.
    pub(crate) struct Interrupts {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Interrupts {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Interrupts {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        /// Waits for the first of them.
        pub(crate) async fn first(mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        }
    }

    /// How many connections the system may keep for us until they are accepted.
    const BACKLOG: u32 = 1024;

    /// A socket in the file system that listens.
    pub(crate) struct SocketListener {
        listener: UnixListener,
        file: SocketFile,
    }

    impl SocketListener {
        pub(crate) fn bind(path: &Path) -> io::Result<Self> {
            remove_stale(path)?;
            let socket = UnixSocket::new_stream()?;
            socket.bind(path)?;
            // Before it listens: nobody can connect under another mode.
            fs::set_permissions(path, Permissions::from_mode(0o660))?;
            let file = SocketFile::new(path)?;
            let listener = socket.listen(BACKLOG)?;
            Ok(SocketListener { listener, file })
        }

        pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
            Ok(self.listener.accept().await?.0)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.file.path
        }
    }

    /// Removes the socket of a server that ended without doing so.
    fn remove_stale(path: &Path) -> io::Result<()> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !found.file_type().is_socket() {
            let text = "a file that is no socket is there";
            return Err(io::Error::new(ErrorKind::AlreadyExists, text));
        }
        match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
            Err(error) => Err(error),
            Ok(_) => Err(ErrorKind::AddrInUse.into()),
        }
    }

    /// The file of a Unix socket, removed when dropped unless another took its place.
    struct SocketFile {
        path: PathBuf,
        inode: (u64, u64),
    }

    impl SocketFile {
        fn new(path: &Path) -> io::Result<Self> {
            Ok(SocketFile {
                path: path.to_owned(),
                inode: inode(path)?,
            })
        }
    }

    fn inode(path: &Path) -> io::Result<(u64, u64)> {
        let found = fs::symlink_metadata(path)?;
        Ok((found.dev(), found.ino()))
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            if inode(&self.path).is_ok_and(|inode| inode == self.inode) {
                // Who cannot remove it leaves a stale socket, which the next server removes.
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::convert::Infallible;
    use std::io;
    use std::path::Path;

    use tokio::net::TcpStream;
    use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

    /// What asks a program of a console to end.
    pub(crate) struct Interrupts {
        interrupt: CtrlC,
        stop: CtrlBreak,
        close: CtrlClose,
    }

    impl Interrupts {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Interrupts {
                interrupt: ctrl_c()?,
                stop: ctrl_break()?,
                close: ctrl_close()?,
            })
        }

        /// Waits for the first of them.
        pub(crate) async fn first(mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.stop.recv() => {}
                _ = self.close.recv() => {}
            }
        }
    }

    /// There is none.
    pub(crate) struct SocketListener(Infallible);

    impl SocketListener {
        pub(crate) fn bind(_path: &Path) -> io::Result<Self> {
            let text = "this system has no sockets in the file system";
            Err(io::Error::new(io::ErrorKind::Unsupported, text))
        }

        pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
            match self.0 {}
        }

        pub(crate) fn path(&self) -> &Path {
            match self.0 {}
        }
    }
}
