//! Ours beside the peers', in one run and on the same files: `cargo run --release -- gguf FILE...`
//! and `cargo run --release -- verify DIRECTORY`, in this directory. Each row is the minimum of
//! interleaved repetitions.

mod cold;
mod gguf;
mod hash;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let files: Vec<std::path::PathBuf> = arguments.map(Into::into).collect();
    match what.as_str() {
        "gguf" => gguf::run(&files),
        "cold" => cold::run(&files),
        "verify" => hash::run(&files),
        "memory" => hash::memory(&files),
        _ => eprintln!("gguf FILE... | verify DIRECTORY [MIX] | cold DIRECTORY"),
    }
}
