//! A gate in front of a server: requests that name one text are refused, all others pass.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use fixtures::Moto;

/// What the gate refuses, and in which words.
#[derive(Clone)]
pub struct Refusal {
    /// Texts of which one is in the body of the request.
    pub of: Vec<String>,
    /// Status code and its phrase.
    pub status: &'static str,
    /// Body of the answer.
    pub body: String,
}

impl Refusal {
    /// STS does not let the roles of these accounts be assumed.
    pub fn of_roles(account_ids: &[&str]) -> Self {
        let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
            <Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>\
            <RequestId>r-1</RequestId></ErrorResponse>";
        Self {
            of: account_ids.iter().map(|id| (*id).to_owned()).collect(),
            status: "403 Forbidden",
            body: body.to_owned(),
        }
    }
}

/// Starts a gate to a server; its URL. It ends with the process.
pub fn gate(moto: &Moto, refusal: Refusal) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let address = moto.url().trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (address, refusal) = (address.clone(), refusal.clone());
            // A client that goes away before its answer is not the gate's concern.
            thread::spawn(move || pass(stream, &address, &refusal).ok());
        }
    });
    url
}

/// Serves one request and closes the connection.
fn pass(mut client: TcpStream, address: &str, refusal: &Refusal) -> std::io::Result<()> {
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
    let asked = String::from_utf8_lossy(&body);
    if refusal.of.iter().any(|text| asked.contains(text)) {
        let Refusal { status, body, .. } = refusal;
        return write!(
            client,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    let mut server = TcpStream::connect(address)?;
    write!(server, "{head}Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client).map(drop)
}
