//! What is right, decided without the engine: from the files alone.

pub mod disk;
pub mod name;
pub mod reading;
pub mod rules;
pub mod view;
