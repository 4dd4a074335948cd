//! `modelkeep gguf FILE --tensors`: a line for each tensor.

use modelkeep::gguf::{Gguf, TensorInfo, TensorType};
use modelkeep::human_size;

use crate::output::{Outcome, Output};
use crate::table::Fitting;

pub(super) fn print(gguf: Gguf<'_>, output: &mut Output) -> Outcome {
    if output.json {
        return output.line(gguf.tensors_json());
    }
    let fitting = Fitting {
        header: &["NAME", "TYPE", "SHAPE", "SIZE"],
        numbers: &[3],
        shrinking: &[0],
    };
    let rows = gguf.tensors().map(|tensor| row(&tensor)).collect();
    output.table(fitting.lines(rows, output.width()))
}

fn row(tensor: &TensorInfo<'_>) -> Vec<String> {
    vec![
        tensor.name.lossy().into_owned(),
        type_name(tensor.tensor_type),
        shape(tensor.dims),
        tensor.size.map_or("?".to_owned(), human_size),
    ]
}

/// Returns dimensions in the order of the file: the length of a row first.
pub(super) fn shape(dims: &[u64]) -> String {
    let sizes: Vec<String> = dims.iter().map(u64::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

pub(super) fn type_name(kind: TensorType) -> String {
    if kind.is_known() {
        kind.to_string()
    } else {
        format!("{kind} ({})", kind.code())
    }
}
