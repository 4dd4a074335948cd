pub fn run(_files: &[std::path::PathBuf]) {}
