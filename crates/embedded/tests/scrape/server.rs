//! A target that answers as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to any request.
#[derive(Clone)]
pub enum Answer {
    /// Status, further headers, each with its line end, and body.
    Http(&'static str, String, Vec<u8>),
    /// Nothing, with the connection kept open.
    Silence,
    /// Bytes that are no HTTP.
    Raw(&'static [u8]),
}

impl Answer {
    pub fn page(text: &str) -> Answer {
        let header = "Content-Type: text/plain; version=0.0.4\r\n".to_owned();
        Answer::Http("200 OK", header, text.as_bytes().to_vec())
    }

    pub fn packed(bytes: Vec<u8>) -> Answer {
        Answer::Http("200 OK", "Content-Encoding: gzip\r\n".to_owned(), bytes)
    }

    pub fn with(status: &'static str, header: &str, body: &str) -> Answer {
        Answer::Http(status, header.to_owned(), body.as_bytes().to_vec())
    }
}

/// Answers on loopback until the test's runtime ends.
pub struct Server {
    pub address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start(answer: Answer) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Server {
            address: listener.local_addr().expect("a bound port"),
            answer: Arc::new(Mutex::new(answer)),
            heads: Arc::default(),
        };
        let (answer, heads) = (Arc::clone(&server.answer), Arc::clone(&server.heads));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&heads)));
            }
        });
        server
    }

    pub fn set(&self, answer: Answer) {
        *self
            .answer
            .lock()
            .expect("no test panics while it holds it") = answer;
    }

    /// Request lines and headers of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().expect("no test panics while it holds it");
        heads.clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<Mutex<Answer>>, heads: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        heads.lock().expect("no panic").push(head);
        let answer = answer.lock().expect("no panic").clone();
        let bytes = match answer {
            Answer::Http(status, headers, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
                [head.into_bytes(), body].concat()
            }
            Answer::Silence => std::future::pending().await,
            Answer::Raw(bytes) => bytes.to_vec(),
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
