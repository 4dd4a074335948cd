// What the examples of the documentation begin with: a directory, and in it `tiny.gguf` and a store
// with the model `tiny`, which was imported from that file. An expression, for `include!`.
{
    fn scene() -> Result<(tempfile::TempDir, modelkeep::Store), Box<dyn std::error::Error>> {
        use modelkeep::gguf::{TensorType, Writer};
        use modelkeep::{ImportOptions, Message, Store, StoreOptions};

        let directory = tempfile::tempdir()?;
        let mut writer = Writer::new();
        writer
            .set("general.architecture", "llama")
            .set("general.name", "Tiny")
            .set("general.file_type", 1_u32)
            .set("llama.context_length", 128_u32)
            .set("llama.embedding_length", 8_u32)
            .set("tokenizer.chat_template", "{{ messages[0].content }}")
            .set("tokenizer.ggml.scores", vec![0.5_f32, 1.5])
            .tensor("token_embd.weight", &[8, 4], TensorType::F16, vec![0; 64])
            .tensor("output_norm.weight", &[8], TensorType::F32, vec![0; 32]);
        let file = directory.path().join("tiny.gguf");
        writer.write_to(&mut std::fs::File::create(&file)?)?;

        let options = StoreOptions::new(directory.path().join("models")).create(true);
        let store = Store::open_with(options.delete_delay(std::time::Duration::ZERO))?;
        let parameters = serde_json::json!({"temperature": 0.5, "stop": ["</s>"]});
        let options = ImportOptions::new()
            .template("{{ .System }} {{ .Prompt }}")
            .system("Be brief.")
            .licenses(["MIT"])
            .parameters(parameters.as_object().cloned().unwrap_or_default())
            .messages([Message::new("user", "Hello")]);
        store.import(&file, "tiny", &options)?;
        Ok((directory, store))
    }
    scene()?
}
