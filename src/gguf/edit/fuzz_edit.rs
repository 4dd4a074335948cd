//! Editing whatever a reader takes, for tests of hostile files.

use super::super::index::Index;
use super::super::limits::Limits;
use super::super::view::Gguf;
use super::{Editor, Fit, NewHeader, PADDING};

/// Edits bytes as a file would be edited, in every way. Does not panic, whatever the bytes are; and
/// what it makes of them is read strictly, with the tensors that were there.
pub(in crate::gguf) fn fuzz_edit(bytes: &[u8]) {
    let Ok(index) = Index::parse(bytes, bytes.len() as u64, &Limits::lenient()) else {
        return;
    };
    let gguf = index.view(bytes);
    for editor in editors(gguf) {
        for fit in [Fit::Tight, Fit::Blocks(4096), Fit::InPlace] {
            if let Ok(header) = editor.header(gguf, bytes.len() as u64, fit) {
                check(gguf, bytes, &header, fit);
            }
        }
    }
}

fn editors(gguf: Gguf<'_>) -> Vec<Editor> {
    let key = |at| gguf.entry(at).map(|(key, _)| key.lossy().into_owned());
    let (first, last) = (key(0), key(gguf.len().saturating_sub(1)));
    let mut editors = vec![Editor::new(); 5];
    if let [_, set, text, without, aligned] = editors.as_mut_slice() {
        set.set("general.name", "a name").set("new", 5_u64);
        text.set_text("x", "[1, 2]");
        aligned.set("general.alignment", 64_u32);
        for key in first.iter().chain(&last) {
            set.set(key, 1_u8).set(key, vec![1_i64]);
            text.set_text(key, "[1, 2]").set_text(key, "1");
            without.rename(key, "renamed").remove("renamed");
        }
    }
    // Each change by itself as well, since one that is refused hides the others.
    for key in first.iter().chain(&last) {
        editors.extend((0..3).map(|_| Editor::new()));
        if let [.., removed, renamed, set] = editors.as_mut_slice() {
            removed.remove(key);
            renamed.rename(key, "renamed");
            set.set_text(key, "1");
        }
    }
    editors
}

fn check(gguf: Gguf<'_>, bytes: &[u8], header: &NewHeader, fit: Fit) {
    let size = usize::try_from(header.file_size).unwrap_or(usize::MAX);
    if size > bytes.len().saturating_mul(2) + (1 << 20) {
        // An alignment of gigabytes is allowed; nobody needs to fill it.
        return;
    }
    let mut file = header.bytes.clone();
    for data in &header.moves {
        let [from, len, to] =
            [data.from, data.len, data.to].map(|n| usize::try_from(n).unwrap_or(0));
        assert!(file.len() <= to, "data over what is there");
        file.resize(to, 0);
        let moved = bytes.get(from..from.saturating_add(len));
        file.extend_from_slice(moved.unwrap_or_else(|| panic!("data beyond the file")));
    }
    assert!(file.len() <= size);
    file.resize(size, 0);
    let index = Index::parse(&file, file.len() as u64, &Limits::strict());
    let index = index.unwrap_or_else(|fault| panic!("the edited file is refused: {fault}"));
    let edited = index.view(&file);
    assert!(
        gguf.tensors()
            .map(|tensor| data_of(gguf, tensor))
            .eq(edited.tensors().map(|tensor| data_of(edited, tensor)))
    );
    if fit == Fit::InPlace {
        assert_eq!(edited.data_offset(), gguf.data_offset());
    }
    assert_eq!(edited.get(PADDING).is_some(), header.padding > 0);
}

type Data<'a> = (&'a [u8], &'a [u64], u32, Option<&'a [u8]>);

fn data_of<'a>(gguf: Gguf<'a>, tensor: super::super::tensor::TensorInfo<'a>) -> Data<'a> {
    let data = gguf.tensor_data(&tensor);
    let (name, code) = (tensor.name.as_bytes(), tensor.tensor_type.code());
    (name, tensor.dims, code, data)
}
