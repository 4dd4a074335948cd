//! A Go slice as a place to decode into.

use super::{Decode, DecodeError, Event, Reader};

/// An array's items. What a duplicate of the field cuts off stays behind the end and shows again
/// when another makes it longer: Go decodes into the items that it finds there.
#[derive(Debug)]
pub(crate) struct Slice<T> {
    stored: Vec<T>,
    /// `None` is `null`.
    length: Option<usize>,
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Slice {
            stored: Vec::new(),
            length: None,
        }
    }
}

impl<T> Slice<T> {
    /// Returns the items; `None` for `null`.
    pub(crate) fn into_items(mut self) -> Option<Vec<T>> {
        self.stored.truncate(self.length?);
        Some(self.stored)
    }
}

impl<T: Decode + Default> Decode for Slice<T> {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Null => {
                *self = Slice::default();
                return Ok(());
            }
            Event::Array => {}
            other => return Err(DecodeError::mismatch(&other, "an array")),
        }
        let mut length = 0;
        loop {
            let item = match json.next()? {
                Event::End => break,
                item => item,
            };
            match self.stored.get_mut(length) {
                Some(place) => place.decode(item, json)?,
                None => {
                    let mut place = T::default();
                    place.decode(item, json)?;
                    self.stored.push(place);
                }
            }
            length += 1;
        }
        if length == 0 {
            self.stored = Vec::new();
        }
        self.length = Some(length);
        Ok(())
    }
}
