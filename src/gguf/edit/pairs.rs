//! The pairs of metadata while they are edited. What is not touched stays the bytes that it was.

use std::borrow::Cow;

use super::super::cursor::{Cursor, Endian};
use super::super::owned::OwnedValue;
use super::super::value_type::ValueType;
use super::super::view::Gguf;
use super::super::walk;
use super::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::near;

pub(super) struct Pair<'a> {
    pub key: Cow<'a, [u8]>,
    pub value: PairValue<'a>,
}

pub(super) enum PairValue<'a> {
    /// As it is in the file.
    Kept(ValueType, &'a [u8]),
    New(OwnedValue),
}

pub(super) struct Pairs<'a> {
    pub list: Vec<Pair<'a>>,
    endian: Endian,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(gguf: Gguf<'a>) -> Self {
        let pairs = gguf.raw_pairs().map(|(key, value_type, bytes)| Pair {
            key: Cow::Borrowed(key),
            value: PairValue::Kept(value_type, bytes),
        });
        Pairs {
            list: pairs.collect(),
            endian: gguf.endian(),
        }
    }

    /// Returns the place of a key; of duplicates the last, which is the one that readers return.
    fn place(&self, key: &str) -> Option<usize> {
        self.list
            .iter()
            .rposition(|pair| &*pair.key == key.as_bytes())
    }

    fn must_have(&self, doing: &str, key: &str) -> Result<usize> {
        self.place(key).ok_or_else(|| {
            let keys = self.list.iter();
            let keys = keys.filter_map(|pair| std::str::from_utf8(&pair.key).ok());
            let near = near::near(key, keys);
            let text = format!("{doing} {key}: the file has no such key");
            Error::new(ErrorKind::NotFound, text).suggest(near)
        })
    }

    /// Returns of what kind the value of a key is.
    pub(super) fn kind(&self, key: &str) -> Option<Kind> {
        match &self.list.get(self.place(key)?)?.value {
            PairValue::New(value) => Some(Kind::of(value)),
            PairValue::Kept(ValueType::Array, bytes) => {
                let mut cursor = Cursor::new(bytes, bytes.len() as u64, self.endian);
                let (element, _) = walk::array_head(&mut cursor).ok()?;
                Some(Kind::Array(element))
            }
            PairValue::Kept(value_type, _) => Some(Kind::Scalar(*value_type)),
        }
    }

    /// Sets a key where it is, or at the end; its duplicates go.
    pub(super) fn set(&mut self, key: &str, value: OwnedValue) {
        let first = self
            .list
            .iter()
            .position(|pair| &*pair.key == key.as_bytes());
        let value = PairValue::New(value);
        let key = Cow::Owned(key.as_bytes().to_vec());
        match first.and_then(|first| self.list.get_mut(first)) {
            Some(pair) => pair.value = value,
            None => self.list.push(Pair { key, value }),
        }
        if let Some(first) = first {
            self.forget_others(first);
        }
    }

    fn forget_others(&mut self, kept: usize) {
        let Some(key) = self.list.get(kept).map(|pair| pair.key.clone()) else {
            return;
        };
        let mut at = 0;
        self.list.retain(|pair| {
            let stays = at == kept || pair.key != key;
            at += 1;
            stays
        });
    }

    pub(super) fn remove(&mut self, key: &str) -> Result<()> {
        self.must_have("removing", key)?;
        self.forget(key);
        Ok(())
    }

    /// Removes a key, whether it is there or not.
    pub(super) fn forget(&mut self, key: &str) {
        self.list.retain(|pair| &*pair.key != key.as_bytes());
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let place = self.must_have("renaming", from)?;
        if from != to && self.place(to).is_some() {
            let text = format!("renaming {from} to {to}: there is a key of that name");
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        if let Some(pair) = self.list.get_mut(place) {
            pair.key = Cow::Owned(to.as_bytes().to_vec());
        }
        self.forget_others(place);
        Ok(())
    }

    /// Returns the alignment that the pairs state; the one of the format where they state none that
    /// could be one.
    pub(super) fn alignment(&self) -> u64 {
        const DEFAULT: u64 = 32;
        let pair = self.place("general.alignment");
        let stated = pair.and_then(|place| match &self.list.get(place)?.value {
            PairValue::New(OwnedValue::U32(stated)) => Some(*stated),
            PairValue::Kept(ValueType::U32, bytes) => {
                let mut cursor = Cursor::new(bytes, bytes.len() as u64, self.endian);
                cursor.u32().ok()
            }
            _ => None,
        });
        let stated = stated.filter(|stated| stated.is_power_of_two());
        stated.map_or(DEFAULT, u64::from)
    }
}
