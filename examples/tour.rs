//! The main job from end to end, in a store of its own: writes a GGUF file, imports it, and then
//! lists, shows, copies, verifies and deletes. `cargo run --release --example tour`

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{
    ImportOptions, ModelName, Reference, ShowOptions, Store, StoreOptions, VerifyOptions,
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("modelkeep-tour-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let toured = tour(&directory);
    fs::remove_dir_all(&directory)?;
    toured
}

fn tour(directory: &Path) -> Result<(), Box<dyn Error>> {
    let file = write_gguf(directory)?;
    println!(
        "wrote     {} ({} bytes)",
        file.display(),
        fs::metadata(&file)?.len()
    );

    let store = Store::open_with(StoreOptions::new(directory.join("models")).create(true))?;
    let name: ModelName = "tiny".parse()?;
    let imported = store.import(&file, &name, &ImportOptions::default())?;
    println!("imported  {} as {}", imported.name, imported.digest);

    let copied = store.copy(&name, "tiny-backup")?;
    println!("copied    {} to {}", copied.from, copied.to);

    for line in store.list()?.models {
        let details = &line.details;
        println!(
            "listed    {} ({} bytes, {})",
            line.name, line.size, details.quantization_level
        );
    }
    let tiny: Reference = "tiny".parse()?;
    // Dropped at once: as long as it lives, Windows lets nobody write to the file.
    let json = store.show(&tiny, &ShowOptions::default())?.to_json();
    println!("showed    {json}");
    println!("its file  {}", store.model(&tiny)?.gguf_path()?.display());

    verify(&store)?;
    let blob = store.model(&tiny)?.gguf_path()?;
    let mut bytes = fs::read(&blob)?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    fs::write(&blob, bytes)?;
    println!("damaged   one bit of it");
    verify(&store)?;

    for name in ["tiny", "tiny-backup"] {
        let deleted = store.delete(name)?;
        println!(
            "deleted   {name}: {} blobs, {} bytes freed",
            deleted.blobs.len(),
            deleted.bytes
        );
    }
    println!("left      {} models", store.list()?.models.len());
    Ok(())
}

fn verify(store: &Store) -> Result<(), modelkeep::Error> {
    let report = store.verify(&VerifyOptions::default())?;
    for blob in &report.blobs {
        println!("verified  {} {}", blob.digest, blob.status);
    }
    for model in &report.models {
        println!("broken    {}", model.name);
    }
    Ok(())
}

/// A model of one layer with weights of zero and a vocabulary of four words.
fn write_gguf(directory: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let f32 = TensorType::F32;
    let words = ["<s>", "</s>", "hello", "world"]
        .map(str::to_owned)
        .to_vec();
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("general.name", "Tiny")
        .set("general.file_type", 0_u32)
        .set("llama.context_length", 128_u32)
        .set("llama.embedding_length", 8_u32)
        .set("llama.block_count", 1_u32)
        .set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.tokens", words)
        .tensor("token_embd.weight", &[8, 4], f32, vec![0; 128])
        .tensor("output_norm.weight", &[8], f32, vec![0; 32]);
    let path = directory.join("tiny.gguf");
    writer.write_to(&mut File::create(&path)?)?;
    Ok(path)
}
