//! The main job from end to end, in a store of its own: writes a GGUF file, imports it, and then
//! lists, shows, copies, verifies and deletes. `cargo run --release --example tour`

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{Digest, ImportOptions, ShowOptions, Store, StoreOptions, VerifyOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("modelkeep-tour-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let toured = tour(&directory);
    fs::remove_dir_all(&directory)?;
    toured
}

fn tour(directory: &Path) -> Result<(), Box<dyn Error>> {
    let file = write_gguf(directory)?;
    println!("wrote     tiny.gguf, {} bytes", fs::metadata(&file)?.len());

    let store = Store::open_with(StoreOptions::new(directory.join("models")).create(true))?;
    let imported = store.import(&file, "tiny", &ImportOptions::default())?;
    println!(
        "imported  {}, weights {}",
        imported.name,
        short(&imported.digest)
    );
    let copied = store.copy("tiny", "tiny-backup")?;
    println!("copied    {} to {}", copied.from, copied.to);

    list(&store)?;
    show(&store)?;
    verify(&store)?;
    damage(&store.model("tiny")?.gguf_path()?)?;
    verify(&store)?;

    for name in ["tiny", "tiny-backup"] {
        let deleted = store.delete(name)?;
        println!(
            "deleted   {name}, and {} blobs with it",
            deleted.blobs.len()
        );
    }
    println!("left      {} models", store.list()?.models.len());
    Ok(())
}

fn list(store: &Store) -> Result<(), modelkeep::Error> {
    let mut models = store.list()?.models;
    // Both were made within the same moment, and a listing is in the order of time.
    models.sort_by(|one, other| one.name.cmp(&other.name));
    for model in models {
        let details = &model.details;
        println!(
            "listed    {}, {} bytes, {} parameters as {}",
            model.name, model.size, details.parameter_size, details.quantization_level
        );
    }
    Ok(())
}

fn show(store: &Store) -> Result<(), modelkeep::Error> {
    let show = store.show("tiny", &ShowOptions::default())?;
    let details = &show.details;
    println!(
        "showed    {} parameters as {}, family {}, template {}",
        details.parameter_size, details.quantization_level, details.family, show.template
    );
    Ok(())
}

fn damage(blob: &Path) -> std::io::Result<()> {
    let mut bytes = fs::read(blob)?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    println!("damaged   one bit of the weights");
    fs::write(blob, bytes)
}

fn verify(store: &Store) -> Result<(), modelkeep::Error> {
    let report = store.verify(&VerifyOptions::default())?;
    for blob in &report.blobs {
        println!("verified  {} {}", short(&blob.digest), blob.status);
    }
    for model in &report.models {
        println!("broken    {}", model.name);
    }
    Ok(())
}

/// The beginning of a digest, which is enough for people.
fn short(digest: &Digest) -> String {
    digest
        .to_string()
        .chars()
        .take("sha256:".len() + 12)
        .collect()
}

/// A model of one layer with weights of zero and a vocabulary of four words.
fn write_gguf(directory: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let f16 = TensorType::F16;
    let words = ["<s>", "</s>", "hello", "world"]
        .map(str::to_owned)
        .to_vec();
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("general.name", "Tiny")
        .set("general.file_type", 1_u32)
        .set("llama.context_length", 128_u32)
        .set("llama.embedding_length", 8_u32)
        .set("llama.block_count", 1_u32)
        .set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.tokens", words)
        .tensor("token_embd.weight", &[8, 4], f16, vec![0; 64])
        .tensor("output_norm.weight", &[8], TensorType::F32, vec![0; 32]);
    let path = directory.join("tiny.gguf");
    writer.write_to(&mut File::create(&path)?)?;
    Ok(path)
}
