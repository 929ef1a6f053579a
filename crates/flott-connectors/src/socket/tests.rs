use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use flott_runtime::seam::SystemClock;
use flott_runtime::source::testing::{EnumeratorHarness, ReaderHarness};
use flott_runtime::source::{InputStatus, Source};

use super::lines::LineSplitter;
use super::*;

type Reader = ReaderHarness<String, SocketSplit>;

fn server() -> (TcpListener, SocketSource) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    (server, SocketSource::new("127.0.0.1", port))
}

fn connected(source: &SocketSource) -> Reader {
    let mut reader = ReaderHarness::new(source, 0, 1, Arc::new(SystemClock::new())).unwrap();
    reader.reader().start().unwrap();
    reader.reader().add_splits(vec![SocketSplit]).unwrap();
    reader.reader().notify_no_more_splits();
    reader
}

/// Polls until `count` lines have come or the stream ends.
fn take(reader: &mut Reader, count: usize) -> FnResult<Vec<String>> {
    let mut lines = Vec::new();
    while lines.len() < count {
        let (mut batch, status) = reader.poll()?;
        let batch_was_empty = batch.is_empty();
        lines.append(&mut batch);
        match status {
            InputStatus::EndOfInput => break,
            InputStatus::NothingAvailable { .. } if batch_was_empty => reader.wait(Duration::from_secs(5)),
            InputStatus::NothingAvailable { .. } | InputStatus::MoreAvailable => {}
        }
    }
    Ok(lines)
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
}

#[test]
fn lines_are_read_until_the_server_closes() {
    let (server, source) = server();
    let mut reader = connected(&source);
    let (mut peer, _) = server.accept().unwrap();
    send(&mut peer, b"one\r\ntw");
    assert_eq!(take(&mut reader, 1).unwrap(), ["one"]);
    assert_eq!(reader.reader().snapshot_state(1).unwrap(), [SocketSplit]);
    send(&mut peer, b"o\n\nlast");
    drop(peer);
    assert_eq!(take(&mut reader, usize::MAX).unwrap(), ["two", "", "last"]);
    assert_eq!(reader.reader().snapshot_state(1).unwrap(), []);
}

#[test]
fn more_lines_than_the_queue_holds_arrive_in_order() {
    let (server, source) = server();
    let mut reader = connected(&source);
    let (mut peer, _) = server.accept().unwrap();
    let text: String = (0..600_000).map(|n| format!("{n}\n")).collect();
    let sender =
        flott_runtime::seam::spawn("peer".to_owned(), move || send(&mut peer, text.as_bytes())).unwrap();
    let lines = take(&mut reader, usize::MAX).unwrap();
    sender.join().unwrap();
    assert_eq!(lines.len(), 600_000);
    assert!(lines.iter().enumerate().all(|(n, line)| *line == n.to_string()));
}

#[test]
fn an_unreachable_server_fails_with_its_address_and_a_hint() {
    let (server, source) = server();
    drop(server);
    let error = take(&mut connected(&source), 1).unwrap_err().to_string();
    assert!(
        error.contains(&source.address()) && error.contains("refused") && error.contains("nc -lk"),
        "{error}"
    );
}

#[test]
fn a_closed_connection_is_made_again_if_the_source_may_retry() {
    let (server, source) = server();
    let mut reader = connected(&source.with_retries(1, Duration::from_millis(1)));
    for text in ["one\n", "two\n", "three\n"] {
        let (mut peer, _) = server.accept().unwrap();
        send(&mut peer, text.as_bytes());
    }
    assert_eq!(take(&mut reader, 3).unwrap(), ["one", "two", "three"]);
    drop(server.accept().unwrap());
    assert_eq!(take(&mut reader, 1).unwrap(), [""; 0], "two silent connections in a row end the stream");
}

#[test]
fn closing_the_reader_ends_the_thread_while_it_waits_for_the_server() {
    let (server, source) = server();
    let mut reader = connected(&source);
    let (_peer, _) = server.accept().unwrap();
    reader.reader().close().unwrap();
}

#[test]
fn closing_the_reader_ends_the_thread_while_it_waits_to_retry() {
    let (server, source) = server();
    drop(server);
    let mut reader = connected(&source.with_retries(5, Duration::from_secs(3600)));
    reader.wait(Duration::from_millis(50));
    reader.reader().close().unwrap();
}

#[test]
fn closing_the_reader_ends_the_thread_while_the_queue_is_full() {
    let (server, source) = server();
    let mut reader = connected(&source);
    let (mut peer, _) = server.accept().unwrap();
    peer.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    while peer.write_all(&[b'\n'; 65_536]).is_ok() {}
    reader.reader().close().unwrap();
}

#[test]
fn one_subtask_gets_the_connection_and_the_others_nothing() {
    let source = SocketSource::new("localhost", 1);
    let mut enumerator = EnumeratorHarness::new(source.create_enumerator().unwrap(), 2);
    let first = enumerator.request_split(1).unwrap();
    assert_eq!((first.assigned, first.no_more_splits), (vec![(1, SocketSplit)], vec![1]));
    let second = enumerator.request_split(0).unwrap();
    assert_eq!((second.assigned, second.no_more_splits), (vec![], vec![0]));
    enumerator.add_splits_back(vec![SocketSplit], 1).unwrap();
    assert_eq!(enumerator.request_split(0).unwrap().assigned, [(0, SocketSplit)]);
}

fn split(source: &SocketSource, pieces: &[&[u8]]) -> Result<Vec<String>, SocketError> {
    let mut splitter = LineSplitter::new(source);
    let mut lines = Vec::new();
    for piece in pieces {
        splitter.feed(piece, &mut lines)?;
    }
    lines.extend(splitter.finish()?);
    Ok(lines)
}

#[test]
fn a_delimiter_may_be_cut_in_pieces() {
    let source = SocketSource::new("h", 1).with_delimiter("||");
    assert_eq!(split(&source, &[b"a|", b"|b|c|", b"|", b"|d\r"]).unwrap(), ["a", "b|c", "|d\r"]);
}

#[test]
fn lines_too_long_or_not_utf8_are_errors_that_name_the_line() {
    let source = SocketSource::new("h", 1).with_max_line_bytes(4);
    let message = |pieces: &[&[u8]]| split(&source, pieces).unwrap_err().to_string();
    assert_eq!(split(&source, &[b"1234\n", b"1234"]).unwrap(), ["1234", "1234"]);
    assert!(message(&[b"a\n12345\n"]).starts_with("line 2 from h:1 is longer than 4 bytes"));
    assert!(message(&[b"a\n123", b"45"]).starts_with("line 2 from h:1 is longer than 4 bytes"));
    assert_eq!(message(&[b"a\nx\xff\n"]), "line 2 from h:1 is not valid UTF-8 at byte 2");
}
