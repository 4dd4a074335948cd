//! What prints a word reads it back.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use modelkeep::gguf::{ParseErrorKind, TensorType, ValueType, WarningCode};
use modelkeep::{
    BlobStatus, Capability, Command, CopyMode, Digest, Durability, Error, ErrorKind, LocationState,
    ManifestForm, MediaType, ModelName, Modelfile, Reference,
};
use proptest::prelude::*;

/// Every word is its own, is what it reads back, and is all that it prints; no other is read.
fn are_read<W>(words: impl IntoIterator<Item = W>)
where
    W: Copy + Debug + Display + PartialEq + FromStr<Err = Error>,
{
    let words: Vec<W> = words.into_iter().collect();
    assert!(words.len() > 1);
    for word in words {
        let text = word.to_string();
        assert_eq!(text.parse::<W>().unwrap(), word);
        assert_eq!(format!("{word:>30}").trim_start(), text);
        for other in [format!("{text} "), text.to_uppercase() + "!", String::new()] {
            let error = other.parse::<W>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{other:?}");
        }
    }
}

#[test]
fn words_are_read_back() {
    are_read(CopyMode::ALL.iter().copied());
    are_read(Durability::ALL.iter().copied());
    are_read(BlobStatus::ALL.iter().copied());
    are_read(LocationState::ALL.iter().copied());
    are_read(ManifestForm::ALL.iter().copied());
    are_read(ValueType::ALL.iter().copied());
    are_read(WarningCode::ALL.iter().copied());
    are_read(ParseErrorKind::ALL.iter().copied());
    are_read(TensorType::all());
}

#[test]
fn words_serialize_as_they_print() {
    fn json(value: impl serde::Serialize) -> String {
        modelkeep::json::to_string(&value)
    }
    assert_eq!(json(BlobStatus::WrongSize), "\"wrong_size\"");
    assert_eq!(json(ManifestForm::Schema1), "\"schema1\"");
    assert_eq!(json(ValueType::Array), "\"arr\"");
    assert_eq!(json(WarningCode::BadBool), "\"bad_bool\"");
    assert_eq!(json(ParseErrorKind::BadMagic), "\"bad_magic\"");
}

/// A part of a name.
const PART: &str = "[a-zA-Z0-9][a-zA-Z0-9_-]{0,12}";

proptest! {
    #[test]
    fn a_name_is_read_back(
        host in prop_oneof![Just("registry.ollama.ai".to_owned()), "[a-z]{1,6}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?"],
        namespace in prop_oneof![Just("library".to_owned()), PART],
        model in PART,
        tag in prop_oneof![Just("latest".to_owned()), PART],
    ) {
        let name = ModelName::from_parts(&host, &namespace, &model, &tag).expect("a name");
        prop_assert_eq!(&name.to_string().parse::<ModelName>().unwrap(), &name);
        prop_assert_eq!(&name.full().parse::<ModelName>().unwrap(), &name);
        let reference = Reference::from(&name);
        prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
    }

    #[test]
    fn a_digest_is_read_back(bytes: [u8; 32]) {
        let digest = Digest::from(bytes);
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    }

    #[test]
    fn an_open_set_of_words_is_read_back(word in "[ -~]{0,20}") {
        let capability: Capability = word.as_str().into();
        prop_assert_eq!(capability.to_string(), word.clone());
        prop_assert_eq!(word.parse::<Capability>().unwrap(), capability);
        let media: MediaType = word.as_str().into();
        prop_assert_eq!(media.to_string(), word.clone());
        prop_assert_eq!(word.parse::<MediaType>().unwrap(), media);
    }

    #[test]
    fn a_modelfile_is_read_back(
        from in "[a-z./]{1,12}",
        system in "[ -!#-~\n]{1,30}",
        value in "[a-z0-9.]{1,6}",
    ) {
        let commands = vec![
            Command::From(from),
            Command::Parameter("stop".to_owned(), value),
            Command::System(system.trim().to_owned()),
        ];
        prop_assume!(!system.trim().is_empty());
        let modelfile = Modelfile { commands };
        prop_assert_eq!(modelfile.to_string().parse::<Modelfile>().unwrap(), modelfile);
    }
}
