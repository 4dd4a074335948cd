//! A blob, or a part of one, on its way here.

use std::io::{self, Read};

use ureq::http::{Method, Response, StatusCode};
use ureq::{Body, BodyReader};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Digest;
use crate::oci::LARGEST_DOCUMENT;

use super::client::{Ask, Registry};
use super::response::{header, number, read_whole, refusal};
use super::retry::Fault;

/// The bytes of a blob from somewhere on, as a registry sends them.
pub(crate) struct Download {
    /// Where in the blob the first byte belongs: before what was asked for, where the registry
    /// knows no ranges.
    pub from: u64,
    /// Where the last one does, and one more.
    pub to: u64,
    body: BodyReader<'static>,
    doing: String,
}

impl Registry {
    /// Asks for a part of a blob of so many bytes. A registry without ranges sends all of it.
    pub(crate) fn download(
        &self,
        digest: &Digest,
        from: u64,
        to: u64,
        size: u64,
    ) -> Result<Download, Fault> {
        let doing = format!("reading the blob {digest} of {}", self.repository());
        let target = self.uri(&self.path(&format!("blobs/{digest}")))?;
        let is_whole = from == 0 && to == size;
        let range = [("range", format!("bytes={from}-{}", to.saturating_sub(1)))];
        let ask = Ask {
            headers: if is_whole { &[] } else { &range },
            ..Ask::new(Method::GET, target)
        };
        let response = self.ask(&ask)?;
        let encoding = header(&response, "content-encoding");
        if let Some(encoding) = encoding.filter(|it| !it.eq_ignore_ascii_case("identity")) {
            let text = format!("{doing}: it is encoded ({})", encoding.escape_default());
            return Err(Error::new(ErrorKind::Network, text).into());
        }
        let (from, to) = match response.status() {
            StatusCode::OK => (0, size),
            StatusCode::PARTIAL_CONTENT => {
                if sent(&response, size) != Some((from, to, size)) {
                    let text = format!("{doing}: other bytes than those that were asked for");
                    return Err(Error::new(ErrorKind::Network, text).into());
                }
                (from, to)
            }
            _ => return Err(refusal(response, &doing)),
        };
        let stated = number(&response, "content-length");
        if stated.is_some_and(|stated| stated != to - from) {
            let text = format!(
                "{doing}: {} bytes in place of {}",
                stated.unwrap_or_default(),
                to - from
            );
            return Err(Error::new(ErrorKind::Corrupt, text).into());
        }
        Ok(Download {
            from,
            to,
            body: response.into_body().into_reader(),
            doing,
        })
    }
}

impl Registry {
    /// Reads a blob that is a document: whole, and checked.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where it is too long for one, or has another digest.
    pub(crate) fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let doing = format!("reading the blob {digest} of {}", self.repository());
        let target = self.uri(&self.path(&format!("blobs/{digest}")))?;
        let bytes = self.patiently(|| {
            let response = self.ask(&Ask::new(Method::GET, target.clone()))?;
            match response.status() {
                StatusCode::OK => read_whole(response, LARGEST_DOCUMENT, "a document"),
                _ => Err(refusal(response, &doing)),
            }
        })?;
        let found = Digest::of(&bytes);
        match found == *digest {
            true => Ok(bytes),
            false => {
                let text = format!("{doing}: its bytes are {found}");
                Err(Error::new(ErrorKind::Corrupt, text))
            }
        }
    }
}

impl Download {
    /// Reads the next bytes; 0 where the body has ended.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.body.read(into) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Fault::cut(format!("{}: {e}", self.doing))),
                Ok(count) => return Ok(count),
            }
        }
    }

    /// Returns the failure of a body that ended too early.
    pub(crate) fn too_short(&self) -> Fault {
        Fault::cut(format!(
            "{}: the connection ended in the middle",
            self.doing
        ))
    }
}

/// Reads a `Content-Range`: the first byte, the one after the last, and how many the whole has; one
/// that does not say how many has as many as were hoped for.
fn sent(response: &Response<Body>, hoped: u64) -> Option<(u64, u64, u64)> {
    let text = header(response, "content-range")?
        .trim()
        .strip_prefix("bytes ")?;
    let (range, size) = text.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse::<u64>().ok()?);
    let size = match size.trim() {
        "*" => hoped,
        size => size.parse().ok()?,
    };
    Some((first, last.checked_add(1)?, size))
}
