//! The bodies of requests.

use crate::go::decode::{self, Decode, DecodeError, Event, Reader};
use crate::manifest::Parameters;

use super::Response;

#[derive(Default)]
pub(super) struct ShowRequest {
    pub model: String,
    pub verbose: bool,
    pub system: String,
    pub options: Parameters,
}

#[derive(Default)]
pub(super) struct CopyRequest {
    pub source: String,
    pub destination: String,
}

#[derive(Default)]
pub(super) struct DeleteRequest {
    pub model: String,
}

impl Decode for ShowRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut name = String::new();
        let mut template = String::new();
        json.fields(
            first,
            &mut [
                ("model", &mut self.model),
                ("name", &mut name),
                ("verbose", &mut self.verbose),
                ("system", &mut self.system),
                ("template", &mut template),
                ("options", &mut self.options),
            ],
        )?;
        if self.model.is_empty() {
            self.model = name;
        }
        Ok(())
    }
}

impl Decode for CopyRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(
            first,
            &mut [
                ("source", &mut self.source),
                ("destination", &mut self.destination),
            ],
        )
    }
}

impl Decode for DeleteRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut name = String::new();
        json.fields(
            first,
            &mut [("model", &mut self.model), ("name", &mut name)],
        )?;
        if self.model.is_empty() {
            self.model = name;
        }
        Ok(())
    }
}

pub(super) fn parse<T: Decode + Default>(body: &[u8]) -> Result<T, Response> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Response::invalid("missing request body"));
    }
    let mut request = T::default();
    match decode::first(body, &mut request) {
        Ok(_) => Ok(request),
        Err(error) => Err(Response::invalid(&format!("decoding the request: {error}"))),
    }
}
