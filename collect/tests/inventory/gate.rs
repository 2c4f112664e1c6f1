//! A gate in front of a server: requests that name one text are denied, all others pass.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

const DENIED: &str = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
    <Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>\
    <RequestId>r-1</RequestId></ErrorResponse>";

/// Starts a gate to `address` that denies requests whose body contains `denied`; its URL. It ends with the process.
pub fn gate(address: &str, denied: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (address, denied) = (address.to_owned(), denied.to_owned());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (address, denied) = (address.clone(), denied.clone());
            // A client that goes away before its answer is not the gate's concern.
            thread::spawn(move || pass(stream, &address, &denied).ok());
        }
    });
    url
}

/// Serves one request and closes the connection.
fn pass(mut client: TcpStream, address: &str, denied: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
        if !name.eq_ignore_ascii_case("connection") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if String::from_utf8_lossy(&body).contains(denied) {
        return write!(
            client,
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{DENIED}",
            DENIED.len()
        );
    }
    let mut server = TcpStream::connect(address)?;
    write!(server, "{head}Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client).map(drop)
}
