//! `socket_word_count` against a server in the test.

mod support;

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use support::command;

const SOCKET_WORD_COUNT: &str = env!("CARGO_BIN_EXE_socket_word_count");

/// Waits for the program to connect, unless it ends before.
fn accept(server: &TcpListener, program: &mut Child) -> Result<TcpStream> {
    server.set_nonblocking(true)?;
    loop {
        match server.accept() {
            Ok((connection, _)) => {
                connection.set_nonblocking(false)?;
                return Ok(connection);
            }
            Err(error) if error.kind() != ErrorKind::WouldBlock => bail!(error),
            Err(_) => ensure!(program.try_wait()?.is_none(), "the program ended without connecting"),
        }
        // Another process is waited for, which no virtual time can move.
        #[allow(clippy::disallowed_methods)]
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn counts_come_while_the_connection_is_open() -> Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let port = server.local_addr()?.port().to_string();
    let mut program = command(SOCKET_WORD_COUNT)
        .args(["--quiet", "-p1", "--port", &port])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut connection = accept(&server, &mut program)?;
    let mut printed = BufReader::new(program.stdout.take().context("standard output")?).lines();
    let mut next = |lines: usize| printed.by_ref().take(lines).collect::<Result<Vec<_>, _>>();

    connection.write_all(b"to be or\n")?;
    assert_eq!(next(3)?, ["to: 1", "be: 1", "or: 1"]);
    connection.write_all(b"not  to\tbe\r\n")?;
    assert_eq!(next(3)?, ["not: 1", "to: 2", "be: 2"]);
    drop(connection);

    assert_eq!(next(1)?, [""; 0], "nothing more");
    let output = program.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
