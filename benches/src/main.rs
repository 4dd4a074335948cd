//! Ours beside the peers', in one run and on the same files, in this directory:
//! `cargo run --release -- gguf FILE...` and `verify DIRECTORY [MIX]`, each row the minimum of
//! interleaved repetitions; `cold DIRECTORY`, the medians of pairs; `store DIRECTORY...`, calls on
//! whole stores beside the floor; `once DIRECTORY CALL`, one of them with its memory; and `import
//! DIRECTORY`. `python3 run.py` is all of stores, with the reference.

mod cold;
mod gguf;
mod hash;
mod import;
mod once;
mod store;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let files: Vec<std::path::PathBuf> = arguments.map(Into::into).collect();
    match what.as_str() {
        "gguf" => gguf::run(&files),
        "cold" => cold::run(&files),
        "verify" => hash::run(&files),
        "memory" => hash::memory(&files),
        "store" => store::run(&files),
        "once" => once::run(&files),
        "import" => import::run(&files),
        _ => {
            eprintln!(
                "gguf FILE... | store DIRECTORY... | once DIRECTORY CALL | verify DIRECTORY [MIX] | \
                 cold DIRECTORY | import DIRECTORY"
            )
        }
    }
}
