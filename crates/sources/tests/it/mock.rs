//! A scripted server for one request per connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use sources::{Clock, Prometheus, PrometheusSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: String,
    pub form: BTreeMap<String, String>,
}

pub enum Reply {
    /// The bytes of a whole response, then the end of the connection.
    Bytes(Vec<u8>),
    /// The head, then one byte at a time.
    Drip(Vec<u8>),
    /// The head, then the same chunk for ever.
    Endless(Vec<u8>, Vec<u8>),
    Hang,
}

pub struct Mock {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Mock {
    pub async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Mock {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (requests.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, script) = (seen.clone(), script.clone());
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream).await else {
                        return;
                    };
                    let reply = script(&request);
                    seen.lock().unwrap().push(request);
                    let _ = answer(stream, reply).await;
                });
            }
        });
        Mock { port, requests }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.requests.lock().unwrap().clear();
    }

    pub fn settings(&self) -> PrometheusSettings {
        PrometheusSettings {
            timeout: Duration::from_secs(5),
            ..PrometheusSettings::at(self.url())
        }
    }

    pub fn client(&self) -> Prometheus {
        Prometheus::new(self.settings(), clock()).unwrap()
    }
}

pub fn clock() -> Clock {
    Arc::new(|| Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()))
}

pub fn json(body: &str) -> Reply {
    response(200, "Content-Type: application/json\r\n", body.as_bytes())
}

pub fn response(status: u16, headers: &str, body: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Reply::Bytes([head.as_bytes(), body].concat())
}

/// The answer to an instant query: labels as `a=b,c=d`, and values.
pub fn vector_json(series: &[(&str, &str)]) -> String {
    let result: Vec<serde_json::Value> = series
        .iter()
        .map(|(labels, value)| {
            let metric: serde_json::Map<String, serde_json::Value> = labels
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (k.to_owned(), v.into()))
                .collect();
            serde_json::json!({"metric": metric, "value": [1.0, value]})
        })
        .collect();
    serde_json::json!({"status": "success", "data": {"resultType": "vector", "result": result}})
        .to_string()
}

pub const EMPTY_VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
pub const EMPTY_MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let headers = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length: usize = headers
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0);
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut words = headers.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
    let form = if body.is_empty() { query } else { &body };
    let url = reqwest::Url::parse(&format!("http://h/?{form}")).ok()?;
    Some(Request {
        method,
        path: path.to_owned(),
        form: url.query_pairs().into_owned().collect(),
        headers: headers.clone(),
    })
}

async fn answer(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Reply::Drip(head) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Reply::Endless(head, chunk) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Reply::Hang => {
            let mut sink = [0; 1];
            stream.read(&mut sink).await.map(|_| ())
        }
    }
}
