//! Who waits for the store, and who need not.

use std::fs::File;
use std::time::Duration;

use super::{DELETE, TAGS};
use crate::common::{Client, Running, status};
use modelkeep_http::Limits;

/// Takes the lock of a store, as a process that changes it does.
fn locked(server: &Running) -> File {
    let own = server.directory.path().join(".modelkeep");
    std::fs::create_dir(&own).unwrap();
    let lock = File::create(own.join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Asks with these fields for a delete of `a`, and returns when the server has begun with it.
fn begin_delete(server: &Running, fields: &str) -> Client {
    let mut client = server.connect();
    let body = r#"{"model":"a"}"#;
    let length = body.len();
    client.write(&format!(
        "{DELETE}\r\n{fields}expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    ));
    assert_eq!(status(&client.head()), "100");
    client.write(body);
    client
}

#[test]
fn changes_that_wait_for_the_lock_keep_nobody_from_reading() {
    let server = Running::start(Limits::default());
    let model = server.model("a");
    let lock = locked(&server);
    // More than may read at once.
    let waiting = (0..20).map(|_| begin_delete(&server, "connection: close\r\n"));
    let mut waiting: Vec<Client> = waiting.collect();
    assert_eq!(server.status(TAGS, ""), "200");
    assert!(model.exists());
    drop(lock);
    let answers = waiting.iter_mut().map(|client| client.rest());
    let deleted = answers.filter(|answer| answer.starts_with("HTTP/1.1 200"));
    assert_eq!(deleted.count(), 1);
}

#[test]
fn a_delete_that_waits_for_the_lock_is_answered_at_the_end() {
    let mut server = Running::start(Limits::default().grace(Duration::from_millis(50)));
    let model = server.model("a");
    let _lock = locked(&server);
    let mut client = begin_delete(&server, "");
    server.tell_to_end();
    let answer = client.rest();
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("ending"),
        "{answer}"
    );
    server.wait();
    assert!(model.exists());
}
