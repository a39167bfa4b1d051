//! Speaks as much HTTP/1.1 as stand-ins need: one request per connection.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// Names and values, as they came.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Finds a header, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Sends a request and reads its answer; fails when nothing comes for as long as `patience`.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    patience: Duration,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    // Who refuses a body may answer and close before all of it is written.
    let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    read_answer(&mut BufReader::new(stream)).map_err(|error| written.err().unwrap_or(error))
}

fn read_answer(reader: &mut impl BufRead) -> io::Result<Answer> {
    let status = line(reader)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| malformed(&status))?;
    let mut answer = Answer { status, headers: Vec::new(), body: Vec::new() };
    loop {
        let header = line(reader)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(|| malformed(&header))?;
        answer.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = answer.header("Content-Length").map(|length| length.parse().map_err(|_| malformed(length)));
    if answer.header("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        read_chunks(reader, &mut answer.body)?;
    } else if let Some(length) = length.transpose()? {
        read_exactly(reader, length, &mut answer.body)?;
    } else {
        reader.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(reader)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        match u64::from_str_radix(digits, 16).map_err(|_| malformed(&size))? {
            // Trailers may follow. The connection is not used again.
            0 => return Ok(()),
            length => read_exactly(reader, length, body)?,
        }
        line(reader)?;
    }
}

fn read_exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let read = reader.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn malformed(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::read_answer;

    /// Through a tiny buffer, so that reads are cut anywhere.
    fn read(text: &str) -> Option<(u16, String)> {
        let answer = read_answer(&mut BufReader::with_capacity(3, text.as_bytes())).ok()?;
        Some((answer.status, String::from_utf8(answer.body).expect("text")))
    }

    #[test]
    fn a_body_is_as_long_as_its_framing_says() {
        let hello = Some((200, "hello".to_owned()));
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, more"), hello);
        assert_eq!(
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
            hello
        );
        assert_eq!(read("HTTP/1.1 200\r\n\r\nhello"), hello);
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        for cut in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "hello",
        ] {
            assert_eq!(read(cut), None, "{cut:?}");
        }
    }
}
