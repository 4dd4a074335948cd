//! Blobs and manifests on their way to a registry.

use std::io::Read;

use ureq::SendBody;
use ureq::http::{Method, Response, StatusCode, Uri};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Digest;

use super::client::{Ask, Registry};
use super::response::{header, refusal};
use super::retry::Fault;

/// So much of a blob is sent by one request: a registry that cuts long ones off gets on.
const CHUNK: u64 = 64 << 20;

/// An upload that a registry has begun.
pub(crate) struct Upload {
    target: Uri,
    /// How many bytes the registry has.
    at: u64,
}

/// How a registry came by a blob without its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// From another repository.
    Mounted,
    /// Not yet.
    No,
}

/// Opens what is sent, from a byte of it on.
pub(crate) type Content<'c> = dyn Fn(u64) -> Result<Box<dyn Read>> + 'c;

impl Registry {
    /// Returns whether the repository has a blob.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let doing = format!("looking for the blob {digest} in {}", self.repository());
        let target = self.uri(&self.path(&format!("blobs/{digest}")))?;
        self.patiently(|| {
            let response = self.ask(&Ask::new(Method::HEAD, target.clone()))?;
            match response.status() {
                StatusCode::OK => Ok(true),
                StatusCode::NOT_FOUND => Ok(false),
                _ => Err(refusal(response, &doing)),
            }
        })
    }

    /// Asks for a blob that another repository of the registry has.
    pub(crate) fn mount(&self, digest: &Digest, from: &str) -> Result<Placed> {
        let doing = format!("mounting the blob {digest} in {}", self.repository());
        let path = self.path(&format!("blobs/uploads/?mount={digest}&from={from}"));
        let target = self.uri(&path)?;
        self.patiently(|| {
            let response = self.post(&target)?;
            match response.status() {
                StatusCode::CREATED => Ok(Placed::Mounted),
                // An upload was begun in its place; one that nobody goes on with expires.
                StatusCode::ACCEPTED => Ok(Placed::No),
                // It may not be read there, or no such repository is known.
                StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                    Ok(Placed::No)
                }
                StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => Ok(Placed::No),
                _ => Err(refusal(response, &doing)),
            }
        })
    }

    /// Sends a blob. What a request did not get through is asked for, and sent from there on.
    /// `progress` grows with what is sent.
    pub(crate) fn upload(
        &self,
        digest: &Digest,
        size: u64,
        content: &Content<'_>,
        progress: &dyn Fn() -> u64,
    ) -> Result<()> {
        let doing = format!("sending the blob {digest} to {}", self.repository());
        let mut begun = None;
        self.pauses.patiently(progress, || {
            let mut upload = match begun.take() {
                None => self.begin(&doing)?,
                Some(broken) => match self.state(&broken)? {
                    Some(upload) => upload,
                    None => self.begin(&doing)?,
                },
            };
            let sent = self.send(&mut upload, digest, size, content, &doing);
            if let Err(Fault::Passing(..)) = &sent {
                begun = Some(upload.target);
            }
            sent
        })
    }

    fn begin(&self, doing: &str) -> Result<Upload, Fault> {
        let from = self.uri(&self.path("blobs/uploads/"))?;
        let response = self.post(&from)?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(refusal(response, doing));
        }
        let target = self.location(&from, &response)?;
        Ok(Upload { target, at: 0 })
    }

    /// Returns how far an upload is that broke off; nothing where the registry has forgotten it.
    fn state(&self, target: &Uri) -> Result<Option<Upload>, Fault> {
        let response = self.ask(&Ask::new(Method::GET, target.clone()))?;
        if response.status() != StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let last = header(&response, "range").and_then(|range| range.split_once('-'));
        let last: Option<u64> = last.and_then(|(_, last)| last.trim().parse().ok());
        let target = match header(&response, "location") {
            Some(_) => self.location(target, &response)?,
            None => target.clone(),
        };
        // That of one byte and that of none read the same, and a byte more does no harm where the
        // digest is checked: it is begun anew.
        let at = last.filter(|last| *last > 0);
        Ok(at.map(|last| Upload {
            target,
            at: last + 1,
        }))
    }

    fn send(
        &self,
        upload: &mut Upload,
        digest: &Digest,
        size: u64,
        content: &Content<'_>,
        doing: &str,
    ) -> Result<(), Fault> {
        while size - upload.at.min(size) > CHUNK {
            let to = upload.at + CHUNK;
            let headers = [
                ("content-type", "application/octet-stream".to_owned()),
                ("content-length", CHUNK.to_string()),
                ("content-range", format!("{}-{}", upload.at, to - 1)),
            ];
            let ask = Ask {
                headers: &headers,
                ..Ask::new(Method::PATCH, upload.target.clone())
            };
            let response = self.transfer(&ask, upload.at, CHUNK, content)?;
            if response.status() != StatusCode::ACCEPTED {
                return Err(refusal(response, doing));
            }
            upload.target = self.location(&upload.target, &response)?;
            upload.at = to;
        }
        let left = size - upload.at.min(size);
        let headers = [
            ("content-type", "application/octet-stream".to_owned()),
            ("content-length", left.to_string()),
        ];
        let mark = match upload.target.query() {
            Some(_) => '&',
            None => '?',
        };
        let target = format!("{}{mark}digest={digest}", upload.target).parse();
        let target: Uri = target.map_err(|_| self.no_location())?;
        let ask = Ask {
            headers: &headers,
            ..Ask::new(Method::PUT, target)
        };
        let response = self.transfer(&ask, upload.at, left, content)?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            // Only the digest is left to be wrong.
            StatusCode::BAD_REQUEST => {
                let refused = refusal(response, doing).into_error();
                let text = "the registry does not take it for what its digest says; \
                            `modelkeep verify` shows whether it is damaged";
                Err(Error::caused(ErrorKind::Corrupt, text, refused).into())
            }
            _ => Err(refusal(response, doing)),
        }
    }

    /// Sends bytes, again after a challenge.
    fn transfer(
        &self,
        ask: &Ask<'_>,
        at: u64,
        count: u64,
        content: &Content<'_>,
    ) -> Result<Response<ureq::Body>, Fault> {
        let mut failure = None;
        let response = self.authorized(ask, || match content(at) {
            Ok(bytes) => SendBody::from_owned_reader(bytes.take(count)),
            Err(error) => {
                failure = Some(error);
                SendBody::none()
            }
        });
        match failure {
            Some(error) => Err(error.into()),
            None => response,
        }
    }

    /// Makes a manifest visible, under the tag of the reference.
    pub(crate) fn put_manifest(&self, bytes: &[u8], media_type: &str) -> Result<()> {
        let doing = format!("writing the manifest of {}", self.reference());
        let target = self.uri(&self.path(&format!("manifests/{}", self.reference().target())))?;
        let headers = [
            ("content-type", media_type.to_owned()),
            ("content-length", bytes.len().to_string()),
        ];
        self.patiently(|| {
            let ask = Ask {
                headers: &headers,
                ..Ask::new(Method::PUT, target.clone())
            };
            let body = || SendBody::from_owned_reader(std::io::Cursor::new(bytes.to_vec()));
            let response = self.authorized(&ask, body)?;
            match response.status() {
                StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
                _ => Err(refusal(response, &doing)),
            }
        })
    }

    fn post(&self, target: &Uri) -> Result<Response<ureq::Body>, Fault> {
        let headers = [("content-length", "0".to_owned())];
        let ask = Ask {
            headers: &headers,
            ..Ask::new(Method::POST, target.clone())
        };
        self.authorized(&ask, SendBody::none)
    }

    /// Returns where an upload goes on, perhaps on another host, which is not shown who asks.
    fn location(&self, from: &Uri, response: &Response<ureq::Body>) -> Result<Uri, Fault> {
        let location = header(response, "location").ok_or_else(|| self.no_location())?;
        Ok(self.resolve(from, location)?)
    }

    fn no_location(&self) -> Error {
        let text = format!("{} does not say where to send a blob", self.repository());
        Error::new(ErrorKind::Network, text)
    }
}
