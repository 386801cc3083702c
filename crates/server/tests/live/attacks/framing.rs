//! Attacks by how a request is written: its bounds, its size, its pace.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Attack, World, attack};

/// S21, F53.
pub fn attacks() -> Vec<Attack> {
    let mut attacks: Vec<Attack> = [
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /pwned HTTP/1.1\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: +4\r\n\r\n{  }",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0x4\r\n\r\n{  }",
        "POST /retrain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET /services HTTP/1.1\nHost: 127.0.0.1\n\n",
        "GET /services HTTP/1.1\r\nHost: 127.0.0.1\n\r\n",
        "GET /services HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\r\n b: c\r\n\r\n",
        "GET /services HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A : b\r\n\r\n",
        "GET /services HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\0b\r\n\r\n",
        "GET /services HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\rb\r\n\r\n",
        "GET /serv\x01ices HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /services HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /services\r\nHost: 127.0.0.1\r\n\r\n",
        "GARBAGE\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
    ]
    .into_iter()
    .map(|text| Attack {
        id: "S21",
        request: text.into(),
        expected: &[400, 505],
        without: vec!["/pwned".to_owned()],
    })
    .collect();
    attacks.push(Attack {
        id: "S21",
        request: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        // Closed without a word: whoever speaks HTTP/2 would not understand one of HTTP/1.
        expected: &[0],
        without: Vec::new(),
    });
    let json = "Content-Type: application/json";
    let chunked = "Transfer-Encoding: chunked";
    let raw = |body: String, expected: &'static [u16]| Attack {
        id: "F53",
        request: format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n{json}\r\n{chunked}\r\n\r\n{body}"
        )
        .into(),
        expected,
        without: Vec::new(),
    };
    let large = "a".repeat(66_000);
    attacks.push(raw(
        format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()),
        &[413],
    ));
    attacks.push(raw("zz\r\n{}\r\n0\r\n\r\n".to_owned(), &[400]));
    attacks.push(raw("-2\r\n{}\r\n0\r\n\r\n".to_owned(), &[400]));
    attacks.push(raw(
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n".to_owned(),
        &[400],
    ));
    let line = "POST /api/v1/events";
    attacks.push(attack("F53", line, &[json], &large, &[413]));
    attacks.push(attack(
        "F53",
        line,
        &[json, "Content-Length: 1000000000"],
        "",
        &[413],
    ));
    attacks.push(attack(
        "F53",
        &format!("GET /services?{}", "a".repeat(8_200)),
        &[],
        "",
        &[414],
    ));
    attacks.push(attack(
        "F53",
        &format!("GET /{}", "a".repeat(20_000)),
        &[],
        "",
        &[414],
    ));
    attacks.push(attack(
        "F53",
        &format!("GET /{}", "a".repeat(1_000_000)),
        &[],
        "",
        &[0, 414, 431],
    ));
    let wide = format!("X-A: {}", "a".repeat(40_000));
    attacks.push(attack("F53", "GET /services", &[&wide], "", &[431]));
    let many: Vec<String> = (0..10_000).map(|n| format!("X-{n}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    attacks.push(attack("F53", "GET /services", &many, "", &[0, 431]));
    attacks.push(attack("F53", "GET /services", &many[..120], "", &[431]));
    attacks
}

/// F52: a head or body that doesn't come is given up, and others are answered meanwhile.
pub async fn slow_ones_are_cut(world: &World) {
    let began = Instant::now();
    let mut heads = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream
            .write_all(b"GET /services HTTP/1.1\r\nX-A: ")
            .await
            .unwrap();
        heads.push(stream);
    }
    let mut body = TcpStream::connect(world.address()).await.unwrap();
    let head = "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    body.write_all(head.as_bytes()).await.unwrap();
    let healthy = Instant::now();
    let answer = world.send(&super::request("GET /healthz", &[], "")).await;
    assert_eq!(answer.status, 200);
    assert!(healthy.elapsed() < Duration::from_secs(1));
    for stream in &mut heads {
        let mut rest = Vec::new();
        let read = stream.read_to_end(&mut rest);
        let closed = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert!(closed.is_ok(), "a slow head was not given up");
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    let mut answer = Vec::new();
    let read = body.read_to_end(&mut answer);
    let closed = tokio::time::timeout(Duration::from_secs(40), read).await;
    assert!(closed.is_ok(), "a slow body was not given up");
    assert_eq!(Answer::of(&answer).status, 408);
    let sent = heads.len() + 1;
    world
        .sent
        .fetch_add(sent, std::sync::atomic::Ordering::Relaxed);
}
