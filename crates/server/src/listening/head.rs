//! A stream that is read strictly: a request whose bounds two readers could see differently never
//! gets through, so that nothing can be smuggled past a proxy in front.
//!
//! Refused are bare line feeds and other control characters in a head, folded lines, blanks before
//! a colon, `Content-Length` beside `Transfer-Encoding`, and lengths that are no number or differ.
//! (RFC 9112, sections 2.2, 5.1, 5.2, 6.3.) What is refused is replaced by a byte that the HTTP
//! parser answers with 400, and nothing after it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest name or value of a header that must be understood here.
const NOTED_BYTES_MAX: usize = 64;
/// No parser takes it, wherever in a head it stands.
const POISON: u8 = 0;

/// A stream of requests that passes only well-bounded ones.
pub struct Strict<S> {
    stream: S,
    reading: Reading,
    refused: bool,
}

impl<S> Strict<S> {
    pub fn new(stream: S) -> Strict<S> {
        Strict {
            stream,
            reading: Reading::default(),
            refused: false,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.refused {
            // As if the client had stopped sending.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = &mut buffer.filled_mut()[before..];
        if let Some(at) = self.reading.refuses(new) {
            new[at] = POISON;
            buffer.set_filled(before + at + 1);
            self.refused = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in the requests of a connection it is.
#[derive(Default)]
struct Reading {
    place: Place,
    name: Vec<u8>,
    value: Vec<u8>,
    /// Said by the head so far.
    length: Option<u64>,
    is_encoded: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// At its first byte: empty lines may stand before a request.
    #[default]
    Before,
    RequestLine,
    /// At the first byte of a header line, or of the empty one.
    LineStart,
    Name,
    Value,
    /// Behind a carriage return; true: of the empty line.
    LineEnd(bool),
    /// Behind a carriage return before the request line.
    EmptyBefore,
    Body(u64),
    /// The length of a body isn't counted here, and no request may follow.
    Unbounded,
}

impl Reading {
    /// The first byte that must not get through.
    fn refuses(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Unbounded => return None,
                Place::Body(left) => {
                    let here = left.min((bytes.len() - at) as u64);
                    at += usize::try_from(here).unwrap_or(bytes.len());
                    self.place = match left - here {
                        0 => Place::Before,
                        left => Place::Body(left),
                    };
                }
                _ => {
                    self.place = match self.next(bytes[at]) {
                        Some(place) => place,
                        None => return Some(at),
                    };
                    at += 1;
                }
            }
        }
        None
    }

    /// The place behind one byte of a head; none: it is refused.
    fn next(&mut self, byte: u8) -> Option<Place> {
        match (self.place, byte) {
            (Place::Before, b'\r') => Some(Place::EmptyBefore),
            (Place::EmptyBefore, b'\n') => Some(Place::Before),
            (Place::LineEnd(false), b'\n') => self.header_is_fine().then_some(Place::LineStart),
            (Place::LineEnd(true), b'\n') => self.body(),
            (Place::LineStart, b'\r') => Some(Place::LineEnd(true)),
            (Place::RequestLine | Place::Value, b'\r') => Some(Place::LineEnd(false)),
            (Place::Before | Place::RequestLine, b' '..=b'~') => Some(Place::RequestLine),
            (Place::LineStart | Place::Name, _) if is_name_byte(byte) => {
                note(&mut self.name, byte);
                Some(Place::Name)
            }
            (Place::Name, b':') => Some(Place::Value),
            (Place::Value, b'\t' | b' '..=b'~' | 0x80..) => {
                note(&mut self.value, byte);
                Some(Place::Value)
            }
            _ => None,
        }
    }

    /// Behind a whole line: whether what it says of the body can be meant.
    fn header_is_fine(&mut self) -> bool {
        let name = std::mem::take(&mut self.name);
        let value = std::mem::take(&mut self.value);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_encoded = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = value.trim_ascii();
            let is_number = value.len() < NOTED_BYTES_MAX
                && !digits.is_empty()
                && digits.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok());
            if !is_number
                || length.is_none()
                || self.length.is_some_and(|said| Some(said) != length)
            {
                return false;
            }
            self.length = length;
        }
        !(self.is_encoded && self.length.is_some())
    }

    /// Behind a whole head.
    fn body(&mut self) -> Option<Place> {
        let length = self.length.take();
        if std::mem::take(&mut self.is_encoded) {
            return Some(Place::Unbounded);
        }
        Some(match length {
            None | Some(0) => Place::Before,
            Some(length) => Place::Body(length),
        })
    }
}

/// A byte too many makes no header that matters here.
fn note(text: &mut Vec<u8>, byte: u8) {
    if text.len() < NOTED_BYTES_MAX {
        text.push(byte);
    }
}

/// RFC 9110, section 5.6.2.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it is refused, fed whole and byte by byte.
    fn refused(text: &[u8]) -> Option<usize> {
        let whole = Reading::default().refuses(text);
        let mut reading = Reading::default();
        let single = text
            .chunks(1)
            .position(|byte| reading.refuses(byte).is_some());
        assert_eq!(whole, single);
        whole
    }

    #[test]
    fn requests_as_clients_send_them_pass() {
        for text in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost:a\r\nX: \u{e9}\t1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\n\0\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 0\r\nContent-Length:0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nEmpty:\r\n\r\n",
        ] {
            assert_eq!(refused(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_two_readers_could_see_differently_does_not() {
        for text in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n",
            "GET / HTTP/1.1\r\nX : a\r\n\r\n",
            "GET / HTTP/1.1\r\n: a\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
            "GET /\x01 HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
            &format!(
                "POST / HTTP/1.1\r\nContent-Length: {}1\r\n\r\n",
                "0".repeat(64)
            ),
            "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\n\r\n",
        ] {
            assert!(refused(text.as_bytes()).is_some(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn after_a_refusal_nothing_is_read() {
        use tokio::io::AsyncReadExt;
        let text: &[u8] = b"GET / HTTP/1.1\nHost: a\r\n\r\nmore";
        let mut seen = Vec::new();
        Strict::new(text).read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, b"GET / HTTP/1.1\0");
    }
}
