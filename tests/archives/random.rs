//! Archives that are spoiled at random.

use modelkeep::VerifyOptions;
use proptest::prelude::*;

use crate::common::Scratch;
use crate::{archive, import, manifests, staged, store};

/// One way to spoil an archive.
#[derive(Clone, Debug)]
enum Spoil {
    Byte(usize, u8),
    Cut(usize),
    /// Blocks of one place stand at another.
    Move(usize, usize, usize),
    Repeat(usize, usize),
}

fn spoils() -> impl Strategy<Value = Vec<Spoil>> {
    let place = 0..20_000_usize;
    let spoil = prop_oneof![
        4 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Spoil::Byte(at, byte)),
        1 => place.clone().prop_map(Spoil::Cut),
        1 => (0..40_usize, 0..40_usize, 1..6_usize).prop_map(|(a, b, n)| Spoil::Move(a, b, n)),
        1 => (0..40_usize, 1..6_usize).prop_map(|(at, count)| Spoil::Repeat(at, count)),
    ];
    proptest::collection::vec(spoil, 1..5)
}

impl Spoil {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        let block = |number: usize| (number * 512).min(end);
        match *self {
            Spoil::Byte(at, byte) if end > 0 => bytes[at % end] = byte,
            Spoil::Byte(..) => {}
            Spoil::Cut(at) => bytes.truncate(at),
            Spoil::Move(from, to, count) => {
                let moved: Vec<u8> = bytes.drain(block(from)..block(from + count)).collect();
                let to = block(to).min(bytes.len());
                bytes.splice(to..to, moved);
            }
            Spoil::Repeat(at, count) => {
                let again = bytes[block(at)..block(at + count)].to_vec();
                bytes.splice(block(at)..block(at), again);
            }
        }
    }
}

#[test]
fn whatever_is_spoiled_nothing_false_comes_in() {
    let from = Scratch::new();
    let bytes = archive(&store(&from), &["tiny", "kind"]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&spoils(), |spoils| {
        let mut bytes = bytes.clone();
        spoils.iter().for_each(|spoil| spoil.apply(&mut bytes));
        let to = Scratch::new();
        let imported = import(&to.store(), &bytes);
        prop_assert!(staged(&to).is_empty());
        match imported {
            Ok(imported) => prop_assert_eq!(imported.models.len(), manifests(&to).len()),
            Err(_) => prop_assert!(manifests(&to).is_empty()),
        }
        let report = to.store().verify(&VerifyOptions::new()).unwrap();
        prop_assert!(report.is_ok());
        Ok(())
    });
    run.unwrap();
}
