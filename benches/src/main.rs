//! Ours beside the peers', in one run and on the same files, in this directory:
//! `cargo run --release -- gguf FILE...` and `verify DIRECTORY [MIX]`, each row the minimum of
//! interleaved repetitions; `cold DIRECTORY`, the medians of pairs; and `store DIRECTORY...`, calls on
//! whole stores beside the floor.

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
            eprintln!("gguf FILE... | store DIRECTORY... | verify DIRECTORY [MIX] | cold DIRECTORY")
        }
    }
}
